import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest

from agentinfra.core.errors import ModelUnavailable
from agentinfra.memory.chunk_hashes import chunk_hashes
from agentinfra.memory.vector_cache import VectorCache, VectorFile
from agentinfra.memory.workspace_memory import WorkspaceMemory


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
    vector, other = await cache.embed(embedder, chunks("a", "b"))
    assert await cache.forget(["hash-of-a", "missing"]) == 2  # no workspace holds the other one either
    left = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"hash-of-" not in left and vector.tobytes() not in left and other.tobytes() not in left
    await cache.embed(embedder, chunks("a", "b"))
    assert embedder.texts == 4


def test_what_another_workspace_holds_is_not_forgotten(tmp_path):
    file = VectorFile.open(tmp_path / "cache.db", in_use=lambda: ["kept", "forgotten"])
    vectors = {name: np.full(256, at, np.float32) for at, name in enumerate(("kept", "forgotten", "vanished"))}
    for _ in range(2):
        file.put("m", vectors)
        assert file.forget(["forgotten"]) == 2
        assert file.get("m", vectors).keys() == {"kept"}
    left = b"".join(one.read_bytes() for one in tmp_path.iterdir())
    assert [name for name, vector in vectors.items() if vector.tobytes() in left] == ["kept"]
    file.close()


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


def numbered(first, count):
    return {f"{number:04}": np.full(256, number, np.float32) for number in range(first, first + count)}


def test_of_chunks_that_are_in_no_workspace_any_more_the_vectors_go_first(tmp_path):
    days = [0]
    old, vanished, new = numbered(0, 100), numbered(100, 150), numbered(250, 120)
    file = VectorFile.open(tmp_path / "cache.db", 400_000, lambda: days[0] * 86_400, lambda: [*old, *old, *new])
    for days[0], vectors in enumerate((old, vanished, new)):
        file.put("m", vectors)
    assert len(file.get("m", vanished)) < 50
    assert (file.get("m", old).keys(), file.get("m", new).keys()) == (old.keys(), new.keys())
    file.close()


def test_what_a_wrong_clock_dated_does_not_push_out_what_is_used_today(tmp_path):
    days = [99_999]
    file = VectorFile.open(tmp_path / "cache.db", 400_000, lambda: days[0] * 86_400)
    file.put("m", numbered(0, 250))
    days[0] = 20_000
    file.get("m", ["0007"])
    for first in range(250, 400, 10):
        file.put("m", numbered(first, 10))
    assert file.get("m", numbered(250, 150)).keys() == numbered(250, 150).keys()
    assert file.get("m", ["0007"])
    file.close()


def test_the_file_and_its_log_stay_within_the_limit_and_one_that_is_too_small_holds_nothing(tmp_path):
    file = VectorFile.open(tmp_path / "cache.db", 8 << 20)
    for first in range(0, 40_000, 1_000):
        file.put("m", {f"{number:040}": np.full(256, number, np.float32) for number in range(first, first + 1_000)})
        assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 24 << 20
    file.close()
    assert (tmp_path / "cache.db").stat().st_size < 10 << 20
    small = VectorFile.open(tmp_path / "small.db", 1)
    small.put("m", numbered(0, 3))
    assert small.get("m", numbered(0, 3)) == {}
    small.close()


async def test_the_workspaces_beside_it_say_what_is_in_use(tmp_path):
    embedder, root = CostlyEmbedder(), tmp_path / "workspace"
    root.mkdir()
    for number in range(40):
        (root / f"m{number}.py").write_text(f"def brew_{number}(cups):\n    return cups\n")
    memory = WorkspaceMemory.open(root, data=tmp_path, embedder=embedder)
    await memory.index()
    for name, content in (("damaged", b"no database" * 900), ("empty", b"")):
        (tmp_path / "workspaces" / name).mkdir()
        (tmp_path / "workspaces" / name / "memory.db").write_bytes(content)
    held = set(chunk_hashes(tmp_path))
    assert len(held) == 40
    cache = VectorCache(tmp_path / "vector-cache.db", 200_000)
    for number in range(0, 1_000, 50):  # of an editor's text, say, that was never saved
        await cache.embed(embedder, chunks(*range(number, number + 50)))
    await cache.aclose()
    file = VectorFile.open(tmp_path / "vector-cache.db")
    assert file.get(embedder.name, held).keys() == held
    assert len(file.get(embedder.name, [f"hash-of-{number}" for number in range(1_000)])) < 900
    file.close()
    await memory.aclose()


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
