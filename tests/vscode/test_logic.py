"""What needs no editor: the extension's own logic, its size, and what goes into the package."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
import zipfile
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


def test_the_package_holds_what_it_needs_and_no_more(vsix: Path):
    with zipfile.ZipFile(vsix) as package:
        sizes = {one.filename.removeprefix("extension/"): one.file_size for one in package.infolist()}
        held = {one.filename: one.compress_size for one in package.infolist()}
    assert sizes.keys() >= {"dist/extension.js", "dist/demo.jsonl", "dist/server/requirements.txt", "media/icon.png"}
    assert not [name for name in sizes if name.startswith(("src/", "test/", "node_modules/"))]
    assert sizes["dist/extension.js"] <= 550_000
    assert sum(size for name, size in held.items() if not name.endswith(".whl")) <= 2_000_000


def test_the_extension_and_the_package_are_of_one_version():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert json.loads((EXTENSION / "package.json").read_text("utf-8"))["version"] == project["version"]


def test_the_locked_packages_are_those_that_the_project_needs():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = [Requirement(one) for one in [*project["dependencies"], *project["optional-dependencies"]["local"]]]
    pinned = dict(re.findall(r"^([\w.-]+)==(\S+)", LOCK.read_text("utf-8"), re.MULTILINE))
    assert {one.name for one in wanted if not one.specifier.contains(pinned.get(one.name, "0"))} == set()
    assert LOCK.read_text("utf-8").count("--hash=sha256:") >= len(pinned)
