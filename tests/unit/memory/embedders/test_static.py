import asyncio
import json

import numpy as np
import pytest

from agentinfra.core.errors import ModelUnavailable
from agentinfra.memory.embedders.static import TABLE, StaticEmbedder, load_table

QUESTIONS = (
    "open a file and read its lines",
    "send an HTTP request to the server",
    "sort the list in descending order",
    "render the button of a form",
)
ANSWERS = (
    "def load_text(path):\n    with open(path) as stream:\n        return stream.readlines()",
    "async function fetchJson(url) { const response = await fetch(url); return response.json(); }",
    "def ordered(items):\n    return sorted(items, key=rank, reverse=True)",
    "const Submit = ({ label, onClick }) => <button type='submit' onClick={onClick}>{label}</button>;",
)


async def test_each_question_is_nearest_to_its_own_answer():
    embedder = StaticEmbedder()
    questions, answers = await embedder.embed(QUESTIONS, query=True), await embedder.embed(ANSWERS)
    assert (questions @ answers.T).argmax(1).tolist() == [0, 1, 2, 3]


async def test_vectors_have_unit_length_and_the_protocols_shape():
    embedder = StaticEmbedder()
    vectors = await embedder.embed([*ANSWERS, "", "\x00", "ÿ" * 50, "zqxjkvbwpy"])
    assert (vectors.shape, vectors.dtype) == ((8, embedder.dimensions), np.float32)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert (await embedder.embed([])).shape == (0, embedder.dimensions)


async def test_a_text_means_the_same_alone_and_among_thousands():
    embedder = StaticEmbedder()
    many = await embedder.embed([*ANSWERS * 700, *QUESTIONS])
    assert np.allclose(many[-4:], await embedder.embed(QUESTIONS), atol=1e-6)


async def test_how_identifiers_are_written_and_repeated_does_not_matter():
    one, other = await StaticEmbedder().embed(["readFileLines", "read_file_lines, READ_FILE_LINES"])
    assert np.allclose(one, other, atol=1e-6)


async def test_one_that_no_word_is_known_of_is_near_no_other():
    vectors = await StaticEmbedder().embed(["", *QUESTIONS])
    assert np.abs(vectors[0] @ vectors[1:].T).max() < 0.5
    # It leans in no direction, unlike any word.
    assert np.ptp(vectors[0]) < 1e-6


async def test_callers_in_parallel_share_one_embedder():
    embedder = StaticEmbedder()
    expected = await embedder.embed(QUESTIONS)
    for got in await asyncio.gather(*(embedder.embed(QUESTIONS) for _ in range(8))):
        assert np.array_equal(got, expected)


def test_the_table_says_what_it_is_made_of_and_is_small():
    header = load_table().header
    assert header["licence"] == "Apache-2.0"
    assert len(header["sources"]) > 10
    assert TABLE.stat().st_size < 6_000_000


def damaged(kind, path):
    parts = {
        "header": np.frombuffer(json.dumps({"version": 99 if kind == "version" else 1}).encode(), np.uint8),
        "words": np.frombuffer(b"\none\ntwo", np.uint8),
        "rows": np.ones((2 if kind == "count" else 3, 256), np.int8),
        "scales": np.ones(2 if kind == "count" else 3, np.float16),
    }
    np.savez(path, **{name: part for name, part in parts.items() if name != kind})
    if kind == "cut":
        path.write_bytes(path.read_bytes()[:500])
    if kind == "missing":
        path.unlink()


@pytest.mark.parametrize("kind", ["cut", "missing", "version", "count", "words"])
async def test_a_table_that_cannot_be_used_is_an_error_that_says_so(kind, tmp_path):
    damaged(kind, tmp_path / "table.npz")
    with pytest.raises(ModelUnavailable, match=r"table\.npz cannot be read"):
        await StaticEmbedder(tmp_path / "table.npz").embed(["one"])
