"""An index of any size for measuring its speed: functions of Python's standard library, again and again, renamed."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from agentinfra.memory.chunk import Chunk, ParsedFile
from agentinfra.memory.embedders.static import StaticEmbedder
from agentinfra.memory.store import FileStamp, MemoryStore
from benchmarks.retrieval_corpus import Function, evaluation
from benchmarks.retrieval_sources import standard_library

RENAMED = 0.3
"""The share of a function's words in whose place others of the library stand, as often as they occur there."""
_FILE_CHUNKS, _BATCH_FILES = 30, 64
_WORD = re.compile(r"[^\W\d]\w{2,}")


def fill(path: Path, chunks: int, questions: int, seed: int) -> list[str]:
    """Index chunks with their vectors, in batches as the indexer does.

    Args:
        path: The index, which is made.
        chunks: How many.
        questions: How many questions are wanted.
        seed: The same one makes the same chunks.

    Returns:
        What the documentation of functions says, which stands in no chunk.
    """
    library = evaluation("Python", islice(standard_library(), chunks), questions)
    embedder, store = StaticEmbedder(), MemoryStore.open(path)
    try:
        made = _chunks(library.functions, random.Random(seed))
        for start in range(0, chunks, _BATCH_FILES * _FILE_CHUNKS):
            batch = [*islice(made, min(_BATCH_FILES * _FILE_CHUNKS, chunks - start))]
            _keep(store, embedder, start, batch)
    finally:
        store.close()
    return [question.text for question in library.questions]


def _chunks(functions: Sequence[Function], dice: random.Random) -> Iterator[Chunk]:
    """Without an end; the first ones are the functions as they are."""
    words = [word for each in functions for word in _WORD.findall(each.text)]

    def other(found: re.Match[str]) -> str:
        return dice.choice(words) if dice.random() < RENAMED else found[0]

    for each in functions:
        yield _chunk(each.symbol, each.text)
    while True:
        for each in functions:
            yield _chunk(_WORD.sub(other, each.symbol), _WORD.sub(other, each.text))


def _chunk(symbol: str, text: str) -> Chunk:
    return Chunk(1, text.count("\n") + 1, "function", symbol, text)


def _keep(store: MemoryStore, embedder: StaticEmbedder, number: int, batch: Sequence[Chunk]) -> None:
    with store.transaction():
        for start in range(0, len(batch), _FILE_CHUNKS):
            of_file = tuple(batch[start : start + _FILE_CHUNKS])
            store.put_file(f"part_{number}/file_{start}.py", FileStamp(1, 1), ParsedFile("python", of_file))
    each = {chunk.hash: chunk.embedded_text for chunk in batch}
    with store.transaction():
        store.put_vectors(embedder.name, [*each], embedder.embed_now([*each.values()]))
