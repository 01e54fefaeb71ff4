"""sqlite-vec that cannot be loaded: it is told, and all goes on with the same answers."""

import os
import subprocess
import sys

import pytest

from agentinfra.core.config import workspace_folder
from agentinfra.memory.workspace_memory import WorkspaceMemory
from benchmarks.index_soak_workspace import content, faults

PROGRAM = """
import asyncio, sys
from pathlib import Path
from agentinfra.memory.workspace_memory import WorkspaceMemory
async def main():
    memory = WorkspaceMemory.open(Path(sys.argv[1]), data=Path(sys.argv[2]))
    await memory.index()
    for hit in await memory.search("how to boil water"):
        print(hit.path, round(hit.score, 3))
    await memory.aclose()
asyncio.run(main())
"""
BROKEN = {
    "a library that is none": "def loadable_path():\n    return __file__\n",
    "not installed": "raise ImportError('No module named sqlite_vec')\n",
}


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "workspace"
    folder.mkdir()
    for number, word in enumerate(("tea", "water", "kettle", "boil", "steam", "cup")):
        (folder / f"{word}.py").write_text(f'def make_{word}(cups):\n    """Heat the {word}."""\n    return {number}\n')
    return folder


def run(root, data, path=""):
    command = [sys.executable, "-c", PROGRAM, str(root), str(data)]
    environment = {**os.environ, "PYTHONPATH": str(path)}
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment)


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_answers_are_the_same_and_the_scan_catches_up_later(root, tmp_path, broken):
    (tmp_path / "path").mkdir()
    (tmp_path / "path" / "sqlite_vec.py").write_text(broken)
    data = tmp_path / "data"
    whole = run(root, tmp_path / "whole")
    without = run(root, data, tmp_path / "path")
    assert without.stderr.count("sqlite-vec cannot be loaded") == 1
    assert "takes longer" in without.stderr
    assert (whole.stderr, without.stdout) == ("", whole.stdout)
    (root / "tea.py").unlink()
    (root / "pot.py").write_text('def boil_pot(cups):\n    """Boil water in a pot."""\n')
    run(root, data)  # with it
    (root / "cup.py").unlink()
    run(root, data, tmp_path / "path")  # without it: chunks go that the scan knows
    again, peace = run(root, data), run(root, tmp_path / "peace")
    assert (again.stderr, again.stdout) == ("", peace.stdout)
    held, wanted = (workspace_folder(root, tmp_path / name) / "memory.db" for name in ("data", "peace"))
    assert faults(held) == []
    assert content(held) == content(wanted)


async def test_words_alone_need_no_vectors(root, tmp_path):
    memory = WorkspaceMemory.open(root, data=tmp_path / "data", embedder=None)
    await memory.index()
    assert (await memory.search("boil"))[0].path == "boil.py"
    await memory.aclose()
