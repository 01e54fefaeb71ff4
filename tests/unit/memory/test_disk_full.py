"""A disk without room, by SQLite's own limit and by the system's: told, nothing half written, and on it goes."""

import subprocess
import sys

import pytest

from agentinfra.core.errors import StoreError
from agentinfra.memory.parsing.parser import parse_file
from agentinfra.memory.record_copy import RecordCopy
from agentinfra.memory.record_store import SqliteRecordStore
from agentinfra.memory.records import MemoryRecord
from agentinfra.memory.store import FileStamp, MemoryStore
from agentinfra.memory.workspace_memory import WorkspaceMemory
from benchmarks.index_soak_workspace import content, faults

SOURCE = b"".join(b"def brew_%d(cups):\n    return cups * %d\n\n\n" % (number, number) for number in range(300))


def put(store, path):
    with store.transaction():
        store.put_file(path, FileStamp(1, len(SOURCE)), parse_file(path, SOURCE))


def limit(store, pages):
    """Of SQLite: fewer than there are already count as what there are."""
    store._connection.execute(f"PRAGMA max_page_count = {pages}")


def test_a_full_disk_is_told_leaves_the_index_whole_and_goes_on(tmp_path):
    store = MemoryStore.open(tmp_path / "memory.db")
    put(store, "first.py")
    limit(store, 1)
    with pytest.raises(StoreError, match=r"full.*Make room on the disk"):
        put(store, "second.py")
    assert list(store.stamps()) == ["first.py"]
    assert store.search_text("brew_7", 1)
    limit(store, 100_000)
    put(store, "second.py")
    store.check()
    assert list(store.stamps()) == ["first.py", "second.py"]
    store.close()
    assert faults(tmp_path / "memory.db") == []


def test_a_lesson_that_finds_no_room_is_neither_in_the_file_nor_in_its_copy(tmp_path):
    store = SqliteRecordStore.open(tmp_path / "memory.db")
    kept, big = MemoryRecord("1", "fact", "small"), MemoryRecord("2", "fact", "big" * 20_000)
    with store.transaction():
        store.put_memory(kept)
    limit(store, 1)
    with pytest.raises(StoreError, match="Make room"), store.transaction():
        store.put_memory(big)
    assert store.memories() == [kept]
    copy = RecordCopy(tmp_path / "memory.db").read()
    assert copy is not None and len(copy.records) == 1
    limit(store, 100_000)
    with store.transaction():
        store.put_memory(big)
    assert store.memories() == [kept, big]
    store.close()


def test_a_change_that_is_not_kept_in_the_end_is_not_in_the_copy_either(tmp_path):
    store = SqliteRecordStore.open(tmp_path / "memory.db")
    kept = MemoryRecord("1", "fact", "kept")
    with store.transaction():
        store.put_memory(kept)
    before = RecordCopy(tmp_path / "memory.db").path.read_bytes()
    # Something that only the end of the transaction finds out, as it does a disk that is full by then.
    store._connection.execute("PRAGMA foreign_keys = ON")
    store._connection.execute("CREATE TABLE late (id REFERENCES memories (id) DEFERRABLE INITIALLY DEFERRED)")
    with pytest.raises(StoreError, match="constraint"), store.transaction():
        store.put_memory(MemoryRecord("2", "fact", "lost"))
        store._connection.execute("INSERT INTO late VALUES ('nobody')")
    assert store.memories() == [kept]
    assert RecordCopy(tmp_path / "memory.db").path.read_bytes() == before
    store.close()


PROGRAM = """
import asyncio, resource, sys
from pathlib import Path
from agentinfra.core.errors import StoreError
from agentinfra.memory.workspace_memory import WorkspaceMemory
async def main():
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
    memory = WorkspaceMemory.open(Path(sys.argv[1]), data=Path(sys.argv[2]))
    try:
        await memory.index()
    except StoreError as error:
        print(error)
    await memory.aclose()
asyncio.run(main())
"""


async def test_files_that_may_not_grow_are_told_and_indexed_once_they_may(tmp_path):
    root = tmp_path / "workspace"
    root.mkdir()
    for number in range(150):
        (root / f"m{number}.py").write_bytes(SOURCE[: 40 * number])
    command = [sys.executable, "-c", PROGRAM, str(root), str(tmp_path / "data")]
    full = subprocess.run(command, check=True, capture_output=True, text=True)
    assert "Make room on the disk" in full.stdout
    assert full.stderr == ""
    (path,) = (tmp_path / "data").glob("workspaces/*/memory.db")
    assert faults(path) == []
    for data in ("data", "peace"):
        memory = WorkspaceMemory.open(root, data=tmp_path / data)
        assert (await memory.index()).files == 150
        await memory.aclose()
    (peace,) = (tmp_path / "peace").glob("workspaces/*/memory.db")
    assert content(path) == content(peace)
