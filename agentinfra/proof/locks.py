"""Hashes of the files that decide what a test run means: tests, what they read, what could change how they run."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath
from typing import Any

from agentinfra.core.errors import InputError, ProofError

# pyproject.toml and setup.cfg are not among them: our runner reads its own settings only, and tasks edit these two.
GUARDED_NAMES = frozenset(
    {
        *("conftest.py", "pytest.ini", ".pytest.ini", "pytest.toml", ".pytest.toml", "tox.ini"),
        *("sitecustomize.py", "usercustomize.py", "pytest.py", "pluggy.py", "iniconfig.py"),
    }
)
# Settings of the JavaScript runners; one that the task itself claims is its work. Settings of tests in package.json,
# which many tasks edit, are refused by the runners.
_SETTINGS = re.compile(
    r"(?:(?:vitest|vite|jest|playwright|babel)\.(?:config|workspace|setup|preset)|\.mocharc|\.babelrc|tsconfig)\.\w+"
    r"|\.babelrc"
)
_TEST_FILE = re.compile(r"test_.*\.py|.*_test\.py|conftest\.py|.*\.(?:test|spec)\.[cm]?[jt]sx?")
_TEST_FOLDERS = frozenset({"tests", "test", "__tests__"})
_GUARDED_FOLDERS = frozenset({"pytest", "_pytest", "pluggy", "iniconfig"})
_SKIPPED = frozenset({".git", ".venv", "node_modules", "__pycache__", ".pytest_cache"})


@dataclass(frozen=True, slots=True)
class TestLock:
    """What must stay as it is from RED to GREEN.

    Attributes:
        paths: The locked files and folders, relative to the root.
        files: SHA-256 of every file in them and of every guarded file, by path.
        fixtures: SHA-256 of what else lies in the test folders (data, helpers), by path.
        claimed: Files that the task itself writes; of fixtures and settings they are not locked.
    """

    __test__ = False

    paths: tuple[str, ...]
    files: Mapping[str, str]
    fixtures: Mapping[str, str] = field(default_factory=dict[str, str])
    claimed: tuple[str, ...] = ()

    @property
    def sha(self) -> str:
        """One SHA-256 over all of it."""
        return hashlib.sha256(json.dumps(self.to_json(), sort_keys=True).encode()).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """The lock as a JSON object."""
        mappings = {"files": dict(self.files), "fixtures": dict(self.fixtures)}
        return {**mappings, "paths": list(self.paths), "claimed": list(self.claimed)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> TestLock:
        """Read what :meth:`to_json` wrote.

        Raises:
            ProofError: It is something else.
        """
        try:
            fixtures, claimed = dict(data.get("fixtures", {})), tuple(data.get("claimed", ()))
            return cls(tuple(data["paths"]), dict(data["files"]), fixtures, claimed)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ProofError("A stored lock of tests cannot be read", why=str(error)) from error


def lock(root: Path, paths: Sequence[str], claimed: Sequence[str] = ()) -> TestLock:
    """Hash the test files, what lies beside them in their folders, and the runner's configuration anywhere.

    Args:
        root: The project.
        paths: Test files or folders of them, relative to the root.
        claimed: Files that the task itself writes: those among the fixtures, and settings of a JavaScript runner, are
            not locked.

    Raises:
        InputError: A path does not exist or leads out of the root.
    """
    for path in paths:
        target = root / path
        if not target.exists() or not target.resolve().is_relative_to(root.resolve()):
            raise InputError(f"{path} cannot be locked", why="there is no such file or folder in the project")
    return _lock(root, tuple(paths), tuple(claimed))


def locked_now(root: Path, locked: TestLock) -> TestLock:
    """The lock as the files would give it now; fixtures that were added since do not count, tests never need them."""
    now = _lock(root, locked.paths, locked.claimed)
    return replace(now, fixtures={path: sha for path, sha in now.fixtures.items() if path in locked.fixtures})


def verify(root: Path, locked: TestLock) -> tuple[str, ...]:
    """Compare the files with their lock.

    Returns:
        One line per violation: ``"tests/test_a.py was changed"``, ``"conftest.py was added"``, …
    """
    now = locked_now(root, locked)
    before, after = {**locked.fixtures, **locked.files}, {**now.fixtures, **now.files}
    removed = [f"{path} was removed" for path in before if path not in after]
    changed = [f"{path} was changed" for path, sha in before.items() if after.get(path, sha) != sha]
    added = [f"{path} was added" for path in after if path not in before]
    return tuple(sorted(removed + changed + added))


def is_guarded(path: PurePath) -> bool:
    """Whether a file of that name could change how tests are run, whatever is in it."""
    if path.name in GUARDED_NAMES or path.suffix == ".pth" or not _GUARDED_FOLDERS.isdisjoint(path.parts):
        return True
    return _SETTINGS.fullmatch(path.name) is not None


def is_test_file(path: PurePath) -> bool:
    """Whether a file is a test, or lies in a folder of tests."""
    return _TEST_FILE.fullmatch(path.name) is not None or not _TEST_FOLDERS.isdisjoint(path.parts[:-1])


def _lock(root: Path, paths: tuple[str, ...], claimed: tuple[str, ...]) -> TestLock:
    wanted = [Path(path).parts for path in paths]
    beside = {parts[:-1] for parts in wanted if not _TEST_FOLDERS.isdisjoint(parts[:-1])}
    files: dict[str, str] = {}
    fixtures: dict[str, str] = {}
    for path in sorted(_walk(root)):
        if any(path.parts[: len(parts)] == parts for parts in wanted) or _is_locked(path, claimed):
            files[path.as_posix()] = _hash(root / path)
        elif any(path.parts[: len(parts)] == parts for parts in beside) and _is_fixture(path, claimed):
            fixtures[path.as_posix()] = _hash(root / path)
    return TestLock(paths, files, fixtures, claimed)


def _is_locked(path: Path, claimed: tuple[str, ...]) -> bool:
    own = path.as_posix() in claimed and _SETTINGS.fullmatch(path.name) is not None
    return is_guarded(path) and not own


def _is_fixture(path: Path, claimed: tuple[str, ...]) -> bool:
    return _TEST_FILE.fullmatch(path.name) is None and path.as_posix() not in claimed


def _walk(root: Path) -> Iterator[Path]:
    for folder, subfolders, names in os.walk(root):
        # A linked folder is not entered, so it counts as a file.
        links = [name for name in subfolders if (Path(folder) / name).is_symlink()]
        subfolders[:] = [name for name in subfolders if name not in _SKIPPED and name not in links]
        for name in (*names, *links):
            yield (Path(folder) / name).relative_to(root)


def _hash(path: Path) -> str:
    if path.is_symlink():
        return f"link to {path.readlink()}"
    if not path.is_file():
        return "not a file"
    return hashlib.sha256(path.read_bytes()).hexdigest()
