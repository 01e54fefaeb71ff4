import os
import subprocess
import sys
import time

import pytest

from agentinfra.memory.database import open_database
from agentinfra.memory.indexer import MANY_CHUNKS
from agentinfra.memory.store import MemoryStore
from agentinfra.memory.workspace_memory import WorkspaceMemory

TEA = '"""Tea."""\n\n\ndef brew(cups):\n    """Boil water for tea."""\n    return cups * 2\n'

DEAR = {"chunks_of_hash", "definitions_of_symbol", "definitions_of_last", "uses_of_name"}
"""Indexes of the database that are made last."""


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "workspace"
    folder.mkdir()
    (folder / "tea.py").write_text(TEA)
    (folder / "README.md").write_text("# Kitchen\n\nHow to wash cups.\n")
    (folder / ".gitignore").write_text("secret.txt\n")
    (folder / "secret.txt").write_text("brew\n")
    (folder / "picture.png").write_bytes(b"\x89PNG\0\0")
    return folder


@pytest.fixture
async def memory(root, tmp_path):
    opened = WorkspaceMemory.open(root, data=tmp_path / "data")
    yield opened
    await opened.aclose()


async def found(memory, query, **which):
    return [hit.path for hit in await memory.search(query, **which)]


def indexes(store):
    return {name for (name,) in store._connection.execute("SELECT name FROM sqlite_schema WHERE type = 'index'")}


async def test_a_workspace_is_indexed_and_searched(memory):
    seen = []
    report = await memory.index(lambda done, total: seen.append((done, total)))
    assert report.changed == report.files
    assert report.vectors > 0
    assert seen[-1][0] == seen[-1][1]
    (hit, *_) = await memory.search("boiling water")
    assert (hit.path, hit.symbol) == ("tea.py", "brew")
    assert (await found(memory, "brew"))[0] == "tea.py"
    assert "secret.txt" not in await found(memory, "brew")
    assert (await found(memory, "how are cups cleaned", paths="*.md"))[0] == "README.md"
    assert list(await memory.skipped()) == ["picture.png"]


async def test_what_did_not_change_is_not_read_again(memory, root):
    await memory.index()
    assert (await memory.index()).changed == 0
    os.utime(root / "tea.py", (1, 1))  # another time, the same content
    report = await memory.index()
    assert (report.changed, report.chunks, report.vectors) == (0, 0, 0)


async def test_edits_new_files_and_removals_are_followed(memory, root):
    await memory.index()
    (root / "tea.py").write_text(TEA.replace("brew", "steep"))
    (root / "pot.py").write_text("def polish(pot):\n    return pot\n")
    (root / "README.md").unlink()
    report = await memory.index()
    assert (report.changed, report.removed) == (2, 1)
    assert [hit.symbol for hit in await memory.search("steep", 1)] == ["steep"]
    assert (await found(memory, "polish"))[0] == "pot.py"
    assert "README.md" not in await found(memory, "wash cups")


async def test_a_file_that_becomes_unfit_is_left_out(memory, root):
    await memory.index()
    (root / "tea.py").write_bytes(b"\0\0\0\0" + TEA.encode())
    await memory.index()
    assert "tea.py" not in await found(memory, "boil water")
    assert "tea.py" in await memory.skipped()


async def test_words_alone_do_without_vectors(root, tmp_path):
    plain = WorkspaceMemory.open(root, data=tmp_path / "plain", embedder=None)
    assert (await plain.index()).vectors == 0
    assert (await found(plain, "boil water"))[0] == "tea.py"
    await plain.aclose()


async def test_after_much_was_written_its_words_lie_together(root, tmp_path):
    body = "".join(f"    value = value + {number}\n" for number in range(12))
    for number in range(130):  # more than two batches
        functions = (f"def made_{number}_{at}(value):\n{body}" for at in range(40))
        (root / f"m{number}.py").write_text("\n".join(functions))
    memory = WorkspaceMemory.open(root, data=tmp_path / "data", embedder=None)
    assert (await memory.index()).chunks >= MANY_CHUNKS
    (path,) = tmp_path.glob("data/workspaces/*/memory.db")
    connection = open_database(path, read_only=True)
    assert list(connection.execute("SELECT count(DISTINCT segid) FROM words_idx")) == [(1,)]
    connection.close()
    assert "m77.py" in await found(memory, "made_77_3")
    await memory.aclose()


async def test_forgetting_empties_it_and_indexing_fills_it_again(memory):
    await memory.index()
    await memory.forget()
    assert await memory.search("brew") == []
    assert (await memory.index()).changed > 0
    assert (await found(memory, "brew"))[0] == "tea.py"


def test_a_kill_in_the_middle_leaves_an_index_that_goes_on(root, tmp_path):
    for number in range(400):
        (root / f"m{number}.py").write_text(f"def f{number}(x):\n    return x + {number}\n" * 8)
    program = (
        "import asyncio, sys; from pathlib import Path\n"
        "from agentinfra.memory.workspace_memory import WorkspaceMemory\n"
        "async def main():\n"
        "    memory = WorkspaceMemory.open(Path(sys.argv[1]), data=Path(sys.argv[2]))\n"
        "    await memory.index(lambda *_: print('.', flush=True))\n"
        "asyncio.run(main())\n"
    )
    command = [sys.executable, "-c", program, str(root), str(tmp_path / "data")]
    for batches in (1, 2, 3):
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            for _ in range(batches):
                process.stdout.readline()
            time.sleep(0.01 * batches)
            process.kill()
    (file,) = (tmp_path / "data").glob("workspaces/*/memory.db")
    store = MemoryStore.open(file)
    half = len(store.stamps())
    assert half % 64 in (0, len(list(root.iterdir())) % 64, 402 % 64, 403 % 64)
    assert store._connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert DEAR - indexes(store)
    store.close()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    store = MemoryStore.open(file)
    assert indexes(store) >= DEAR
    assert len(store.stamps()) >= 402
    assert store.missing_vectors("static-256-v1") == []
    assert store.search_text("f399", 3)
    store.close()
