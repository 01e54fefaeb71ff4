"""Run the project's suites in order and print what each took against its written share of the 20 minutes.

``make test`` runs them all but those on request, ``make check`` the first two; names on the command line choose
some. A suite fails when one of its commands does, when it runs no test, when it skips one, or when it takes longer
than three times its share.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv" / "bin"
PATIENCE = 3  # a suite is stopped after so many times its share


class Suite(NamedTuple):
    """What to run under one name.

    Attributes:
        name: Its name on the command line and in the table.
        share: Seconds it should take at most, on two cores.
        commands: Commands to run one after the other, before the tests where there are some.
        tests: Folders and files for pytest; none where the suite is not made of tests.
        workers: Processes that share its files; worth having where tests mostly wait.
        on_request: Whether it runs only where it is named.
    """

    name: str
    share: int
    commands: tuple[tuple[str, ...], ...] = ()
    tests: tuple[str, ...] = ()
    workers: int = 1
    on_request: bool = False


class Result(NamedTuple):
    """How a suite ended: its seconds, and the tests that passed, failed and were skipped."""

    suite: Suite
    seconds: float
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    problem: str = ""


PULL = (str(BIN / "agentinfra"), "models", "pull", "qwen2.5-coder-1.5b")
"""Brings the embedded model, where it is not here yet."""


def suites() -> tuple[Suite, ...]:
    """All suites, in the order in which they run; the shares of those that are not on request make up 20 minutes."""
    root_tests = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "tests").glob("test_*.py"))
    return (
        Suite("setup", 100, (setup("--tests"),)),
        Suite("check", 40, check_commands()),
        Suite("unit", 340, tests=("tests/unit", *root_tests), workers=3),
        Suite("conformance", 60, tests=("tests/conformance",)),
        Suite("server", 310, tests=("tests/server",), workers=2),
        Suite("e2e", 290, tests=("tests/e2e",), workers=2),
        Suite("model", 20, (PULL,)),
        Suite("live", 40, tests=("tests/live",)),
        Suite("vscode", 420, (setup("--vscode"), PULL), tests=("tests/vscode",), on_request=True),
    )


def setup(option: str) -> tuple[str, ...]:
    """The command that brings what some tests need."""
    return (sys.executable, "scripts/setup.py", option)


def check_commands() -> tuple[tuple[str, ...], ...]:
    """What looks at the source without running it."""
    return (
        (str(BIN / "ruff"), "format", "--check", "."),
        (str(BIN / "ruff"), "check", "."),
        (str(BIN / "pyright"),),
        (str(BIN / "lint-imports"), "--no-logo"),
    )


def main(names: list[str]) -> int:
    """Run the named suites (all without names); the exit code is 0 when everything passed."""
    known = suites()
    unknown = set(names) - {suite.name for suite in known}
    if unknown:
        print(f"No suite {', '.join(sorted(unknown))}; there are {', '.join(s.name for s in known)}", file=sys.stderr)
        return 2
    results = run_all([suite for suite in known if suite.name in names or not (names or suite.on_request)])
    print(table(results))
    if any(result.suite.tests for result in results):
        print(closing_line(results))
    return 1 if any(result.problem for result in results) else 0


def run_all(chosen: list[Suite]) -> list[Result]:
    """Run suites in order; without a setup nothing after it can run."""
    results: list[Result] = []
    for suite in chosen:
        print(f"\n== {suite.name} (share {suite.share} s)", flush=True)
        results.append(run_tests(suite) if suite.tests else run_commands(suite))
        if suite.name == "setup" and results[-1].problem:
            break
    return results


def run_commands(suite: Suite) -> Result:
    """Run the suite's commands, all of them even when one fails."""
    start = time.monotonic()
    deadline = start + PATIENCE * suite.share
    failed = [command for command in suite.commands if run(command, deadline) != 0]
    problem = "failed: " + ", ".join(Path(command[0]).name for command in failed) if failed else ""
    return Result(suite, time.monotonic() - start, failed=len(failed), problem=problem)


def run_tests(suite: Suite) -> Result:
    """Run pytest over the suite's tests, after its commands; the counts come from its report file."""
    start = time.monotonic()
    prepared = run_commands(suite)
    if prepared.problem:
        return prepared
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.xml")
        shared = ("-n", str(suite.workers), "--dist", "loadfile") if suite.workers > 1 else ()
        command = (str(BIN / "pytest"), "-q", "-ra", f"--junitxml={report}", *shared, *suite.tests)
        code = run(command, start + PATIENCE * suite.share)
        total, failed, skipped = read_report(report)
    passed = total - failed - skipped
    problem = problem_of(code, passed, failed, skipped)
    # A run that died without a failing test still counts as one failure.
    return Result(suite, time.monotonic() - start, passed, max(failed, 1 if problem else 0), skipped, problem)


def problem_of(code: int, passed: int, failed: int, skipped: int) -> str:
    """Why a test run is not good enough, or "": the exit code alone would let skips and emptiness through."""
    if failed:
        return f"{failed} failed"
    if skipped:
        return f"{skipped} skipped: a test that does not run proves nothing"
    if passed == 0:
        return "ran no test"
    return f"pytest ended with {code}" if code else ""


def read_report(path: Path) -> tuple[int, int, int]:
    """Total, failed (errors included) and skipped tests of a JUnit report; zeros when there is none."""
    if not path.exists():
        return (0, 0, 0)
    root = ElementTree.parse(path).getroot()  # noqa: S314 - pytest has just written it
    found = [suite.attrib for suite in root.iter("testsuite")]
    total, failures, errors, skipped = (
        sum(int(suite[kind]) for suite in found) for kind in ("tests", "failures", "errors", "skipped")
    )
    return (total, failures + errors, skipped)


def run(command: tuple[str, ...], deadline: float) -> int:
    """Run a command in the checkout and return its exit code; at the deadline it is ended with its children."""
    print(f"$ {' '.join(command)}", flush=True)
    with subprocess.Popen(command, cwd=ROOT, start_new_session=True) as process:
        try:
            return process.wait(timeout=max(deadline - time.monotonic(), 1))
        except subprocess.TimeoutExpired:
            print("Stopped: it took too long.", flush=True)
            return 124
        finally:
            end_group(process)


def end_group(process: subprocess.Popen[bytes]) -> None:
    """End what is left of the command's process group, also after Ctrl-C."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return  # nothing is left


def table(results: list[Result]) -> str:
    """The suites with their seconds, shares and outcomes."""
    lines = ["", f"{'suite':<10}{'seconds':>9}{'share':>7}{'passed':>8}{'failed':>8}"]
    for result in results:
        late = "over its share" if result.seconds > result.suite.share else ""
        remark = ", ".join(filter(None, (result.problem, late)))
        counts = f"{result.passed:>8}{result.failed:>8}" if result.suite.tests else f"{'':>8}{result.failed or '':>8}"
        lines.append(f"{result.suite.name:<10}{result.seconds:>9.1f}{result.suite.share:>7}{counts}  {remark}".rstrip())
    seconds, share = sum(r.seconds for r in results), sum(r.suite.share for r in results)
    return "\n".join([*lines, f"{'total':<10}{seconds:>9.1f}{share:>7}", ""])


def closing_line(results: list[Result]) -> str:
    """The last line, for people and for those who read it by machine; a failed check counts as a failure."""
    return f"{sum(r.passed for r in results)} passed, {sum(r.failed for r in results)} failed"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
