"""The program that runs inside the sandbox: unittest with a recorder. It is started as a file, never imported.

As with pytest, the order is deleted before project code is loaded, and the report's name stands nowhere else.
"""

# ruff: noqa: N802 - unittest's own names

from __future__ import annotations

import importlib
import inspect
import sys
import time
import traceback
import unittest
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))  # take_order replaces it by the project's folders

from child_record import Record, reporter, take_order, time_limit

_LEFT_OUT = frozenset({".git", ".venv", "node_modules", "__pycache__"})
_Error = tuple[Any, Any, Any]


class _Result(unittest.TestResult):
    """Takes down what unittest says of the tests of one file; what is printed is not trusted."""

    def __init__(self, record: Record, file: Path, test_seconds: float) -> None:
        super().__init__()
        self._record = record
        self._file = file
        self._path = file.relative_to(record.root).as_posix()
        self._seconds = test_seconds
        self._started = time.monotonic()
        self._limit = ExitStack()
        self.tests: dict[str, unittest.TestCase] = {}

    def expect(self, suite: unittest.TestSuite, wanted: Sequence[str]) -> unittest.TestSuite:
        """Take the tests that are wanted (all without any) out of a suite, and remember them."""
        self.tests = {self.name(test): test for test in _flat(suite)}
        if wanted:
            self.tests = {name: test for name, test in self.tests.items() if _is_wanted(name, wanted)}
        return unittest.TestSuite(self.tests.values())

    def name(self, test: unittest.TestCase) -> str:
        """The id of a test."""
        return f"{self._path}::{type(test).__qualname__}::{getattr(test, '_testMethodName', test.id())}"

    def startTest(self, test: unittest.TestCase) -> None:
        super().startTest(test)
        self._started = time.monotonic()
        self._limit.enter_context(time_limit(self._seconds))

    def stopTest(self, test: unittest.TestCase) -> None:
        self._limit.close()
        super().stopTest(test)

    def addSuccess(self, test: unittest.TestCase) -> None:
        self._add(test, "passed")

    def addFailure(self, test: unittest.TestCase, err: _Error) -> None:
        self._add(test, "failed", err[1])

    def addError(self, test: unittest.TestCase, err: _Error) -> None:
        self._add(test, "failed", err[1])

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        self._add(test, "skipped", message=reason)

    def addExpectedFailure(self, test: unittest.TestCase, err: _Error) -> None:
        del err
        self._add(test, "xfailed")

    def addUnexpectedSuccess(self, test: unittest.TestCase) -> None:
        self._add(test, "failed", AssertionError("it passed, and was expected to fail"))

    def addSubTest(self, test: unittest.TestCase, subtest: unittest.TestCase, err: _Error | None) -> None:
        if err is not None:
            self._add(test, "failed", err[1], f"{subtest}\n")

    def _add(self, test: Any, outcome: str, raised: BaseException | None = None, message: str = "") -> None:
        if isinstance(test, unittest.TestCase):
            self._add_one(test, outcome, raised, message)
            return
        # A stand-in for a class or module that could not be set up: none of its tests is run.
        for one in self._of(test.id()):
            self._add_one(one, "skipped" if outcome == "skipped" else "error", raised, message)

    def _of(self, description: str) -> Iterator[unittest.TestCase]:
        owner = description.partition("(")[2].rstrip(")")
        for test in self.tests.values():
            if owner in (type(test).__module__, f"{type(test).__module__}.{type(test).__qualname__}"):
                yield test

    def _add_one(self, test: unittest.TestCase, outcome: str, raised: BaseException | None, message: str) -> None:
        kind = "" if raised is None else self._record.kind(raised, self._file)
        text = message if raised is None else _message(raised, message)
        spent = time.monotonic() - self._started
        self._record.add(self.name(test), outcome, text, spent, kind, f"{self._path}{_line(test)}")


def _flat(suite: unittest.TestSuite) -> Iterator[unittest.TestCase]:
    for one in suite:
        if isinstance(one, unittest.TestSuite):
            yield from _flat(one)
        else:
            yield one


def _is_wanted(name: str, wanted: Sequence[str]) -> bool:
    return any(name == one or name.startswith((f"{one}::", f"{one}/")) for one in wanted)


def _line(test: unittest.TestCase) -> str:
    method = inspect.unwrap(getattr(test, getattr(test, "_testMethodName", ""), _line))
    code = getattr(method, "__code__", None)
    return f":{code.co_firstlineno}" if code and method is not _line else ""


def _message(raised: BaseException, where: str = "") -> str:
    """The failure in one line, then the traceback without the frames of unittest and of the import system."""
    trace = traceback.TracebackException.from_exception(raised)
    trace.stack = traceback.StackSummary.from_list(
        [frame for frame in trace.stack if not frame.filename.startswith(_OWN_FRAMES)]
    )
    summary = f"{type(raised).__name__}: {raised}".partition("\n")[0]
    return f"{summary}\n{where}{''.join(trace.format())}"


_OWN_FRAMES = (str(Path(unittest.__file__).parent), importlib.__file__, "<frozen importlib", __file__)


def _test_files(root: Path, wanted: Sequence[str]) -> list[Path]:
    """The files that unittest's discovery takes, or those among the wanted, whatever they are called."""
    named = [root / one.partition("::")[0] for one in wanted]
    found = {path for path in named if path.is_file()}
    for folder in [path for path in named if path.is_dir()] or ([] if wanted else [root]):
        found |= {path for path in folder.rglob("test*.py") if _LEFT_OUT.isdisjoint(path.relative_to(root).parts)}
    return sorted(found)


def _import(file: Path) -> Any:
    """Import a file by its package's name; the folder that holds the package is put on the import path."""
    base = file.parent
    while (base / "__init__.py").is_file():
        base = base.parent
    if str(base) not in sys.path:
        sys.path.insert(0, str(base))
    module = importlib.import_module(".".join(file.relative_to(base).with_suffix("").parts))
    if Path(module.__file__ or "") != file:
        raise ImportError(f"{file.name} has the name of another module, {module.__file__}")
    return module


def _run_file(file: Path, wanted: Sequence[str], record: Record, test_seconds: float) -> list[str]:
    """Run the tests of one file; returns their names."""
    result = _Result(record, file, test_seconds)
    path = file.relative_to(record.root).as_posix()
    try:
        with time_limit(test_seconds):
            suite = result.expect(unittest.defaultTestLoader.loadTestsFromModule(_import(file)), wanted)
    except unittest.SkipTest as skip:
        record.add(path, "skipped", str(skip), 0.0, "", path)
        return []
    except (SystemExit, KeyboardInterrupt):
        raise
    except BaseException as error:  # the boundary to project code
        record.add(path, "error", _message(error), 0.0, record.kind(error, file), path)
        return []
    suite.run(result)
    return list(result.tests)


def main() -> None:
    """Run the tests that the order names, leave the report, and end at once without running exit handlers."""
    order = take_order("python -m unittest")
    leave = reporter(order)
    record = Record(Path(order["root"]))
    wanted: list[str] = order["tests"]
    collected: list[str] = []
    for file in _test_files(record.root, wanted):
        collected += _run_file(file, wanted, record, order["test_seconds"])
    failed = any(test["outcome"] in ("failed", "error") for test in record.tests.values())
    leave(record, collected, 1 if failed else 0 if record.tests else 5)


if __name__ == "__main__":
    main()
