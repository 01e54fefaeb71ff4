import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest

from agentinfra.core.errors import ModelUnavailable
from agentinfra.memory.vector_cache import VectorCache, VectorFile


class CostlyEmbedder:
    """Counts the texts that it is asked for; fails after so many."""

    name = "costly"
    dimensions = 64

    def __init__(self, most: int = 10**9) -> None:
        self.texts = 0
        self.most = most

    async def embed(self, texts, *, query=False):
        self.texts += len(texts)
        if self.texts > self.most:
            raise ModelUnavailable("There is no more")
        rows = [np.frombuffer(hashlib.sha512(text.encode()).digest(), np.uint8) / 255 for text in texts]
        return np.array([row / np.linalg.norm(row) for row in rows], dtype=np.float32)

    async def aclose(self):
        pass


def chunks(*names):
    return [(f"hash-of-{name}", f"text of {name}") for name in names]


@pytest.fixture
async def cache(tmp_path):
    opened = VectorCache(tmp_path / "cache.db")
    yield opened
    await opened.aclose()


async def test_what_was_embedded_is_not_embedded_again(cache, tmp_path):
    embedder = CostlyEmbedder()
    first = await cache.embed(embedder, chunks("a", "b", "a"))
    assert (first.shape, embedder.texts) == ((3, 64), 2)
    other = VectorCache(tmp_path / "cache.db")
    again = await other.embed(embedder, chunks("c", "b", "a"))
    assert embedder.texts == 3
    assert np.array_equal(again[1:], first[1::-1])
    other_model = CostlyEmbedder()
    other_model.name = "other"
    await other.embed(other_model, chunks("a"))
    assert other_model.texts == 1  # vectors of two models are never mixed
    assert (await other.embed(embedder, [])).shape == (0, 64)
    await other.aclose()
    assert (tmp_path / "cache.db").stat().st_mode & 0o777 == 0o600


async def test_what_is_forgotten_leaves_no_byte_and_is_embedded_again(cache, tmp_path):
    embedder = CostlyEmbedder()
    assert await cache.forget(["hash-of-a"]) == 0
    vector, kept = await cache.embed(embedder, chunks("a", "b"))
    assert await cache.forget(["hash-of-a", "missing"]) == 1
    left = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"hash-of-a" not in left and vector.tobytes() not in left
    assert b"hash-of-b" in left and kept.tobytes() in left
    await cache.embed(embedder, chunks("a", "b"))
    assert embedder.texts == 3


def test_what_was_not_asked_for_longest_goes_first(tmp_path):
    days = [0.0]
    file = VectorFile.open(tmp_path / "cache.db", 400_000, lambda: days[0] * 86_400)
    names = [f"{number:04}" for number in range(600)]
    for at, name in enumerate(names):
        days[0] = at // 10
        file.put("m", {name: np.full(256, at, np.float32)})
        file.get("m", ["0000"])
        assert (tmp_path / "cache.db").stat().st_size < 500_000
    held = file.get("m", names)
    assert 200 < len(held) < 400
    assert "0000" in held  # the oldest, and asked for each day
    assert {*names[-150:]} < held.keys()
    assert held["0599"].tolist() == [599.0] * 256
    file.close()


async def test_a_damaged_cache_is_begun_anew_and_one_that_cannot_be_used_is_done_without(tmp_path):
    embedder, path = CostlyEmbedder(), tmp_path / "cache.db"
    path.write_bytes(b"no database" * 900)
    cache = VectorCache(path)
    with pytest.warns(RuntimeWarning, match="was damaged"):
        await cache.embed(embedder, chunks("a"))
    await cache.embed(embedder, chunks("a"))
    assert embedder.texts == 1
    await cache.forget(["hash-of-a"])
    assert not Path(f"{path}.damaged").exists()
    await cache.aclose()
    (tmp_path / "folder").mkdir()
    unusable = VectorCache(tmp_path / "folder")
    with pytest.warns(RuntimeWarning, match="not shared"):
        assert (await unusable.embed(embedder, chunks("a", "b"))).shape == (2, 64)
    await unusable.aclose()
    shutil.rmtree(tmp_path / "folder")


async def test_what_an_embedder_made_before_it_failed_is_held(cache):
    failing = CostlyEmbedder(most=3)
    await cache.embed(failing, chunks("a", "b"))
    with pytest.raises(ModelUnavailable):
        await cache.embed(failing, chunks("a", "b", "c", "d"))
    healthy = CostlyEmbedder()
    await cache.embed(healthy, chunks("a", "b", "c"))
    assert healthy.texts == 1
