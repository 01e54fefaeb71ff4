"""A checkout to run the scripts in: the real Makefile and scripts, beside folders that a test fills."""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SYSTEM_TOOLS = ("sh", "sed", "make", "git", "bwrap", "env")


@dataclass
class Checkout:
    """A copy of the project's commands in a folder of their own, with a PATH of its own."""

    root: Path
    tools: Path

    def write(self, name, text, *, executable=False):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755 if executable else 0o644)
        return path

    def tool(self, name, text):
        (self.tools / name).unlink(missing_ok=True)
        return self.write(self.tools / name, f"#!/bin/sh\n{text}\n", executable=True)

    def without(self, *names):
        for name in names:
            (self.tools / name).unlink()

    def run(self, *command, **environment):
        settings = {"PATH": str(self.tools), "HOME": str(self.root), "PYTHON": sys.executable, "LC_ALL": "C.UTF-8"}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "stdin": subprocess.DEVNULL}
        done = subprocess.run(
            command, cwd=self.root, env={**settings, **environment}, **pipes, text=True, timeout=120, check=False
        )
        return done.returncode, done.stdout

    def script(self, name, *arguments, **environment):
        return self.run(sys.executable, f"scripts/{name}", *arguments, **environment)


@pytest.fixture
def checkout(tmp_path):
    root, tools = tmp_path / "check out", tmp_path / "tools"
    tools.mkdir()
    shutil.copytree(ROOT / "scripts", root / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "Makefile", root)
    for name in SYSTEM_TOOLS:
        found = shutil.which(name)
        assert found, f"{name} is needed for this test"
        (tools / name).symlink_to(found)
    # The sandbox's program has one fixed place on a system; here it is a place of the test's.
    for script in (root / "scripts" / "setup.py", root / "scripts" / "with_python.sh"):
        script.write_text(script.read_text().replace("/usr/bin/bwrap", f"{tools}/bwrap"))
    return Checkout(root, tools)
