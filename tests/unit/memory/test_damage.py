"""Real damage to real files: what was learnt outlives it, the index is made again, and nothing is lost in silence."""

import asyncio
import contextlib
import os
from pathlib import Path

import pytest

from agentinfra.core.errors import DamagedStore, StoreError
from agentinfra.memory.damage import aside, identity, remove_aside, set_aside
from agentinfra.memory.database import open_database
from agentinfra.memory.long_term_memory import LongTermMemory
from agentinfra.memory.record_copy import RecordCopy
from agentinfra.memory.store import MemoryStore
from agentinfra.memory.store_thread import StoreThread
from agentinfra.memory.workspace_memory import WorkspaceMemory

LESSONS = sorted(f"lesson {number:02}: the server needs port {number}; {number * 37:060}" for number in range(40))
PAGE = 4096


def spoil_header(path: Path) -> None:
    path.write_bytes(b"broken " * 20 + path.read_bytes()[140:])


def spoil_middle(path: Path) -> None:
    """All pages but the first and the last."""
    content = path.read_bytes()
    assert len(content) > 3 * PAGE
    path.write_bytes(content[:PAGE] + os.urandom(len(content) - 2 * PAGE) + content[-PAGE:])


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2 + 100)


def empty(path: Path) -> None:
    os.truncate(path, 0)


def garbage(path: Path) -> None:
    path.write_bytes(os.urandom(50_000))


DAMAGES = [spoil_header, spoil_middle, cut, empty, garbage]


async def learn(path: Path) -> list[str]:
    memory = LongTermMemory(path, embedder=None)
    ids = [await memory.astore(lesson) for lesson in LESSONS]
    await memory.aclose()
    return ids


async def held(path: Path) -> list[str]:
    memory = LongTermMemory(path, embedder=None)
    try:
        return sorted(record.text for record in await memory.records())
    finally:
        await memory.aclose()


@pytest.mark.parametrize("damage", DAMAGES)
async def test_lessons_outlive_a_damaged_file(tmp_path: Path, damage) -> None:
    path = tmp_path / "memory.db"
    await learn(path)
    damage(path)
    spoilt = path.read_bytes()
    with pytest.warns(RuntimeWarning, match="damaged|restored from their copy"):
        assert await held(path) == LESSONS
    assert await held(path) == LESSONS
    if spoilt:
        assert aside(path).read_bytes() == spoilt  # nothing is thrown away: it may hold what the copy has not
    assert path.stat().st_mode & 0o777 == RecordCopy(path).path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("damage", [spoil_middle, garbage])
async def test_a_file_that_is_damaged_while_it_is_open_is_made_again_at_once(tmp_path: Path, damage) -> None:
    path = tmp_path / "memory.db"
    await learn(path)
    memory = LongTermMemory(path, embedder=None)
    await memory.records()
    damage(path)
    open_again = LongTermMemory(path, embedder=None)  # its cache is cold: it is the one that notices
    with pytest.warns(RuntimeWarning, match="damaged|restored"):
        await open_again.astore("one more")
    assert len(await memory.records()) == len(LESSONS) + 1  # follows to the new file
    await memory.astore("and another")
    assert len(await open_again.records()) == len(LESSONS) + 2
    for one in (memory, open_again):
        await one.aclose()


async def test_what_a_lost_log_held_comes_back_from_the_copy(tmp_path: Path) -> None:
    path = tmp_path / "memory.db"
    await learn(path)
    writer = LongTermMemory(path, embedder=None)
    only_in_log = ["only in the log yet", "this one too"]
    for lesson in only_in_log:
        await writer.astore(lesson)
    log, database = Path(f"{path}-wal").read_bytes(), path.read_bytes()
    await writer.aclose()
    for spoilt in (os.urandom(len(log)), b"", log[: len(log) // 2]):
        path.write_bytes(database)
        Path(f"{path}-wal").write_bytes(spoilt)
        with pytest.warns(RuntimeWarning, match="had lost changes"):
            assert await held(path) == [*LESSONS, *only_in_log]


async def test_a_change_whose_process_ended_before_it_was_whole_is_made_without_a_word(tmp_path: Path) -> None:
    path = tmp_path / "memory.db"
    await learn(path)
    before = path.read_bytes()
    writer = LongTermMemory(path, embedder=None)
    await writer.astore("only in the copy")
    await writer.aclose()
    path.write_bytes(before)
    assert await held(path) == [*LESSONS, "only in the copy"]  # a warning would fail the test


async def test_a_damaged_copy_is_made_again_from_the_file(tmp_path: Path) -> None:
    path = tmp_path / "memory.db"
    await learn(path)
    copy = RecordCopy(path)
    good = copy.read()
    for spoilt in (b"", b"{", b"[]", b'{"revision": "x"}', os.urandom(900)):
        copy.path.write_bytes(spoilt)
        assert copy.read() is None
        assert await held(path) == LESSONS
        again = copy.read()
        assert again is not None and good is not None and again.records == good.records
    copy.path.write_bytes(copy.path.read_bytes().replace(b"port 7", b"port 8"))  # whole lines, other content
    assert copy.read() is None


async def test_a_record_that_is_no_record_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "memory.db"
    await learn(path)
    connection = open_database(path)
    connection.execute("UPDATE memories SET record = '{' WHERE id = (SELECT max(id) FROM memories)")
    connection.close()
    with pytest.warns(RuntimeWarning, match="damaged|restored"):
        assert await held(path) == LESSONS


async def test_a_newer_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "memory.db"
    await learn(path)
    connection = open_database(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StoreError, match=r"version 99.*newer program"):
        await held(path)
    for read_only in (True, False):
        with pytest.raises(StoreError, match="version 99"):
            MemoryStore.open(path, read_only=read_only)
    assert not aside(path).exists()


@pytest.mark.parametrize("damage", DAMAGES)
async def test_a_damaged_index_is_made_again_and_lessons_stay(tmp_path: Path, damage) -> None:
    root = tmp_path / "workspace"
    root.mkdir()
    for number in range(40):
        (root / f"m{number}.py").write_text(f"def brew_{number}(cups):\n    return cups * {number}\n" * 9)
    memory = WorkspaceMemory.open(root, data=tmp_path / "data")
    files = (await memory.index()).files
    await memory.aclose()
    (path,) = (tmp_path / "data").glob("workspaces/*/memory.db")
    await learn(path)
    damage(path)
    memory = WorkspaceMemory.open(root, data=tmp_path / "data")
    with contextlib.nullcontext() if damage is empty else pytest.warns(RuntimeWarning, match="is made again"):
        hits = [] if damage is empty else await memory.search("brew_7", 3)
        assert damage is empty or hits[0].path == "m7.py"
        assert (await memory.index()).files == files
    assert (await memory.search("brew_7"))[0].path == "m7.py"
    await memory.aclose()
    with pytest.warns(RuntimeWarning, match="damaged|restored"):
        assert await held(path) == LESSONS
    store = MemoryStore.open(path)
    assert store._connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    store.close()


def test_only_the_file_that_was_seen_is_moved(tmp_path: Path) -> None:
    path = tmp_path / "memory.db"
    path.write_text("old")
    seen = identity(path)
    path.rename(tmp_path / "elsewhere")
    path.write_text("new")
    assert not set_aside(path, seen)
    assert not set_aside(path, None)
    assert path.read_text() == "new"
    Path(f"{path}-wal").write_text("its log")  # a new database would take it for its own
    with pytest.warns(RuntimeWarning, match=r"moved to memory\.db\.damaged"):
        assert set_aside(path, identity(path))
    assert {one.name for one in tmp_path.iterdir()} == {"memory.db.damaged", "memory.db.damaged-wal", "elsewhere"}
    assert aside(path).read_text() == "new"
    remove_aside(path)
    assert {one.name for one in tmp_path.iterdir()} == {"elsewhere"}


async def test_a_reader_does_not_move_what_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "memory.db"
    path.write_bytes(b"no database" * 1000)
    thread = StoreThread(lambda: MemoryStore.open(path, read_only=True))
    with pytest.raises(DamagedStore, match="is damaged"):
        await thread.run(lambda store: store.stamps())
    assert path.exists()
    await asyncio.wait_for(thread.aclose(), 10)
