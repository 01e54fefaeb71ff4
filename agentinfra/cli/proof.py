"""The verb ``proof``: the records that make the tasks of a run done, judged again."""

from __future__ import annotations

import asyncio
import json as json_format
from collections.abc import Iterator, Sequence
from typing import Annotated

import typer

from agentinfra.cli import options as opt
from agentinfra.cli.exit_codes import ExitCode
from agentinfra.cli.session import opened
from agentinfra.core.errors import InputError
from agentinfra.core.events import Event
from agentinfra.security.clean import clean_text
from agentinfra.workflow.proofs import TaskProof, kinds, proofs

_SHORT = 12
_LINE = 200

Run = Annotated[str | None, typer.Argument(metavar="[RUN]", help="Id of a run; the newest one by default.")]
Task = Annotated[str | None, typer.Argument(metavar="[TASK]", help="A task id such as T-2; all by default.")]
Json = Annotated[bool, typer.Option("--json", help="Print the records as JSON.")]


def proof(run: Run = None, task: Task = None, *, json: Json = False, workspace: opt.Workspace = opt.HERE) -> None:
    """Show what proves the tasks of a run: tests RED, then GREEN with the same locked files, then merged.

    Exit codes: 0 every done task is borne out by its records; 1 one is not; 2 there is no such run or task.
    """
    found, events = asyncio.run(_read(run, workspace))
    shown = _chosen(proofs(events), task)
    holds = not any(one.problems for one in shown)
    if json:
        data = {"run": found, "borne_out": holds, "tasks": [one.to_json() for one in shown]}
        typer.echo(json_format.dumps(data, indent=2))
    else:
        typer.echo("\n".join(clean_text(line.replace("\n", " "), _LINE) for line in _lines(found, shown)))
    if not holds:
        raise typer.Exit(ExitCode.UNFINISHED)


async def _read(run: str | None, workspace: opt.Workspace) -> tuple[str, Sequence[Event]]:
    async with opened(workspace.resolve()) as app:
        found = app.run_id(run)
        return found, app.log.read(found)


def _chosen(all_proofs: Sequence[TaskProof], task: str | None) -> list[TaskProof]:
    chosen = [one for one in all_proofs if task in (None, one.task.id)]
    if task is not None and not chosen:
        known = ", ".join(one.task.id for one in all_proofs) or "none"
        raise InputError(f"The run has no task {task}", why=f"Its tasks are: {known}")
    return chosen


def _lines(run: str, shown: Sequence[TaskProof]) -> Iterator[str]:
    for one in shown:
        yield f"{one.task.id} {one.task.title}: {_verdict(one)}"
        yield from (f"  {line}" for line in _task_lines(one))
    done = [one for one in shown if one.is_done]
    held = sum(not one.problems for one in done)
    yield f"run {run}: {held} of {len(done)} done tasks are borne out by their records"


def _verdict(one: TaskProof) -> str:
    if one.undone:
        return "undone"
    if not one.is_done:
        return one.task.state.value
    return "done, but not borne out by its records" if one.problems else "done, borne out"


def _task_lines(one: TaskProof) -> Iterator[str]:
    yield from (f"✗ {problem}" for problem in one.problems)
    if one.red is not None:
        failing = f"{len(one.red.failing)} of {len(one.red.tests)} tests failed ({kinds(one.red)})"
        yield f"RED    exit {one.red.exit_code}, {failing}, {_lock(one.red.tests_sha)}"
        yield from (f"       {test.id}  {test.kind or test.outcome}" for test in one.red.failing)
    if one.green is not None:
        passed = len(one.green.tests) - len(one.green.failing)
        same = one.red is not None and one.green.tests_sha == one.red.tests_sha
        lock = "the same lock" if same else _lock(one.green.tests_sha)
        yield f"GREEN  exit {one.green.exit_code}, {passed} of {len(one.green.tests)} tests passed, {lock}"
    if one.task.commit:
        yield f"merged {one.task.commit[:_SHORT]}"
    yield from (f"caught {reason}" for reason in one.refused)
    for strength in one.task.strength:
        told = strength.reason or f"{strength.killed} of {strength.tried} wrong forms of the code are caught"
        yield f"tests  {strength.requirement}: {told}"


def _lock(sha: str) -> str:
    return f"lock {sha[:_SHORT]}" if sha else "no lock on record"
