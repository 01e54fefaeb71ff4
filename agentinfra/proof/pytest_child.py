"""The program that runs inside the sandbox: pytest with a recorder. It is started as a file, never imported.

It reads its order from a file and deletes that file before any project code is loaded. The name under which it leaves
the report stands only there, so that project code can neither write that report nor find it beforehand.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import types
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

_MESSAGE_LIMIT = 4000
# Differs from run to run; the same failure must read the same.
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")
_LINE_END = "\n"
# What pytest prints above the first frame of the project when a file cannot be imported; it holds the machine's paths.
_IMPORT_FRAMES = re.compile(
    r"\A(?:[^\n]*\n)*?Traceback:\n\S+importlib/__init__\.py:\d+: in import_module\n(?: [^\n]*\n)*"
)
_MISSING = (ImportError, NameError, NotImplementedError)


class _TooSlow(BaseException):
    """A test exceeded its time; not an Exception, so that code under test does not swallow it by accident."""


class _Recorder:
    """Collects what pytest's hooks say; the printed output and pytest's own reports are not trusted."""

    def __init__(self, root: Path, test_seconds: float) -> None:
        self._root = root
        self._test_seconds = test_seconds
        self.collected: list[str] = []
        self.tests: dict[str, dict[str, Any]] = {}

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.collected = [item.nodeid for item in session.items]

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(
        self, collector: pytest.Collector
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        report = yield
        if report.outcome == "failed":
            raised = report.call.excinfo.value  # type: ignore[attr-defined] # pytest sets it, untyped
            kind = self._kind(raised.__cause__ or raised, collector.path)
            self._record(report.nodeid, "error", _message(raised.__cause__ or raised, report), 0.0, kind)
        elif report.outcome == "skipped":
            self._record(report.nodeid, "skipped", _skip_reason(report), 0.0, "")
        return report

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self) -> Generator[None, object, object]:
        with _time_limit(self._test_seconds):
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if hasattr(report, "wasxfail"):
            self._record(item.nodeid, "xfailed", "", report.duration, "")
        elif report.outcome == "passed":
            if report.when == "call":
                self._record(item.nodeid, "passed", "", report.duration, "")
        elif report.outcome == "skipped":
            self._record(item.nodeid, "skipped", _skip_reason(report), report.duration, "")
        else:
            outcome = "failed" if report.when == "call" else "error"
            raised = call.excinfo.value if call.excinfo else AssertionError("strict xfail")
            kind = self._kind(raised, item.path)
            self._record(item.nodeid, outcome, _message(raised, report), report.duration, kind)
        return report

    def _record(self, name: str, outcome: str, message: str, seconds: float, kind: str) -> None:
        if self.tests.get(name, {}).get("outcome") in (None, "passed"):
            text = _clip(_ADDRESS.sub(" at 0x…", message.replace(f"{self._root}/", "")))
            self.tests[name] = {"id": name, "outcome": outcome, "message": text, "seconds": seconds, "kind": kind}

    def _kind(self, raised: BaseException, test_file: Path) -> str:
        if isinstance(raised, (AssertionError, pytest.fail.Exception)):
            return "assertion"
        if isinstance(raised, AttributeError):
            return "missing" if self._is_under_test(raised.obj, test_file) else "broken"
        if isinstance(raised, TypeError) and "NoneType" in str(raised):
            return "missing" if _raised_in(raised) == test_file else "broken"
        if isinstance(raised, NameError) and _raised_in(raised) == test_file:
            return "broken"
        return "missing" if isinstance(raised, _MISSING) else "broken"

    def _is_under_test(self, thing: object, test_file: Path) -> bool:
        """Whether it is a module or class of the project, an instance of one, or the None of an empty body."""
        if thing is None:
            return True
        owner = thing if isinstance(thing, (types.ModuleType, type)) else type(thing)
        module = owner if isinstance(owner, types.ModuleType) else sys.modules.get(owner.__module__)
        file = Path(getattr(module, "__file__", None) or "/")
        return file.is_relative_to(self._root) and file != test_file


def _message(raised: BaseException, report: pytest.TestReport | pytest.CollectReport) -> str:
    """The failure in one line, then the traceback without the frames of the import system."""
    crash = getattr(report.longrepr, "reprcrash", None)
    text = crash.message if crash else f"{type(raised).__name__}: {raised}"
    return f"{text.partition(_LINE_END)[0]}\n{_IMPORT_FRAMES.sub('', report.longreprtext)}"


def _clip(text: str) -> str:
    half = _MESSAGE_LIMIT // 2 - 1
    return text if len(text) <= _MESSAGE_LIMIT else f"{text[:half]}…{text[-half:]}"


def _skip_reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    return report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longreprtext


def _raised_in(raised: BaseException) -> Path | None:
    trace = raised.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return Path(trace.tb_frame.f_code.co_filename) if trace else None


@contextmanager
def _time_limit(seconds: float) -> Generator[None]:
    def stop(_signal: int, _frame: types.FrameType | None) -> None:
        __tracebackhide__ = True
        raise _TooSlow(f"no result after {seconds:g} s: an endless loop?")

    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def main() -> None:
    """Run the tests that the order names, leave the report, and end at once without running exit handlers."""
    order_file = Path(sys.argv[1])
    order = json.loads(order_file.read_text("utf-8"))
    order_file.unlink()
    root = Path(order["root"])
    recorder = _Recorder(root, order["test_seconds"])
    # Taken before project code can replace them.
    report, write, encode, end = Path(order["report"]), Path.write_text, json.dumps, os._exit
    os.chdir(root)
    sys.argv = ["pytest"]
    sys.path[:0] = [str(folder) for folder in (root, root / "src") if folder.is_dir()]
    code = int(pytest.main(order["arguments"], plugins=[recorder]))
    result = {"collected": recorder.collected, "exit_code": code, "tests": list(recorder.tests.values())}
    write(report, encode(result), "utf-8")
    sys.stdout.flush()
    sys.stderr.flush()
    end(code)


if __name__ == "__main__":
    main()
