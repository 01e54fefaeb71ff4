"""Vectors from a small transformer on this machine's processor: better than word vectors, a hundred times slower."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agentinfra.core.errors import ModelUnavailable
from agentinfra.memory.embedders.minilm_file import minilm_file
from agentinfra.memory.embedders.onnx_runtime import import_or_explain, load_runtime

MOST_TOKENS = 256
_BATCH_TOKENS = 512
"""Of one run, padding included: what it needs of memory grows with them."""
_MOST_THREADS = 4


@dataclass(frozen=True, slots=True)
class _Session:
    """What a loaded model consists of."""

    model: Any
    tokenizer: Any


class MiniLMEmbedder:
    """all-MiniLM-L6-v2 in 8 bits. Nothing is loaded before the first use, and then in a worker thread.

    Args:
        file: The built file, instead of the one that ``agentinfra models pull minilm`` makes.
        threads: How many of the processor's cores it may use; None is half of them, four at most.
    """

    dimensions = 384
    name = "minilm-l6-int8"

    def __init__(self, file: Path | None = None, *, threads: int | None = None) -> None:
        self._file = file or minilm_file()
        self._threads = threads or max(1, min(_MOST_THREADS, (os.cpu_count() or 2) // 2))
        self._session: _Session | None = None
        self._loading = threading.Lock()

    @property
    def installed(self) -> bool:
        """Whether its file is there."""
        return self._file.is_file()

    async def embed(self, texts: Sequence[str], *, query: bool = False) -> NDArray[np.float32]:  # noqa: ARG002
        """Embed texts, the first 256 tokens of each. See :class:`agentinfra.core.interfaces.Embedder`.

        One call uses its threads for a fraction of a second at a time and can be cancelled in between.

        Raises:
            ModelUnavailable: The model was not pulled, or its file or libraries cannot be used.
        """
        session = await asyncio.to_thread(self._loaded)
        tokens = await asyncio.to_thread(_tokens, session, texts)
        vectors = np.empty((len(texts), self.dimensions), np.float32)
        for batch in _batches([len(one) for one in tokens]):
            vectors[batch] = await asyncio.to_thread(_run, session, [tokens[place] for place in batch])
        return vectors

    async def aclose(self) -> None:
        """Free the model's memory; it is loaded again when it is needed again."""
        self._session = None

    def _loaded(self) -> _Session:
        with self._loading:
            if self._session is None:
                self._session = _load(self._file, self._threads)
            return self._session


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Places of texts of about one length, for a batch is as slow as its longest."""
    batch: list[int] = []
    for place in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch and (len(batch) + 1) * lengths[place] > _BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch


def _tokens(session: _Session, texts: Sequence[str]) -> list[NDArray[np.int64]]:
    # One by one: a batch would take all cores.
    return [np.array(session.tokenizer.encode(text).ids, np.int64) for text in texts]


def _run(session: _Session, tokens: Sequence[NDArray[np.int64]]) -> NDArray[np.float32]:
    ids = np.zeros((len(tokens), max(map(len, tokens))), np.int64)
    mask = np.zeros_like(ids)
    for row, one in enumerate(tokens):
        ids[row, : len(one)] = one
        mask[row, : len(one)] = 1
    return session.model.run(None, {"input_ids": ids, "attention_mask": mask})[0]


def _load(file: Path, threads: int) -> _Session:
    if not file.is_file():
        raise _not_pulled(file)
    runtime, tokenizers = load_runtime(), import_or_explain("tokenizers")
    try:
        options = _configured(runtime.SessionOptions(), threads)
        model = runtime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
        tokenizer = tokenizers.Tokenizer.from_str(model.get_modelmeta().custom_metadata_map["tokenizer"])
    except Exception as error:  # the runtime's errors have no common root but this
        raise _damaged(file, error) from error
    tokenizer.enable_truncation(MOST_TOKENS)
    tokenizer.no_padding()
    return _Session(model, tokenizer)


def _configured(options: Any, threads: int) -> Any:
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Batches differ in size: an arena would keep the largest of each for ever.
    options.enable_cpu_mem_arena = False
    options.enable_mem_pattern = False
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    return options


def _not_pulled(file: Path) -> ModelUnavailable:
    return ModelUnavailable(
        "The MiniLM embedder is not on this machine",
        why=f"{file} is not there",
        next_step="Fetch it once with: agentinfra models pull minilm",
    )


def _damaged(file: Path, error: Exception) -> ModelUnavailable:
    return ModelUnavailable(
        "The MiniLM embedder cannot be loaded",
        why=" ".join(str(error).split())[:300],
        next_step=f"Delete {file} and fetch it again with: agentinfra models pull minilm",
    )
