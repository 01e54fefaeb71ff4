"""Proving tests RED, and that they would catch an implementation that does nothing."""

from __future__ import annotations

import ast
import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from agentinfra.agents.project import Lock
from agentinfra.agents.test_suite import Case, Suite
from agentinfra.core.tasks import Task
from agentinfra.patching.apply import apply_files
from agentinfra.patching.splice import splice
from agentinfra.proof.locks import TestLock, lock
from agentinfra.proof.records import RedRecord, judge_red
from agentinfra.proof.report import TestReport
from agentinfra.proof.strength import survivors, trivial_implementations, with_implementation
from agentinfra.spec.requirements import Expect
from agentinfra.spec.stubs import stub
from agentinfra.workflow.strength import tell_trivial

if TYPE_CHECKING:
    from agentinfra.workflow.run import Run

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


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
            return Lock(suite, ok=False, reason="every test passes for code that does nothing"), None
        report = await _run_on_stubs(run, task, suite, root)
    await apply_files(root, {suite.path: suite.source()})
    locked = await asyncio.to_thread(lock, root, [suite.path], task.files)
    required = [suite.test_id(case) for case in suite.cases if suite.test_id(case) not in passing]
    verdict = judge_red(report, required, tests_sha=locked.sha)
    data = report_data(report, task.id, "red", tests_sha=locked.sha)
    reason = "; ".join(verdict.reasons)
    await run.emit("test_result", {**data, "reason": reason}, ("planner", task.engineer))
    if verdict.record is None:
        return Lock(suite, ok=False, reason=reason), None
    alive = await _survivors(run, task, suite, root, locked.sha)
    if alive:
        return Lock(suite, ok=False, reason=f"{', '.join(alive)} passes them all", survivors=tuple(alive)), None
    return Lock(suite, ok=True), LockedTests(suite, locked, verdict.record)


async def _run_on_stubs(run: Run, task: Task, suite: Suite, root: Path) -> TestReport:
    """Run the suite with empty bodies of everything that does not exist yet."""
    overlay = {suite.path: suite.source(), **await asyncio.to_thread(_stub_files, run, task, root)}

    async def attempt() -> dict[str, Any]:
        report = await run.parts.runner.run(root, [suite.path], expected=len(suite.cases), overlay=overlay)
        return report.to_json()

    return TestReport.from_json(await run.step(f"red {task.id}", attempt))


def _stub_files(run: Run, task: Task, root: Path) -> dict[str, str]:
    assert run.spec is not None
    files: dict[str, str] = {}
    for one in run.spec.requirements:
        if one.file.endswith(".py") and one.symbols:
            there = files.get(one.file) or text_of(root / one.file)
            files[one.file] = _with_stubs(there, one.symbols, anew=one.id in task.requirements)
    for package in package_files([*files, *task.files]):
        files.setdefault(package, text_of(root / package))
    return files


def package_files(paths: Iterable[str]) -> set[str]:
    """The ``__init__.py`` files that make the folders of these Python files importable."""
    folders = {path.rpartition("/")[0] for path in paths if path.endswith(".py") and "/" in path}
    return {f"{folder}/__init__.py" for folder in folders} - set(paths)


async def _survivors(run: Run, task: Task, suite: Suite, root: Path, tests_sha: str) -> list[str]:
    """The thoughtless implementations that pass the tests, put on record with the number of those that were tried."""
    wrong = await asyncio.to_thread(_trivial, task, suite, root)
    if not wrong:
        return []

    async def attempt() -> dict[str, Any]:
        started, overlays = monotonic(), [{task.files[0]: source} for _, source in wrong]
        alive = await survivors(run.parts.runner, root, [suite.path], overlays)
        return {"survivors": [wrong[index][0] for index in alive], "seconds": monotonic() - started}

    found = await run.step(f"strength {task.id}", attempt)
    await tell_trivial(run, task, len(wrong), found["survivors"], tests_sha=tests_sha, seconds=found["seconds"])
    return found["survivors"]


def _trivial(task: Task, suite: Suite, root: Path) -> list[tuple[str, str]]:
    """Thoughtless implementations, by name: the whole file with each; programs always print the same."""
    if task.is_program:
        return [(f"constant {one!r}", f"print({one!r})\n") for one in dict.fromkeys(_values(suite.cases, "prints"))]
    source = stub(task.symbols)
    if not task.files[0].endswith(".py") or not source.strip():
        return []
    there = text_of(root / task.files[0])
    tried = trivial_implementations(source, _values(suite.cases, "returns"), _values(suite.cases, "raises"))
    return [(name, with_implementation(there, one)) for name, one in tried]


def _values(cases: tuple[Case, ...], expect: Expect) -> list[str]:
    return [case.example.value for case in cases if case.example.expect == expect]


def _with_stubs(source: str, symbols: tuple[str, ...], *, anew: bool) -> str:
    text = stub(symbols)
    defined = {node.name for node in ast.walk(ast.parse(source)) if isinstance(node, _DEFINITIONS)}
    names = [node.name for node in ast.parse(text).body if isinstance(node, _DEFINITIONS)]
    wanted = [name for name in names if anew or name not in defined]
    return splice(source, text, wanted) if wanted else source


def text_of(path: Path) -> str:
    """A file's text; empty where there is none."""
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def report_data(report: TestReport, task: str | None, phase: str, **more: Any) -> dict[str, Any]:
    """A test report as event data."""
    tests = [
        {"id": one.id, "outcome": one.outcome, "message": one.message[:500], "kind": one.kind} for one in report.tests
    ]
    data = {"task": task, "phase": phase, "exit_code": report.exit_code, "seconds": report.seconds, "tests": tests}
    return {**data, "reason": report.reason, **more}
