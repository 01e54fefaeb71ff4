"""Proving tests RED, and that they would catch an implementation that does nothing."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentinfra.agents.project import Lock
from agentinfra.agents.test_suite import Case, Suite
from agentinfra.core.tasks import Task
from agentinfra.patching.apply import apply_files
from agentinfra.patching.splice import splice
from agentinfra.proof.locks import TestLock, lock
from agentinfra.proof.records import RedRecord, judge_red
from agentinfra.proof.report import TestReport
from agentinfra.proof.strength import survivors
from agentinfra.spec.stubs import stub

if TYPE_CHECKING:
    from agentinfra.workflow.run import Run

MAX_CONSTANTS = 3


@dataclass(frozen=True, slots=True)
class LockedTests:
    """The tests of a task as they are locked: the file's cases, its hash, and the proof that they were RED."""

    suite: Suite
    lock: TestLock
    red: RedRecord


async def prove_red(run: Run, task: Task, suite: Suite) -> tuple[Lock, LockedTests | None]:
    """Run the suite against empty bodies and trivial implementations.

    A guess that holds for empty bodies proves nothing and is dropped; a grounded case that does is kept but not
    counted. Returns what the engineer is told, and the locked tests where they hold.
    """
    if not suite.cases:
        return Lock(suite, ok=False, reason="there is not one usable test"), None
    name = f"{run.id}-red-{task.id}"
    root = await run.parts.git.task_worktree(name, f"agentinfra/{run.id}")
    try:
        return await _judge(run, task, suite, root)
    finally:
        await run.parts.git.remove_worktree(name)


async def _judge(run: Run, task: Task, suite: Suite, root: Path) -> tuple[Lock, LockedTests | None]:
    report = await _run_on_stubs(run, task, suite, root)
    passing = {outcome.id for outcome in report.tests if outcome.outcome == "passed"}
    idle = [case.name for case in suite.cases if suite.test_id(case) in passing and not case.example.ground.is_firm]
    if idle:
        suite = suite.without(idle)
        if not suite.cases:
            return Lock(suite, ok=False, reason="every test passes for a function that returns nothing"), None
        report = await _run_on_stubs(run, task, suite, root)
    verdict = judge_red(report, [suite.test_id(case) for case in suite.cases if suite.test_id(case) not in passing])
    await _tell(run, task, suite, report, verdict.reasons)
    if verdict.record is None:
        return Lock(suite, ok=False, reason="; ".join(verdict.reasons)), None
    alive = await _survivors(run, task, suite, root)
    if alive:
        return Lock(suite, ok=False, reason=f"{', '.join(alive)} passes them all", survivors=tuple(alive)), None
    await apply_files(root, {suite.path: suite.source()})
    locked = await asyncio.to_thread(lock, root, [suite.path])
    return Lock(suite, ok=True), LockedTests(suite, locked, verdict.record)


async def _run_on_stubs(run: Run, task: Task, suite: Suite, root: Path) -> TestReport:
    """Put empty bodies of everything that does not exist yet into the worktree, and run the suite."""
    assert run.spec is not None
    files = {suite.path: suite.source()}
    for one in run.spec.requirements:
        if one.file.endswith(".py") and one.symbols:
            there = files.get(one.file) or await asyncio.to_thread(_text, root / one.file)
            files[one.file] = _with_stubs(there, one.symbols, replace=one.id in task.requirements)
    for folder in {path.rpartition("/")[0] for path in files if path.endswith(".py") and "/" in path} - {"tests"}:
        files.setdefault(f"{folder}/__init__.py", await asyncio.to_thread(_text, root / folder / "__init__.py"))
    await apply_files(root, files)
    result = await run.step(f"red {task.id}", lambda: _report(run, root, suite))
    return TestReport.from_json(result)


async def _report(run: Run, root: Path, suite: Suite) -> dict[str, Any]:
    report = await run.parts.runner.run(root, [suite.path], expected=len(suite.cases))
    return report.to_json()


async def _survivors(run: Run, task: Task, suite: Suite, root: Path) -> list[str]:
    if not task.files[0].endswith(".py") or not task.symbols:
        return []
    constants = _constants(suite.cases)
    file, tests = task.files[0], [suite.path]

    async def attempt() -> list[str]:
        return await survivors(run.parts.runner, root, file, stub(task.symbols), constants, tests)

    return await run.step(f"strength {task.id}", attempt)


def _constants(cases: tuple[Case, ...]) -> list[str]:
    values = [case.example.value for case in cases if case.example.expect == "returns"]
    return sorted(set(values), key=lambda value: -values.count(value))[:MAX_CONSTANTS]


def _with_stubs(source: str, symbols: tuple[str, ...], *, replace: bool) -> str:
    text = stub(symbols)
    names = [line.split("(")[0].split(":")[0].split()[1] for line in text.splitlines() if line.startswith(("def ", "class "))]
    wanted = [name for name in names if replace or f" {name}(" not in source and f" {name}:" not in source]
    return splice(source, text, wanted) if wanted else source


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""



async def _tell(run: Run, task: Task, suite: Suite, report: TestReport, reasons: tuple[str, ...]) -> None:
    data = report_data(report, task.id, "red")
    await run.emit("test_result", {**data, "reason": "; ".join(reasons)}, ("planner", task.engineer))


def report_data(report: TestReport, task: str | None, phase: str, **more: Any) -> dict[str, Any]:
    """A test report as event data."""
    tests = [{"id": one.id, "outcome": one.outcome, "message": one.message[:500]} for one in report.tests]
    data = {"task": task, "phase": phase, "exit_code": report.exit_code, "seconds": report.seconds, "tests": tests}
    return {**data, "reason": report.reason, **more}
