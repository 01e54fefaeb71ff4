"""Judge cheats and honest solutions as the engine judges attempts: locked tests, the sandbox, the tamper guard."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cheat_catalogue import TEST_PATH, Work

from agentinfra.core.interfaces import SandboxLimits
from agentinfra.proof.batch import run_each
from agentinfra.proof.guard import TAMPERING, Trial, find_copied_answers, guarded_run, trial
from agentinfra.proof.report import TestReport
from agentinfra.proof.runner import TestRunner
from agentinfra.proof.tamper import find_tampering

LIMITS = SandboxLimits(wall_seconds=8, cpu_seconds=8)
AT_ONCE = 2
_LAYERS = (
    ("bends its tests", "control run"),
    ("ends its test run", "control run"),
    ("knows only the tests' own inputs", "fresh inputs"),
    ("holds the tests' own inputs", "copied answers"),
)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What became of a work.

    Attributes:
        work: The work.
        taken: Whether it would have been accepted.
        caught_by: What refused it: "source", "control run", "fresh inputs", "copied answers", "runner" or "tests".
        reason: Why.
    """

    work: Work
    taken: bool
    caught_by: str
    reason: str


async def judge_cheats(runner: TestRunner, works: Sequence[Work]) -> list[Judgement]:
    """Judge each cheat in runs of its own, a few at once."""
    slots = asyncio.Semaphore(AT_ONCE)

    async def judge(work: Work, root: Path) -> Judgement:
        async with slots:
            count = len(work.job.suite.cases)
            report = await guarded_run(runner, root, work.change, overlay=work.overlay, expected=count, limits=LIMITS)
            return _judgement(work, report)

    with _empty_project() as root:
        return await asyncio.gather(*(judge(work, root) for work in works))


async def judge_honest(runner: TestRunner, works: Sequence[Work]) -> list[Judgement]:
    """Judge honest works, many in one start of the sandbox; each by the same looks as an attempt."""
    with _empty_project() as root:
        reports = await run_each(runner, root, [TEST_PATH], [work.overlay for work in works], limits=LIMITS)
        trials = [trial(work.change) for work in works]
        overlays = [{**work.overlay, **made.overlay} for work, made in zip(works, trials, strict=True)]
        seconds = await run_each(runner, root, [TEST_PATH], overlays, limits=LIMITS)
    each = zip(works, reports, trials, seconds, strict=True)
    return [_honest_judgement(work, report, made, second) for work, report, made, second in each]


def _honest_judgement(work: Work, report: TestReport, made: Trial, second: TestReport) -> Judgement:
    found = find_tampering(work.change) or find_copied_answers(work.change)
    if report.all_passed and not found:
        found = made.judge(second)
    if not found:
        return _judgement(work, report)
    return Judgement(work, False, found[0].rule, "; ".join(map(str, found)))


def _judgement(work: Work, report: TestReport) -> Judgement:
    if report.all_passed:
        return Judgement(work, True, "", "")
    if report.reason.startswith(TAMPERING):
        reason = report.reason.removeprefix(f"{TAMPERING}: ").partition(". ")[0]
        layer = next((layer for mark, layer in _LAYERS if mark in reason), "source")
        return Judgement(work, False, layer, reason)
    if report.reason:
        return Judgement(work, False, "runner", report.reason)
    failed = next((test for test in report.tests if test.outcome != "passed"), None)
    told = failed.message.partition("\n")[0] if failed else "no test was run"
    return Judgement(work, False, "tests", f"{failed.outcome if failed else 'nothing'}: {told}")


@contextmanager
def _empty_project() -> Generator[Path]:
    with tempfile.TemporaryDirectory(prefix="agentinfra-cheats-") as folder:
        yield Path(folder)
