"""What needs no editor: the extension's own logic, and that it fits the package that it installs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement

from scripts.build_extension import WHEEL
from scripts.lock_server import LOCK

ROOT = Path(__file__).parents[2]
EXTENSION = ROOT / "vscode-extension"


def test_the_logic():
    command = [WHEEL / "bin" / "node", ROOT / "node_modules" / "vitest" / "vitest.mjs", "run"]
    environment = {**os.environ, "AGENTINFRA_TEST_PYTHON": sys.executable}
    done = subprocess.run(command, cwd=EXTENSION, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_extension_and_the_package_are_of_one_version():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert json.loads((EXTENSION / "package.json").read_text("utf-8"))["version"] == project["version"]


def test_the_locked_packages_are_those_that_the_project_needs():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = [Requirement(one) for one in [*project["dependencies"], *project["optional-dependencies"]["local"]]]
    pinned = dict(re.findall(r"^([\w.-]+)==(\S+)", LOCK.read_text("utf-8"), re.MULTILINE))
    assert {one.name for one in wanted if not one.specifier.contains(pinned.get(one.name, "0"))} == set()
    assert LOCK.read_text("utf-8").count("--hash=sha256:") >= len(pinned)
