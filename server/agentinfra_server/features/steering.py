"""A person steers a run: has tasks done again, and speaks to those at work."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from agentinfra.core.errors import InputError
from agentinfra.workflow.instructions import send as send_words
from agentinfra.workflow.retrying import Retry, wanted_again
from agentinfra.workflow.run_state import RunState, reduce
from agentinfra_server.features.answering import Handler, answering
from agentinfra_server.features.runs import no_run
from agentinfra_server.protocol import messages as wire
from agentinfra_server.protocol.language import tr
from agentinfra_server.session.connection import Connection

Handle = Callable[[Connection, Any], Awaitable[object]]


def handlers(server: Connection) -> dict[str, Handler]:
    """What answers each method."""
    handles: dict[str, Handle] = {"agentinfra/task/retry": retry, "agentinfra/run/send": send}
    handles["agentinfra/change/review"] = review
    kinds = {method.name: method.params for method in wire.METHODS}
    return {name: answering(server, kinds[name], handle) for name, handle in handles.items()}


async def retry(server: Connection, params: wire.TaskRetryParams) -> wire.TaskRetryResult:
    """Have a task done again; the answer comes as soon as somebody sees to it."""
    folder = server.workspaces.folder(params.folder)
    await _state(server, folder, params.run_id)
    state = await server.runs.retry(folder, params.run_id, Retry(params.task_id, params.note))
    return wire.TaskRetryResult(task_ids=wanted_again(state))


async def send(server: Connection, params: wire.RunSendParams) -> wire.RunSendResult:
    """Put a person's words on the log, from where the run takes them."""
    folder = server.workspaces.folder(params.folder)
    state = await _state(server, folder, params.run_id)
    log = server.workspaces.log(folder)
    words, task = params.text, params.task_id or ""
    name = await asyncio.to_thread(send_words, log, state, words, task=task, when=params.when)
    return wire.RunSendResult(message_id=name, position=1 + sum(not one.used for one in state.instructions))


async def review(server: Connection, params: wire.ChangeReviewParams) -> wire.ChangeReviewResult:
    """Take rejected lines back, or have the task done again where there are comments."""
    from agentinfra.app import App  # noqa: PLC0415  (the library's heavy half loads at first use)
    from agentinfra.workflow.reviewing import Comment  # noqa: PLC0415
    from agentinfra.workflow.unattended import Unattended  # noqa: PLC0415

    if not params.rejected and not params.comments:
        raise InputError(tr("The review says nothing"), next_step=tr("Reject a hunk or comment on a line"))
    folder = server.workspaces.folder(params.folder)
    await _state(server, folder, params.run_id)
    app = await asyncio.to_thread(App, folder, Unattended())
    chosen = _chosen(params.rejected)
    try:
        found = await app.review(params.run_id)
        if not params.comments:
            done = await found.reject(params.task_id, chosen, force=params.force)
            return wire.ChangeReviewResult(commit=done.commit, failing=list(done.failing))
        comments = [Comment(one.path, one.line, one.text) for one in params.comments]
        note = await found.note(params.task_id, chosen, comments)
        commit, _ = await found.delivery.undo([params.task_id])
    finally:
        await app.aclose()
    state = await server.runs.retry(folder, params.run_id, Retry(params.task_id, note))
    return wire.ChangeReviewResult(commit=commit, task_ids=wanted_again(state))


def _chosen(rejected: Sequence[wire.RejectedHunk]) -> dict[str, list[int]]:
    chosen: dict[str, list[int]] = {}
    for one in rejected:
        chosen.setdefault(one.path, []).append(one.hunk)
    return chosen


async def _state(server: Connection, folder: Path, run: str) -> RunState:
    state = reduce(await asyncio.to_thread(server.workspaces.log(folder).read, run))
    if not state.run:
        raise no_run(run, folder)
    return state
