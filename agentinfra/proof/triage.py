"""Whether a failing test is new, failed before, or is flaky: by running the base and by repetition."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Literal

from agentinfra.proof.report import TestReport
from agentinfra.proof.runner import TestRunner

Cause = Literal["new", "pre-existing", "flaky"]
REPEATS = 2
WHOLE_RUN = "the whole run"
"""Stands among the ids of tests for a run that proves nothing: it hung, was ended from inside, or ran no test."""
_GONE = "It is gone: the run did not report it"


def not_passed(report: TestReport, expected: Iterable[str] = ()) -> dict[str, str]:
    """What keeps a run from being green.

    Args:
        report: The run.
        expected: Ids of tests that have to be in it.

    Returns:
        Id to message: of tests that did not pass, of expected ones that are gone, and :data:`WHOLE_RUN`.
    """
    if report.reason or not report.tests:
        return {WHOLE_RUN: report.reason or "no tests ran"}
    found = {test.id: test.message or f"It was {test.outcome}" for test in report.tests if test.outcome != "passed"}
    known = {test.id for test in report.tests}
    # A file that could not be collected stands for its tests.
    missing = [name for name in expected if name not in known and name != WHOLE_RUN]
    gone = {name: _GONE for name in missing if file_of(name) not in found}
    if not found and not gone and report.exit_code:
        return {WHOLE_RUN: f"the run ended with exit code {report.exit_code}"}
    return found | gone


async def run_again(
    runner: TestRunner, root: Path, tests: Collection[str], required: Collection[str] = ()
) -> dict[str, str]:
    """Run some tests again, with everything else that stands in their files.

    Args:
        runner: What runs them.
        root: The project.
        tests: Ids of tests, of files, or :data:`WHOLE_RUN`.
        required: Those of them that have to be there; any other one that is not there did not fail.

    Returns:
        Those that did not pass, with their messages; all that are there where the run proves nothing.
    """
    files = sorted({file_of(test) for test in tests if test != WHOLE_RUN})
    there = [file for file in files if (root / file).is_file()]
    gone = {test: _GONE for test in tests if test in required and test != WHOLE_RUN and file_of(test) not in there}
    if WHOLE_RUN not in tests and not there:
        return gone
    report = await runner.run(root, () if WHOLE_RUN in tests else there)
    if not report.reason and not report.tests and WHOLE_RUN not in required:
        return gone  # where there is no test yet none can fail
    failed = not_passed(report, required)
    if WHOLE_RUN in failed:
        return gone | {test: failed[WHOLE_RUN] for test in tests if test == WHOLE_RUN or file_of(test) in there}
    return gone | {test: message for test in tests if (message := failed.get(test) or failed.get(file_of(test)))}


async def triage(
    runner: TestRunner, failing: Collection[str], tree: Path, base: Path, *, repeats: int = REPEATS
) -> dict[str, Cause]:
    """Say of each failing test whether the change between two trees is to blame.

    Args:
        runner: What runs the tests.
        failing: Ids of tests that failed on the tree.
        tree: The tree with the change.
        base: The tree without it; a test that fails here too is "pre-existing".
        repeats: How often the others are run again on the tree; one that passes once is "flaky".

    Returns:
        The cause of each.

    Raises:
        SandboxError: Tests cannot be run here.
    """
    if not failing:
        return {}
    causes: dict[str, Cause] = dict.fromkeys(await run_again(runner, base, failing), "pre-existing")
    new = {test for test in failing if test not in causes}
    for _ in range(repeats):
        again = await run_again(runner, tree, new, required=new) if new else {}
        causes |= dict.fromkeys(new - set(again), "flaky")
        new &= set(again)
    return {test: causes.get(test, "new") for test in failing}


def file_of(test: str) -> str:
    """The path of the file in which a test stands."""
    return test.partition("::")[0]
