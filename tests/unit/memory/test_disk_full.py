"""A disk without room, by SQLite's own limit, the system's, and a real one: told, nothing half written, on it goes."""

import subprocess
import sys
from pathlib import Path

import pytest

from agentinfra.core.errors import StoreError
from agentinfra.memory.parsing.parser import parse_file
from agentinfra.memory.record_copy import RecordCopy
from agentinfra.memory.record_store import SqliteRecordStore
from agentinfra.memory.records import MemoryRecord
from agentinfra.memory.store import FileStamp, MemoryStore
from agentinfra.memory.workspace_memory import WorkspaceMemory
from benchmarks.index_soak_workspace import content, faults

PROJECT = Path(__file__).parents[3]
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


FULL = """
import asyncio, sys, time
from contextlib import suppress
from pathlib import Path
from agentinfra.core.errors import StoreError
from agentinfra.memory.long_term_memory import LongTermMemory
from agentinfra.memory.workspace_memory import WorkspaceMemory
from benchmarks.index_soak_workspace import faults

async def refused(work):
    try:
        await work
    except StoreError as error:
        return "Make room on the disk" in str(error)

def fill(ballast):
    with suppress(OSError), ballast.open("ab", buffering=0) as file:
        while file.write(bytes(1000)):
            pass

def opened(root, data, days):
    clock = lambda: time.time() + days * 86_400
    return WorkspaceMemory.open(root, data=data), LongTermMemory(data / "memory.db", embedder=None, clock=clock)

async def asked(memory, lessons):
    found = [hit.path for hit in await memory.search("brew_1", 1)]
    print(found, [one.record.text for one in await lessons.recall("tea")])

async def main(root, data):
    (root.parent / "elsewhere").mkdir()
    files = [path.rename(root.parent / "elsewhere" / path.name) for path in sorted(root.iterdir())[5:]]
    memory, lessons = opened(root, data, 0)
    print((await memory.index()).files, bool(await lessons.astore("tea is hot")))
    await lessons.aclose()
    later = opened(root, data, 9)[1]
    await asked(memory, later)
    for path in files:
        path.rename(root / path.name)
    await later.aclose()
    later = opened(root, data, 99)[1]
    await later.records()
    fill(data / "ballast")
    print(await refused(memory.index()), await refused(later.astore("tea " * 2000)))
    await asked(memory, later)  # marks the memory as used, for which there is no room
    for one in (memory, later):
        await one.aclose()
    fill(data / "ballast")
    memory, lessons = opened(root, data, 99)
    print({await refused(memory.search("brew_1")), await refused(lessons.records())} <= {None, True})
    (data / "ballast").unlink()
    print((await memory.index()).files, bool(await lessons.astore("tea is brown")))
    await asked(memory, lessons)
    for one in (memory, lessons):
        await one.aclose()
    print([fault for path in data.glob("workspaces/*/memory.db") for fault in faults(path)])

asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
"""


def test_a_disk_that_is_full_is_told_and_what_is_open_goes_on_answering(tmp_path):
    root, data = tmp_path / "workspace", tmp_path / "data"
    root.mkdir()
    data.mkdir()
    for number in range(100, 200):
        (root / f"m{number}.py").write_bytes(b"# %d\n" % number + SOURCE[:5000])
    disk = ["/usr/bin/bwrap", "--unshare-user", "--dev-bind", "/", "/", "--size", str(8 << 20), "--tmpfs", str(data)]
    done = subprocess.run(
        [*disk, "--die-with-parent", "--", sys.executable, "-c", FULL, str(root), str(data)],
        cwd=PROJECT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "5 True",
        "['m100.py'] ['tea is hot']",
        "True True",
        "['m100.py'] ['tea is hot']",
        "True",  # opened while it is full: answered or told, as there is room for the index of the log or not
        "100 True",
        "['m100.py'] ['tea is brown', 'tea is hot']",
        "[]",
    ]
