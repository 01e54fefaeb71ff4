"""Several processes at one file: they write in turn, read beside each other, and die without leaving a lock."""

import subprocess
import sys
import time

import pytest

from agentinfra.memory.long_term_memory import LongTermMemory
from agentinfra.memory.scopes import Scope
from agentinfra.memory.store import MemoryStore
from agentinfra.memory.workspace_memory import WorkspaceMemory
from benchmarks.index_soak_workspace import content, faults

INDEX = """
import asyncio, sys
from pathlib import Path
from agentinfra.memory.long_term_memory import project_memory
from agentinfra.memory.workspace_memory import WorkspaceMemory
async def main(root, data):
    memory, lessons = WorkspaceMemory.open(root, data=data), project_memory(root, data)
    print("ready", flush=True)
    sys.stdin.readline()
    await asyncio.gather(memory.index(), *[lessons.astore(f"{sys.argv[3]} says {n}") for n in range(5)])
    assert await memory.search("brew_7")
    await memory.aclose()
    await lessons.aclose()
asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
"""
HOLD = """
import sys
from pathlib import Path
from agentinfra.memory.scopes import Scope
from agentinfra.memory.store import MemoryStore
store = MemoryStore.open(Path(sys.argv[1]))
with store.transaction():
    store.remove_files(store.stamps())
    print("holds", flush=True)
    sys.stdin.readline()
    raise SystemExit
"""


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "workspace"
    folder.mkdir()
    for number in range(150):
        (folder / f"m{number}.py").write_text(f"def brew_{number}(cups):\n    return cups * {number}\n" * 5)
    return folder


def started(program, *arguments):
    command = [sys.executable, "-c", program, *map(str, arguments)]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    process.stdout.readline()
    return process


async def test_processes_that_begin_a_file_and_index_into_it_at_once_all_succeed(root, tmp_path):
    both = [started(INDEX, root, tmp_path / "data", name) for name in "abc"]
    for process in both:  # all at once, on a file that is not there yet
        process.stdin.write("go\n")
        process.stdin.flush()
    assert [process.communicate(timeout=60) for process in both] == [("", "")] * 3
    (path,) = (tmp_path / "data").glob("workspaces/*/memory.db")
    assert faults(path) == []
    memory = WorkspaceMemory.open(root, data=tmp_path / "peace")
    await memory.index()
    await memory.aclose()
    (peace,) = (tmp_path / "peace").glob("workspaces/*/memory.db")
    assert content(path) == content(peace)
    lessons = LongTermMemory(path, scope=Scope(), embedder=None)
    held = {record.text for record in await lessons.records()}
    await lessons.aclose()
    assert held == {f"{name} says {number}" for name in "abc" for number in range(5)}


async def test_a_writer_that_is_killed_leaves_no_lock_and_nothing_half_written(root, tmp_path):
    memory = WorkspaceMemory.open(root, data=tmp_path / "data")
    await memory.index()
    (path,) = (tmp_path / "data").glob("workspaces/*/memory.db")
    writer = started(HOLD, path)
    reader = MemoryStore.open(path, read_only=True)
    assert len(reader.stamps()) == 150  # a reader does not wait, and sees what was there before
    assert (await memory.search("brew_7"))[0].path == "m7.py"
    writer.kill()
    writer.communicate()
    (root / "new.py").write_text("def steep(pot):\n    return pot\n")
    began = time.monotonic()
    assert (await memory.index()).files == 151
    assert time.monotonic() - began < 5  # nobody waited for a lock of the dead
    assert "new.py" in reader.stamps()
    reader.close()
    await memory.aclose()
    assert faults(path) == []
