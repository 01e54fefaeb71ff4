"""Hashes of the files that decide what a test run means: the tests, and everything that could change how they run."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from agentinfra.core.errors import InputError, ProofError

# pyproject.toml and setup.cfg are not among them: our runner reads its own settings only, and tasks edit these two.
GUARDED_NAMES = frozenset(
    {
        *("conftest.py", "pytest.ini", ".pytest.ini", "pytest.toml", ".pytest.toml", "tox.ini"),
        *("sitecustomize.py", "usercustomize.py", "pytest.py", "pluggy.py", "iniconfig.py"),
    }
)
_GUARDED_FOLDERS = frozenset({"pytest", "_pytest", "pluggy", "iniconfig"})
_SKIPPED = frozenset({".git", ".venv", "node_modules", "__pycache__", ".pytest_cache"})


@dataclass(frozen=True, slots=True)
class TestLock:
    """What must stay as it is from RED to GREEN.

    Attributes:
        paths: The locked files and folders, relative to the root.
        files: SHA-256 of every file in them and of every guarded file, by path.
    """

    __test__ = False

    paths: tuple[str, ...]
    files: Mapping[str, str]

    @property
    def sha(self) -> str:
        """One SHA-256 over all of it."""
        return hashlib.sha256(json.dumps(self.to_json(), sort_keys=True).encode()).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """The lock as a JSON object."""
        return asdict(self) | {"paths": list(self.paths), "files": dict(self.files)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> TestLock:
        """Read what :meth:`to_json` wrote.

        Raises:
            ProofError: It is something else.
        """
        try:
            return cls(tuple(data["paths"]), dict(data["files"]))
        except (KeyError, TypeError, ValueError) as error:
            raise ProofError("A stored lock of tests cannot be read", why=str(error)) from error


def lock(root: Path, paths: Sequence[str]) -> TestLock:
    """Hash the test files, and the runner's configuration anywhere below the root.

    Args:
        root: The project.
        paths: Test files or folders of them, relative to the root.

    Raises:
        InputError: A path does not exist or leads out of the root.
    """
    for path in paths:
        target = root / path
        if not target.exists() or not target.resolve().is_relative_to(root.resolve()):
            raise InputError(f"{path} cannot be locked", why="there is no such file or folder in the project")
    return TestLock(tuple(paths), _hashes(root, paths))


def verify(root: Path, locked: TestLock) -> tuple[str, ...]:
    """Compare the files with their lock.

    Returns:
        One line per violation: ``"tests/test_a.py was changed"``, ``"conftest.py was added"``, …
    """
    now = _hashes(root, locked.paths)
    removed = [f"{path} was removed" for path in locked.files if path not in now]
    changed = [f"{path} was changed" for path, sha in locked.files.items() if now.get(path, sha) != sha]
    added = [f"{path} was added" for path in now if path not in locked.files]
    return tuple(sorted(removed + changed + added))


def _hashes(root: Path, paths: Sequence[str]) -> dict[str, str]:
    wanted = [Path(path).parts for path in paths]
    return {
        path.as_posix(): _hash(root / path)
        for path in sorted(_walk(root))
        if _is_guarded(path) or any(path.parts[: len(parts)] == parts for parts in wanted)
    }


def _walk(root: Path) -> Iterator[Path]:
    for folder, subfolders, names in os.walk(root):
        # A linked folder is not entered, so it counts as a file.
        links = [name for name in subfolders if (Path(folder) / name).is_symlink()]
        subfolders[:] = [name for name in subfolders if name not in _SKIPPED and name not in links]
        for name in (*names, *links):
            yield (Path(folder) / name).relative_to(root)


def _is_guarded(path: Path) -> bool:
    return path.name in GUARDED_NAMES or path.suffix == ".pth" or not _GUARDED_FOLDERS.isdisjoint(path.parts)


def _hash(path: Path) -> str:
    if path.is_symlink():
        return f"link to {path.readlink()}"
    if not path.is_file():
        return "not a file"
    return hashlib.sha256(path.read_bytes()).hexdigest()
