"""The memory wants nothing of a network: it is used in a namespace that has none, by the library and on the command
line, and neither Python nor the kernel saw a call."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[3]
NAMESPACE = ("/usr/bin/bwrap", "--unshare-user", "--unshare-net", "--die-with-parent", "--dev-bind", "/", "/", "--")


def told(what: str, folder: Path) -> list[str]:
    """What the program prints of itself in a namespace without network."""
    root = folder / "workspace"
    root.mkdir()
    (root / "tea.py").write_text("def brew(cups):\n    '''Boil the water.'''\n    return cups * 2\n")
    (root / "README.md").write_text("# The kitchen\n\nSee https://kitchen.example for recipes.\n")
    (root / "requirements.txt").write_text("requests\n")
    done = subprocess.run(
        [*NAMESPACE, sys.executable, "-m", "tests.unit.memory.offline_program", what, str(folder)],
        cwd=PROJECT, env={**os.environ, "AGENTINFRA_DATA_DIR": str(folder / "data")},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-2:]


@pytest.mark.parametrize("what", ["library", "commands"])
def test_the_memory_wants_nothing_of_a_network(tmp_path, what):
    assert told(what, tmp_path) == ["heard []", "counted False"]


def test_nor_does_the_process_that_keeps_the_index_fresh(tmp_path):
    heard, counted = told("process", tmp_path)
    assert "subprocess.Popen" in heard and "socket." not in heard
    assert counted == "counted False"


def test_a_call_would_be_heard_and_counted(tmp_path):
    heard, counted = told("python", tmp_path)
    assert "socket.connect" in heard
    assert counted == "counted True"


def test_a_call_that_python_does_not_hear_of_would_be_counted(tmp_path):
    assert told("c", tmp_path) == ["heard []", "counted True"]
