"""The verbs as commands that any editor can send: each answers at once, and the work goes on by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, get_args

from agentinfra.core.errors import InputError
from agentinfra_server.features import runs, steering
from agentinfra_server.features.answering import answering
from agentinfra_server.protocol import messages as wire
from agentinfra_server.protocol.language import tr
from agentinfra_server.protocol.message import message
from agentinfra_server.session.connection import Connection
from agentinfra_server.session.runs import APPROVAL, spec_sha

Handle = Callable[[Connection, Any], Awaitable[object]]


@message
class RunChoice:
    """Which run; the newest of the folder where none is named."""

    run_id: str | None = None
    folder: str | None = None
    task_ids: list[str] | None = None


@message
class TaskChoice:
    """Which task to do again; of the newest run where none is named."""

    task_id: str
    note: str = ""
    run_id: str | None = None
    folder: str | None = None


@message
class Words:
    """What to say; to the newest run where none is named."""

    text: str
    task_id: str | None = None
    when: wire.When = "next"
    run_id: str | None = None
    folder: str | None = None


def handlers(server: Connection) -> dict[str, Callable[..., Awaitable[Any]]]:
    """What answers each command, by its verb."""
    found = {"plan": _command(server, wire.RunStartParams, runs.start)}
    found["retry"] = _command(server, TaskChoice, _retry)
    found["send"] = _command(server, Words, _send)
    for answer in get_args(wire.Decision):
        found[answer] = _command(server, RunChoice, partial(_decide, decision=answer))
    for action in get_args(wire.Action):
        found[action] = _command(server, RunChoice, partial(_control, action=action))
    for decision in get_args(wire.ChangeDecision):
        # To reject is said of specifications; work is dropped.
        verb = "drop" if decision == "reject" else decision
        found[verb] = _command(server, RunChoice, partial(_change, decision=decision))
    return found


def _command(server: Connection, kind: type[Any], handle: Handle) -> Callable[..., Awaitable[Any]]:
    answer = answering(server, kind, handle)

    async def command(*arguments: Any) -> Any:
        return await answer(arguments[0] if arguments else {})

    return command


async def _decide(server: Connection, given: RunChoice, *, decision: wire.Decision) -> wire.PlanDecideResult:
    """Approve or reject the specification as it stands on disk now."""
    waiting = [one for one in server.runs.questions.waiting(given.run_id) if one.question_id == APPROVAL]
    if not waiting:
        raise InputError(tr("No run waits for an approval"), next_step=tr("Plan a project first"))
    newest = waiting[-1]
    server.runs.questions.settle(newest.run_id, APPROVAL, f"{decision} {await spec_sha(newest)}")
    return wire.PlanDecideResult(state="building" if decision == "approve" else "failed")


async def _control(server: Connection, given: RunChoice, *, action: wire.Action) -> wire.RunControlResult:
    run = await _run(server, given)
    return await runs.control(server, wire.RunControlParams(run_id=run, action=action, folder=given.folder))


async def _change(server: Connection, given: RunChoice, *, decision: wire.ChangeDecision) -> wire.ChangeDecideResult:
    run = await _run(server, given)
    params = wire.ChangeDecideParams(run_id=run, decision=decision, task_ids=given.task_ids or [], folder=given.folder)
    return await runs.decide_change(server, params)


async def _retry(server: Connection, given: TaskChoice) -> wire.TaskRetryResult:
    run = await _run(server, given)
    params = wire.TaskRetryParams(run_id=run, task_id=given.task_id, note=given.note, folder=given.folder)
    return await steering.retry(server, params)


async def _send(server: Connection, given: Words) -> wire.RunSendResult:
    run = await _run(server, given)
    params = wire.RunSendParams(
        run_id=run, text=given.text, task_id=given.task_id, when=given.when, folder=given.folder
    )
    return await steering.send(server, params)


async def _run(server: Connection, given: RunChoice | TaskChoice | Words) -> str:
    if given.run_id is not None:
        return given.run_id
    folder = server.workspaces.folder(given.folder)
    known = await asyncio.to_thread(server.workspaces.log(folder).runs)
    if not known:
        raise InputError(tr("There is no run yet in {folder}", folder=folder), next_step=tr("Plan a project first"))
    return known[-1]
