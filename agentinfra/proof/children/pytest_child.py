"""The program that runs inside the sandbox: pytest with a recorder. It is started as a file, never imported.

It reads its order from a file and deletes that file before any project code is loaded. The name under which it leaves
the report stands only there, so that project code can neither write that report nor find it beforehand.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # take_order replaces it by the project's folders

from child_record import Record, reporter, take_order, time_limit

_LINE_END = "\n"
# What pytest prints above the first frame of the project when a file cannot be imported; it holds the machine's paths.
_IMPORT_FRAMES = re.compile(
    r"\A(?:[^\n]*\n)*?Traceback:\n\S+importlib/__init__\.py:\d+: in import_module\n(?: [^\n]*\n)*"
)


class _Recorder:
    """Collects what pytest's hooks say; the printed output and pytest's own reports are not trusted."""

    def __init__(self, record: Record, test_seconds: float) -> None:
        self._record = record
        self._test_seconds = test_seconds
        self.collected: list[str] = []

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.collected = [item.nodeid for item in session.items]

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(
        self, collector: pytest.Collector
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        report = yield
        path = report.nodeid.partition("::")[0]
        if report.outcome == "failed":
            raised = report.call.excinfo.value  # type: ignore[attr-defined] # pytest sets it, untyped
            cause = raised.__cause__ or raised
            self._record.add(
                report.nodeid, "error", _message(cause, report), 0.0, self._kind(cause, collector.path), path
            )
        elif report.outcome == "skipped":
            self._record.add(report.nodeid, "skipped", _skip_reason(report), 0.0, "", path)
        return report

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self) -> Generator[None, object, object]:
        with time_limit(self._test_seconds):
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        outcome, message, kind = self._outcome(item, call, report)
        if outcome:
            self._record.add(item.nodeid, outcome, message, report.duration, kind, _location(item))
        return report

    def _outcome(
        self, item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport
    ) -> tuple[str, str, str]:
        """Outcome, message and kind; no outcome while a test that passes is set up and torn down."""
        if hasattr(report, "wasxfail"):
            return "xfailed", "", ""
        if report.outcome == "passed":
            return ("passed" if report.when == "call" else ""), "", ""
        if report.outcome == "skipped":
            return "skipped", _skip_reason(report), ""
        raised = call.excinfo.value if call.excinfo else AssertionError("strict xfail")
        outcome = "failed" if report.when == "call" else "error"
        return outcome, _message(raised, report), self._kind(raised, item.path)

    def _kind(self, raised: BaseException, test_file: Path) -> str:
        return "assertion" if isinstance(raised, pytest.fail.Exception) else self._record.kind(raised, test_file)


def _message(raised: BaseException, report: pytest.TestReport | pytest.CollectReport) -> str:
    """The failure in one line, then the traceback without the frames of the import system."""
    crash = getattr(report.longrepr, "reprcrash", None)
    text = crash.message if crash else f"{type(raised).__name__}: {raised}"
    return f"{text.partition(_LINE_END)[0]}\n{_IMPORT_FRAMES.sub('', report.longreprtext)}"


def _skip_reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    return report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longreprtext


def _location(item: pytest.Item) -> str:
    path, line, _ = item.location
    return path if line is None else f"{path}:{line + 1}"


def main() -> None:
    """Run the tests that the order names, leave the report, and end at once without running exit handlers."""
    order = take_order("pytest")
    leave = reporter(order)
    record = Record(Path(order["root"]))
    recorder = _Recorder(record, order["test_seconds"])
    code = int(pytest.main(order["arguments"], plugins=[recorder]))
    leave(record, recorder.collected, code)


if __name__ == "__main__":
    main()
