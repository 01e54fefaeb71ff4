"""What is forgotten is nowhere: the bytes of all files are searched, those of copies, logs and caches included."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from agentinfra.core.config import workspace_folder
from agentinfra.core.errors import StoreError
from agentinfra.memory.database import open_database
from agentinfra.memory.long_term_memory import LongTermMemory, project_memory
from agentinfra.memory.statement import Statement
from agentinfra.memory.store import MemoryStore
from agentinfra.memory.workspace_memory import WorkspaceMemory
from tests.unit.memory.test_vector_cache import CostlyEmbedder

MARKER = "zqxjkvbp"


def holding(folder: Path, marker: bytes = MARKER.encode()) -> list[str]:
    """The files in which the marker stands, in any case."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return sorted(path.name for path in files if marker in path.read_bytes().lower())


def kept_vectors(data: Path) -> list[bytes]:
    """All that the cache of vectors holds."""
    connection = open_database(data / "vector-cache.db", read_only=True)
    try:
        return [vector for (vector,) in connection.execute("SELECT vector FROM vectors")]
    finally:
        connection.close()


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "workspace"
    folder.mkdir()
    for number in range(30):
        text = f"def {MARKER}_{number}(cups):\n    return '{MARKER}' * {number}\n"
        (folder / f"{MARKER}{number}.py").write_text(text * 9)
    (folder / f"{MARKER}.png").write_bytes(b"\0")
    return folder


async def test_a_forgotten_index_is_nowhere_and_lessons_stay(root, tmp_path):
    embedder, better, data = CostlyEmbedder(), CostlyEmbedder(), tmp_path / "data"
    better.name = "better"
    memory = WorkspaceMemory.open(root, data=data, embedder=embedder, better=better)
    lessons = project_memory(root, data)
    kept = await lessons.astore("the door is blue")
    await memory.index()
    (root / f"{MARKER}1.py").write_text(f"{MARKER} = 1\n")  # what was there before is only in the log and in free pages
    await memory.index()
    assert await memory.index_buffer(f"{MARKER}2.py", f"{MARKER} = 'unsaved'\n")
    assert await memory.improve() > 0
    path = workspace_folder(root, data) / "memory.db"
    Path(f"{path}.damaged-wal").write_bytes(Path(f"{path}-wal").read_bytes())
    vectors = [vector.tobytes() for vector in await embedder.embed([f"{MARKER} = 1\n"])] + kept_vectors(data)
    assert len(vectors) > 60  # of both embedders, and those of what was there before
    assert {"memory.db-wal", "memory.db.damaged-wal"} <= {*holding(data)}
    assert "vector-cache.db" in {path.name for path in data.iterdir()}
    await memory.forget()
    assert holding(data) == []
    left = b"".join(path.read_bytes() for path in data.rglob("*") if path.is_file())
    assert not any(vector in left for vector in vectors)
    assert [record.id for record in await lessons.records()] == [kept]
    for one in (memory, lessons):
        await one.aclose()
    assert holding(data) == []


async def test_vectors_of_what_an_earlier_index_held_are_forgotten_too(root, tmp_path):
    embedder, data = CostlyEmbedder(), tmp_path / "data"
    for path in ([], root.glob("*1.py")):
        for one in path:
            one.unlink()
        for file in workspace_folder(root, data).glob("memory.db*"):
            file.unlink()  # as after damage: the new index knows nothing of the files that are gone
        memory = WorkspaceMemory.open(root, data=data, embedder=embedder)
        await memory.index()
        await memory.aclose()
    assert len(kept_vectors(data)) == 30
    memory = WorkspaceMemory.open(root, data=data, embedder=embedder)
    await memory.forget()
    await memory.aclose()
    assert kept_vectors(data) == []


async def test_forgotten_lessons_of_a_workspace_and_of_the_user_are_nowhere(root, tmp_path):
    data = tmp_path / "data"
    memory = project_memory(root, data)
    for place in (memory, memory.above):
        for number in range(40):
            await place.remember(Statement("fact", f"lesson {number} {'x' * 300}", f"subject {number}"))
        ids = [(await place.remember(Statement("fact", f"{MARKER} is {word}", MARKER))).id for word in ("old", "new")]
        path = Path(f"{place.path}.damaged")
        path.write_bytes(MARKER.encode())
        assert {place.path.name + end for end in ("-wal", ".records", ".damaged")} <= {*holding(place.path.parent)}
        assert await place.forget(ids) == 2
        assert len(await place.records()) == 40
    assert holding(data) == []
    await memory.aclose()
    assert holding(data) == []


async def test_while_someone_reads_what_was_there_it_is_told_and_finished_at_the_next_opening(tmp_path, monkeypatch):
    monkeypatch.setattr("agentinfra.memory.database.BUSY_MILLISECONDS", 50)
    path = tmp_path / "memory.db"
    memory = LongTermMemory(path, embedder=None)
    forgotten = await memory.astore(f"{MARKER} is here")
    reader = MemoryStore.open(path)
    reader._connection.execute("BEGIN")
    reader._connection.execute("SELECT count(*) FROM memories").fetchone()
    with pytest.raises(StoreError, match=r"forgotten|locked|busy"):
        await memory.forget([forgotten])
    assert await memory.records() == []
    reader._connection.execute("COMMIT")
    reader.close()
    await memory.aclose()
    again = LongTermMemory(path, embedder=None)
    assert await again.records() == []
    assert holding(tmp_path) == []
    await again.aclose()


KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from agentinfra.memory import record_store
from agentinfra.memory.long_term_memory import LongTermMemory
record_store.leave_no_byte = lambda _: os.kill(os.getpid(), signal.SIGKILL)
async def main():
    memory = LongTermMemory(Path(sys.argv[1]), embedder=None)
    await memory.forget([record.id for record in await memory.records()])
asyncio.run(main())
"""


async def test_a_forgetting_that_was_killed_is_finished_at_the_next_opening(tmp_path):
    path = tmp_path / "memory.db"
    memory = LongTermMemory(path, embedder=None)
    await memory.astore(f"{MARKER} is here")
    await memory.aclose()
    subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
    assert holding(tmp_path) != []
    memory = LongTermMemory(path, embedder=None)
    assert await memory.records() == []
    assert holding(tmp_path) == []
    await memory.aclose()


def test_the_commands_forget(root, tmp_path):
    data = tmp_path / "data"
    environment = {**os.environ, "AGENTINFRA_DATA_DIR": str(data)}

    def told(*arguments):
        command = [Path(sys.executable).with_name("agentinfra"), *arguments, "-w", root]
        return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout

    ids = [told("memory", "add", f"{MARKER} of the project").split()[-1]]
    ids += [told("memory", "add", f"{MARKER} of the user", "--user").split()[-1]]
    told("index")
    assert len(holding(data)) >= 4
    assert told("memory", "forget", *ids) == "Forgot 2\n"
    told("index", "--forget")
    assert holding(data) == []


async def test_a_second_clone_does_not_embed_again_until_it_is_forgotten(root, tmp_path):
    embedder, data = CostlyEmbedder(), tmp_path / "data"
    clone = tmp_path / "clone"
    clone.mkdir()
    for path in root.iterdir():
        (clone / path.name).write_bytes(path.read_bytes())
    calls, vectors = [], []
    for place in (root, clone):
        memory = WorkspaceMemory.open(place, data=data, embedder=embedder)
        vectors.append((await memory.index()).vectors)
        calls.append(embedder.texts)
        (hit, *_) = await memory.search(f"{MARKER}_7")
        assert hit.path == f"{MARKER}7.py"
        calls.append(embedder.texts)  # one for the query
        if place == clone:
            await memory.forget()
            await memory.index()
            calls.append(embedder.texts)
        await memory.aclose()
    first, asked, second, again, anew = calls
    assert vectors == [first, first] and first >= 30
    assert (asked, second, again, anew) == (first + 1, first + 1, first + 2, 2 * first + 2)


async def test_forgetting_without_sqlite_vec_leaves_nothing_either(root, tmp_path, monkeypatch):
    memory = WorkspaceMemory.open(root, data=tmp_path / "data")
    await memory.index()
    await memory.aclose()
    monkeypatch.setattr("sqlite_vec.loadable_path", lambda: str(tmp_path / "missing-2"))
    memory = WorkspaceMemory.open(root, data=tmp_path / "data")
    with pytest.warns(RuntimeWarning, match="sqlite-vec cannot be loaded"):
        await memory.forget()
    await memory.aclose()
    monkeypatch.undo()
    assert holding(tmp_path / "data") == []
    path = workspace_folder(root, tmp_path / "data") / "memory.db"
    store = MemoryStore.open(path)
    store.check()
    assert (
        store._connection.execute("SELECT name FROM sqlite_schema WHERE name LIKE 'bits!_%' ESCAPE '!'").fetchone()
        is None
    )
    store.put_vectors("m", ["h"], np.ones((1, 8), np.float32) / np.sqrt(8).astype(np.float32))
    store.close()
