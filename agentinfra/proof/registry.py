"""Which test runner fits a project."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from agentinfra.core.errors import InputError, ProofError
from agentinfra.core.interfaces import Sandbox
from agentinfra.proof.javascript_runners import JestRunner, NodeTestRunner, PlaywrightRunner, VitestRunner
from agentinfra.proof.junit_runner import JUnitRunner
from agentinfra.proof.node_modules import read_package
from agentinfra.proof.pytest_runner import PytestRunner
from agentinfra.proof.runner import DeskRunner, TestRunner
from agentinfra.proof.unittest_runner import UnittestRunner

RUNNERS: Mapping[str, type[DeskRunner]] = {
    runner.name: runner
    for runner in (PytestRunner, UnittestRunner, VitestRunner, JestRunner, NodeTestRunner, PlaywrightRunner)
}
_MAX_FILES = 200
_MODULES = re.compile(r"test.*\.py|.*_test\.py")
_SCRIPTS = re.compile(r".*\.test\.[cm]?js")
_UNITTEST = re.compile(r"^\s*(import|from) unittest\b", re.MULTILINE)
_NODE_TEST = re.compile(r"""["']node:test["']""")
_LEFT_OUT = frozenset({".git", ".venv", "node_modules", "__pycache__"})
_PYTEST_NAMES = ("conftest.py", "pytest.ini", "pytest.toml")
# How a script of package.json calls them, and the package that brings them.
_CALLS = {
    "vitest": r"\bvitest\b",
    "jest": r"\bjest\b",
    "node": r"\bnode\b.*--test\b",
    "playwright": r"\bplaywright test\b",
}
_PACKAGES = {"vitest": "vitest", "jest": "jest", "@playwright/test": "playwright"}


def detect(root: Path) -> tuple[str, ...]:
    """Name the runners that a project's files speak for, the fittest first.

    Python comes first where both languages have tests; in JavaScript what the script ``test`` calls comes before
    what is merely installed.
    """
    return tuple(dict.fromkeys((*_python_runners(root), *_javascript_runners(root))))


def runner_for(
    root: Path, sandbox: Sandbox, *, name: str | None = None, command: Sequence[str] | None = None
) -> TestRunner:
    """Choose the runner for a project; pytest where nothing speaks for another.

    Args:
        root: The project.
        sandbox: Where its tests run.
        name: A runner by its name, whatever the files say.
        command: A command that writes JUnit XML, see :class:`agentinfra.proof.junit_runner.JUnitRunner`.

    Raises:
        InputError: There is no runner of that name, or the command has no place for its report.
    """
    if command is not None:
        return JUnitRunner(sandbox, command)
    chosen = name or next(iter(detect(root)), PytestRunner.name)
    if chosen not in RUNNERS:
        raise InputError(f"There is no test runner {chosen}", next_step=f"Choose one of {', '.join(sorted(RUNNERS))}")
    return RUNNERS[chosen](sandbox)


def _python_runners(root: Path) -> Iterator[str]:
    texts = [_text(path) for path in _files(root, _MODULES)]
    is_set = any((root / name).is_file() for name in _PYTEST_NAMES)
    is_set |= "[tool.pytest" in _text(root / "pyproject.toml")
    if texts:
        yield UnittestRunner.name if not is_set and all(map(_UNITTEST.search, texts)) else PytestRunner.name


def _files(root: Path, names: re.Pattern[str]) -> Iterator[Path]:
    """Some of the project's files of these names."""
    left = _MAX_FILES
    for folder, subfolders, files in os.walk(root):
        subfolders[:] = [name for name in subfolders if name not in _LEFT_OUT]
        found = [Path(folder, name) for name in files if names.fullmatch(name)]
        yield from found[:left]
        left -= len(found)
        if left <= 0:
            return


def _javascript_runners(root: Path) -> Iterator[str]:
    try:
        package = read_package(root / "package.json")
    except ProofError:
        return
    script = str(_table(package, "scripts").get("test", ""))
    yield from (name for name, call in _CALLS.items() if re.search(call, script))
    installed = {**_table(package, "dependencies"), **_table(package, "devDependencies")}
    yield from (name for known, name in _PACKAGES.items() if known in installed)
    if any(_NODE_TEST.search(_text(path)) for path in _files(root, _SCRIPTS)):
        yield NodeTestRunner.name


def _table(package: Mapping[str, Any], key: str) -> dict[str, Any]:
    table: object = package.get(key)
    return dict(cast("Mapping[str, Any]", table)) if isinstance(table, dict) else {}


def _text(path: Path) -> str:
    return path.read_text("utf-8", "replace") if path.is_file() else ""
