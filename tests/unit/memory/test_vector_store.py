from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from agentinfra.core.errors import InputError, StoreError
from agentinfra.memory.sqlite_vector_store import SqliteVectorStore
from agentinfra.memory.vector_store import NumpyVectorStore, VectorEntry, VectorStore

M = "m"
pytestmark = pytest.mark.filterwarnings("ignore:sqlite-vec cannot be loaded")


def rows(*values: tuple[float, ...]) -> np.ndarray:
    array = np.array(values, dtype=np.float32)
    return array / np.linalg.norm(array, axis=1, keepdims=True)


@pytest.fixture(params=["numpy", "sqlite", "sqlite without sqlite-vec"])
async def store(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[VectorStore]:
    if request.param == "numpy":
        yield NumpyVectorStore()
        return
    if "without" in request.param:
        monkeypatch.setattr("sqlite_vec.loadable_path", lambda: str(tmp_path / "missing"))
    opened = SqliteVectorStore(tmp_path / "vectors.db")
    yield opened
    await opened.aclose()


def entries(*ids: str, **metadata: str) -> list[VectorEntry]:
    return [VectorEntry(one, f"text {one}", metadata) for one in ids]


async def found(store: VectorStore, *vector: float, k: int = 9, model: str = M, **where: object) -> list[str]:
    return [match.entry.id for match in await store.search(model, rows(vector)[0], k, where)]


async def test_the_nearest_come_first_with_their_cosine(store: VectorStore) -> None:
    await store.put(M, entries("a", "b", "c"), rows((1, 0), (0, 1), (1, 1)))
    matches = await store.search(M, rows((1, 0.1))[0], 2, {})
    assert [match.entry.id for match in matches] == ["a", "c"]
    assert matches[0].score == pytest.approx(float(rows((1, 0))[0] @ rows((1, 0.1))[0]), abs=1e-6)
    assert matches[0].entry == VectorEntry("a", "text a", {})


async def test_filters_are_applied_before_the_nearest_are_counted(store: VectorStore) -> None:
    await store.put(M, entries("a", "b", kind="x"), rows((1, 0), (1, 0.1)))
    await store.put(M, entries("c", kind="y"), rows((0, 1)))
    await store.put(M, entries("d"), rows((1, 0)))
    assert await found(store, 1, 0, k=1, kind="y") == ["c"]
    assert await found(store, 1, 0, kind=["x", "y"]) == ["a", "b", "c"]
    assert await found(store, 1, 0, kind="z") == []


async def test_an_entry_that_is_put_again_is_another_one(store: VectorStore) -> None:
    await store.put(M, entries("a", "b"), rows((1, 0), (0.9, 0.1)))
    await store.put("other", entries("a"), rows((1, 0, 0)))
    await store.put(M, [VectorEntry("a", "new text", {"n": 1})], rows((0, 1)))
    assert await found(store, 1, 0) == ["b", "a"]
    assert await found(store, 0, 1, k=1, n=1) == ["a"]
    assert await found(store, 1, 0, 0, model="other") == []  # of the old text


async def test_models_are_never_mixed_and_know_what_they_lack(store: VectorStore) -> None:
    await store.put(M, entries("a", "b"), rows((1, 0), (0, 1)))
    await store.put("other", entries("a"), rows((1, 0, 0)))
    assert await found(store, 1, 0, 0, model="other") == ["a"]
    assert [entry.id for entry in await store.missing("other", 9)] == ["b"]
    assert len(await store.missing("third", 1)) == 1
    assert await store.missing(M, 9) == []


async def test_what_is_removed_is_not_found(store: VectorStore) -> None:
    await store.put(M, entries("a", "b"), rows((1, 0), (0, 1)))
    assert await store.remove(["a", "missing"]) == 1
    assert await found(store, 1, 0) == ["b"]
    assert await store.remove(["a"]) == 0


async def test_an_empty_store_finds_nothing(store: VectorStore) -> None:
    assert await found(store, 1, 0) == []
    await store.put(M, entries("a"), rows((1, 0)))
    assert await found(store, 1, 0, k=0) == []


@pytest.mark.parametrize("wrong", [rows((1, 0), (0, 1)), rows((1, 0, 0)), np.zeros((1, 0)), np.full((1, 2), np.nan)])
async def test_vectors_that_do_not_belong_to_the_entries_are_refused(store: VectorStore, wrong: np.ndarray) -> None:
    await store.put(M, entries("a"), rows((1, 0)))
    with pytest.raises(InputError):
        await store.put(M, entries("b"), wrong.astype(np.float32))
    assert await found(store, 1, 0) == ["a"]


async def test_a_file_is_private_outlives_its_process_and_keeps_no_byte_of_what_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "private" / "vectors.db"
    first = SqliteVectorStore(path)
    await first.put(M, [VectorEntry("a", "xyzzy plugh", {"of": "x"}), VectorEntry("b", "b")], rows((1, 0), (0, 1)))
    await first.aclose()
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    second = SqliteVectorStore(path)
    assert (await second.search(M, rows((1, 0))[0], 1, {}))[0].entry.metadata == {"of": "x"}
    assert await second.remove(["a"]) == 1
    assert not any(b"xyzzy" in file.read_bytes() for file in path.parent.iterdir())
    await second.aclose()


async def test_a_damaged_file_is_moved_aside_and_a_folder_in_its_place_is_an_error_that_helps(tmp_path: Path) -> None:
    (tmp_path / "vectors.db").write_text("no database" * 100)
    damaged = SqliteVectorStore(tmp_path / "vectors.db")
    with pytest.warns(RuntimeWarning, match=r"moved to vectors\.db\.damaged"):
        assert await damaged.search(M, rows((1, 0))[0], 1, {}) == []
    await damaged.aclose()
    assert (tmp_path / "vectors.db.damaged").read_text().startswith("no database")
    (tmp_path / "folder").mkdir()
    with pytest.raises(StoreError, match="cannot be used"):
        await SqliteVectorStore(tmp_path / "folder").search(M, rows((1, 0))[0], 1, {})


async def test_what_can_be_read_of_a_damaged_file_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "memory.db"
    first = SqliteVectorStore(path)
    many = [VectorEntry(f"{number:03}", f"text {number} {'x' * 200}", {"n": number}) for number in range(300)]
    await first.put(M, many, rows(*[(1, number) for number in range(300)]))
    await first.aclose()
    content = path.read_bytes()
    at = content.index(b"text 150 ") // 4096 * 4096
    path.write_bytes(content[:at] + bytes(4096) + content[at + 4096 :])
    second = SqliteVectorStore(path)
    with pytest.warns(RuntimeWarning, match="was damaged"):
        left = await second.missing("another model", 999)
    assert 270 < len(left) < 300
    assert {"000", "299"} < {entry.id for entry in left}
    assert all(entry in many for entry in left)
    assert await second.remove([entry.id for entry in left]) == len(left)
    assert not any(b"text 7" in file.read_bytes() for file in tmp_path.iterdir())
    await second.aclose()
