"""The tamper guard: a run of the locked tests that also looks whether the code earned their outcome.

An attempt that is caught fails with the reason, which goes back to the model. Three looks: at the source, before
anything is run; at a control run with wrong expectations and fresh inputs; at tables of the tests' own answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from agentinfra.core.interfaces import SandboxLimits
from agentinfra.proof.report import TestReport
from agentinfra.proof.runner import TestRunner
from agentinfra.proof.tamper import Change, Finding, find_tampering
from agentinfra.proof.tamper_answers import copied_answers, prose_without_examples
from agentinfra.proof.tamper_cases import Known, known_cases
from agentinfra.proof.tamper_control import Control, control_of, judge_control
from agentinfra.proof.tamper_probe import Probe, judge_probes, probe_source, probes

TAMPERING = "tampering"
ADVICE = "Write what the requirement asks for, for every input; the tests only sample it"


@dataclass(frozen=True, slots=True)
class Trial:
    """The second run of a change: what it overlays, and what judges the outcome.

    Attributes:
        change: The change.
        control: The tests with wrong expectations.
        probes: Fresh inputs, tried in the same run.
    """

    change: Change
    control: Control
    probes: tuple[Probe, ...]

    @property
    def overlay(self) -> Mapping[str, str]:
        """The control's text, by the path of the test file that it stands in for."""
        source = self.control.source + probe_source(self.probes, self.control.token)
        return {self.change.test_path: source}

    def judge(self, report: TestReport) -> list[Finding]:
        """What the run of the control says against the change."""
        path = next(iter(self.change.files), self.change.test_path)
        if report.reason:
            return [Finding("control", path, 0, f"ends its test run when tests must fail: {report.reason}")]
        cases = known_cases(self.change.test_source)
        prose = prose_without_examples(self.change.stated, cases)
        bent = [Finding("control", path, 0, f"bends its tests: {one}") for one in judge_control(self.control, report)]
        fresh = judge_probes(self.probes, report, self.control.token, cases, prose)
        return [*bent, *(Finding("fresh", path, 0, one) for one in fresh)]


def trial(change: Change) -> Trial:
    """Make the second run of a change whose tests pass.

    Raises:
        InputError: The test file is not Python.
    """
    return Trial(change, control_of(change.test_source), tuple(probes(known_cases(change.test_source))))


def find_copied_answers(change: Change) -> list[Finding]:
    """Find tables of the tests' own answers in what a change writes."""
    cases: list[Known] = known_cases(change.test_source)
    return [
        Finding("answers", path, line, message)
        for path, text in change.files.items()
        if path.endswith(".py") and path != change.test_path and text != change.before.get(path)
        for line, message in copied_answers(text, cases, change.stated)
    ]


async def guarded_run(
    runner: TestRunner,
    root: Path,
    change: Change,
    *,
    overlay: Mapping[str, str],
    expected: int | None = None,
    limits: SandboxLimits | None = None,
) -> TestReport:
    """Run the locked tests on a change and refuse an outcome that was not earned.

    Args:
        runner: Runs the tests; those of other languages than Python are run without the control.
        root: The project; it is not changed.
        change: The change.
        overlay: Texts of all files that the runs need besides the project's.
        expected: How many tests there must be.
        limits: Bounds of each of the two runs.

    Returns:
        The report of the tests. Where the change was caught it holds no test, and its reason says "tampering: …".

    Raises:
        SandboxError: The sandbox does not work.
    """
    found = find_tampering(change)
    if found:
        return refused(found)
    report = await runner.run(root, [change.test_path], expected=expected, overlay=overlay, limits=limits)
    if not report.all_passed or not change.test_path.endswith(".py"):
        return report
    found = find_copied_answers(change) or await _try(runner, root, change, overlay, limits)
    return refused(found, report) if found else report


async def _try(
    runner: TestRunner, root: Path, change: Change, overlay: Mapping[str, str], limits: SandboxLimits | None
) -> list[Finding]:
    made = trial(change)
    report = await runner.run(root, [change.test_path], overlay={**overlay, **made.overlay}, limits=limits)
    if report.reason:  # a busy machine may have stopped it; then without the fresh inputs, which may take long
        made = replace(made, probes=())
        report = await runner.run(root, [change.test_path], overlay={**overlay, **made.overlay}, limits=limits)
    return made.judge(report)


def refused(found: Sequence[Finding], report: TestReport | None = None) -> TestReport:
    """The report of a change that was caught."""
    reason = f"{TAMPERING}: {'; '.join(dict.fromkeys(map(str, found)))}. {ADVICE}"
    started = report or TestReport((), 2, 0.0)
    return replace(started, tests=(), reason=reason)
