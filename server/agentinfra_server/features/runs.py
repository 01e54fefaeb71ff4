"""Runs over our own methods: start, look at, stop and go on, decide."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from pygls.uris import to_fs_path

from agentinfra.core.errors import InputError
from agentinfra.environment.hunks import Hunk, hunks
from agentinfra.workflow.event_log import FINAL_RUN_STATES
from agentinfra.workflow.run_state import reduce
from agentinfra_server.features.answering import ContentModified, Handler, answering
from agentinfra_server.features.initializing import require_consent
from agentinfra_server.protocol import messages as wire
from agentinfra_server.protocol.language import tr
from agentinfra_server.session.connection import Connection
from agentinfra_server.session.run_view import as_on_disk, view_of
from agentinfra_server.session.runs import APPROVAL, spec_sha, wire_event

MOST_EVENTS = 5000
_COMMIT = re.compile(r"[0-9a-f]{7,64}")

Handle = Callable[[Connection, Any], Awaitable[object]]


def handlers(server: Connection) -> dict[str, Handler]:
    """What answers each method."""
    handles: dict[str, Handle] = {
        "agentinfra/run/start": start,
        "agentinfra/run/get": get,
        "agentinfra/run/view": view,
        "agentinfra/run/control": control,
        "agentinfra/plan/decide": decide_plan,
        "agentinfra/change/decide": decide_change,
        "agentinfra/change/show": show_change,
    }
    kinds = {method.name: method.params for method in wire.METHODS}
    return {name: answering(server, kinds[name], handle) for name, handle in handles.items()}


async def start(server: Connection, params: wire.RunStartParams) -> wire.RunStartResult:
    """Start a run; the answer comes as soon as it has an id."""
    folder = server.workspaces.folder(params.folder)
    if params.planner and not server.editor.trusts:
        raise InputError(
            tr("The workspace is not trusted, so its own planner is not run"),
            next_step=tr("Trust the workspace first"),
        )
    await require_consent(server, folder, params)
    options = {
        "mode": params.mode,
        "init": params.initialize,
        "model": params.model,
        "planner": params.planner,
        "replay": _path(params.replay),
        "budget_usd": params.budget.usd,
        "budget_tokens": params.budget.tokens,
        "budget_requests": params.budget.requests,
        "yes": params.mode == "unattended",
    }
    if params.budget.minutes is not None:
        options["budget_minutes"] = params.budget.minutes
    if params.kind == "plan":
        return wire.RunStartResult(
            run_id=await server.runs.begin(folder, "run/plan", {**options, "idea": params.prompt})
        )
    return wire.RunStartResult(run_id=await server.runs.begin(folder, "run/change", options))


async def get(server: Connection, params: wire.RunGetParams) -> wire.RunGetResult:
    """All runs, or what happened in one since an event; one that is at work is shown from then on."""
    folder = server.workspaces.folder(params.folder)
    log = server.workspaces.log(folder)
    if params.run_id is None:
        states = await asyncio.to_thread(lambda: [reduce(log.read(run)) for run in log.runs()])
        runs = [
            wire.RunSummary(
                run_id=one.run,
                state=one.state,
                idea=str(one.info.get("idea", "")),
                is_live=server.runs.is_live(one.run),
            )
            for one in states
        ]
        actions = await asyncio.to_thread(server.code_work.record.listed, folder)
        return wire.RunGetResult(runs=runs, actions=actions)
    found = await asyncio.to_thread(_events, server, folder, params.run_id, params)
    if found.state not in FINAL_RUN_STATES:
        await server.runs.show(folder, params.run_id, found.last_seq)
    return found


def _events(server: Connection, folder: Path, run: str, params: wire.RunGetParams) -> wire.RunGetResult:
    log = server.workspaces.log(folder)
    everything = log.read(run)
    if not everything:
        raise no_run(run, folder)
    limit = min(max(params.limit, 1), MOST_EVENTS)
    wanted = [event for event in everything if event.seq > params.since_seq][:limit]
    return wire.RunGetResult(
        state=reduce(everything).state,
        events=[wire_event(event) for event in wanted],
        last_seq=everything[-1].seq,
    )


async def view(server: Connection, params: wire.RunViewParams) -> wire.RunView:
    """A run as it is shown; one that is at work is shown from then on."""
    folder = server.workspaces.folder(params.folder)
    log = server.workspaces.log(folder)
    known = await asyncio.to_thread(log.runs)
    run = params.run_id or (known[-1] if known else "")
    if run not in known:
        raise no_run(run, folder)
    state = await asyncio.to_thread(lambda: as_on_disk(reduce(log.read(run))))
    if state.state not in FINAL_RUN_STATES:
        await server.runs.show(folder, run, state.seq)
    return view_of(state, folder, state.tasks, is_live=server.runs.is_live(run))


async def control(server: Connection, params: wire.RunControlParams) -> wire.RunControlResult:
    """Stop a run, or go on with it."""
    folder = server.workspaces.folder(params.folder)
    if params.action == "resume":
        await server.runs.begin(folder, "run/resume", {"run": params.run_id})
    else:
        await server.runs.stop(params.run_id)
    events = await asyncio.to_thread(server.workspaces.log(folder).read, params.run_id)
    return wire.RunControlResult(state=reduce(events).state)


async def decide_plan(server: Connection, params: wire.PlanDecideParams) -> wire.PlanDecideResult:
    """Approve or reject what a person saw; refused where the specification was edited since."""
    waiting = [one for one in server.runs.questions.waiting(params.run_id) if one.question_id == APPROVAL]
    if not waiting:
        raise InputError(
            tr("Run {run} does not wait for an approval", run=params.run_id), next_step=tr("See its state: run/get")
        )
    now = await spec_sha(waiting[0])
    if now != params.spec_sha:
        raise ContentModified(tr("The specification's hash is {sha} now", sha=now))
    server.runs.questions.settle(params.run_id, APPROVAL, f"{params.decision} {now}")
    return wire.PlanDecideResult(state="building" if params.decision == "approve" else "failed")


async def decide_change(server: Connection, params: wire.ChangeDecideParams) -> wire.ChangeDecideResult:
    """Accept, reject, undo or redo the work of a run, or of some of its tasks."""
    from agentinfra.app import App  # noqa: PLC0415  (the library's heavy half loads at first use)
    from agentinfra.workflow.unattended import Unattended  # noqa: PLC0415

    folder = server.workspaces.folder(params.folder)
    app = await asyncio.to_thread(App, folder, Unattended())
    try:
        delivery = await app.delivery(params.run_id)
        tasks = params.task_ids
        if params.decision == "accept":
            return wire.ChangeDecideResult(commit=await delivery.accept(tasks), task_ids=tasks)
        if params.decision == "reject":
            await delivery.reject(tasks)
            return wire.ChangeDecideResult(commit="", task_ids=tasks)
        commit, taken = await (delivery.undo(tasks) if params.decision == "undo" else delivery.redo(tasks))
        return wire.ChangeDecideResult(commit=commit, task_ids=taken)
    finally:
        await app.aclose()
        server.run_findings.changed(folder)


async def show_change(server: Connection, params: wire.ChangeShowParams) -> wire.ChangeShowResult:
    """A file before and after a commit."""
    from agentinfra.core.errors import WorkspaceError  # noqa: PLC0415
    from agentinfra.environment.git_workspace import GitWorkspace  # noqa: PLC0415  (loads git at first use)

    if _COMMIT.fullmatch(params.commit) is None:
        raise InputError(
            tr("{commit} is no commit", commit=repr(params.commit)),
            next_step=tr("Name a task's commit, as run/view has it"),
        )
    git = await asyncio.to_thread(GitWorkspace.open, server.workspaces.folder(params.folder), init=False)

    async def text(ref: str) -> str:
        try:
            return await git.read_file(ref, params.path)
        except WorkspaceError:
            return ""  # it was not there, or is no text

    await git.commit_id(params.commit)
    before, after = await text(f"{params.commit}^"), await text(params.commit)
    found = await asyncio.to_thread(hunks, before, after)
    return wire.ChangeShowResult(before=before, after=after, hunks=[_hunk(one) for one in found])


def _hunk(one: Hunk) -> wire.HunkItem:
    (start, end), (new_start, new_end) = one.before, one.after
    return wire.HunkItem(
        number=one.number, before_start=start, before_end=end, after_start=new_start, after_end=new_end
    )


def no_run(run: str, folder: Path) -> InputError:
    """What is said where a folder has no such run, or none at all."""
    said = tr("There is no run {run} in {folder}", run=run, folder=folder) if run else ""
    return InputError(said or tr("There is no run in {folder}", folder=folder), next_step=tr("List them: run/get"))


def _path(uri: str | None) -> str | None:
    return to_fs_path(uri) if uri else None
