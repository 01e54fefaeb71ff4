"""Lenses over specifications and tasks: what can be done with the run, and how far each part is by the event log."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any

from lsprotocol import types as lsp

from agentinfra.core.errors import InputError
from agentinfra.core.tasks import TaskState
from agentinfra.spec.front_matter import body_sha
from agentinfra.spec.source import Lines
from agentinfra.spec.spec_source import SpecSource
from agentinfra.workflow.instructions import OVER
from agentinfra.workflow.retrying import Retry
from agentinfra.workflow.run_state import RunState, TaskView
from agentinfra_server.protocol.language import noted, tr, tr_count
from agentinfra_server.session.connection import Connection
from agentinfra_server.session.progress import describe, tried
from agentinfra_server.session.run_documents import Owner
from agentinfra_server.session.runs import APPROVAL
from agentinfra_server.session.spec_documents import NAMES, Pair, spec_path, to_range

Said = tuple[str, str, Mapping[str, Any]]
"""A lens before it has a place: its title, the verb it sends ("" for none), and the verb's argument."""
SAVE_FIRST = noted("Save it to approve")


def handlers(server: Connection) -> dict[str, Callable[[Any], Awaitable[Any]]]:
    """What answers the request."""

    async def lenses(params: lsp.CodeLensParams) -> list[lsp.CodeLens] | None:
        path = spec_path(params.text_document.uri)
        if path is None:
            return None
        pair = await server.spec_documents.pair(path.parent)
        owner = await server.run_documents.owner(path, pair.spec.text if pair.spec else "")
        if NAMES[path.name] == "tasks":
            return list(_of_tasks(server, pair, owner))
        is_saved = await server.spec_documents.is_saved(path)
        return list(_of_spec(server, pair, owner, is_saved=is_saved))

    return {lsp.TEXT_DOCUMENT_CODE_LENS: lenses}


def _of_spec(server: Connection, pair: Pair, owner: Owner | None, *, is_saved: bool) -> Iterator[lsp.CodeLens]:
    source = pair.spec
    if source is None:
        return
    said = [*(_of_run(server, source, owner, is_saved=is_saved) if owner else ()), *_of_questions(source)]
    top = source.title.first if source.title else 0
    yield from (_lens(server, source.body, top, one) for one in said)
    for one in source.requirements:
        told = _behind(one.id.name, pair, owner)
        if told:
            yield _lens(server, source.body, one.first, (told, "", {}))


def _of_tasks(server: Connection, pair: Pair, owner: Owner | None) -> Iterator[lsp.CodeLens]:
    if pair.tasks is None or owner is None:
        return
    for one in pair.tasks.tasks:
        task = owner.state.task(one.id.name)
        if task is not None:
            yield from (_lens(server, pair.tasks.body, one.first, said) for said in _of_task(owner, task))


def _of_run(server: Connection, source: SpecSource, owner: Owner, *, is_saved: bool) -> Iterator[Said]:
    state = owner.state
    run = {"runId": state.run, "folder": owner.folder.as_uri()}
    waiting = [one.uri for one in server.runs.questions.waiting(state.run) if one.question_id == APPROVAL]
    if waiting and owner.is_own:
        yield from _to_decide(run, is_saved=is_saved)
    elif state.state in OVER:
        yield from _of_result(source, owner, run)
    elif server.runs.is_live(state.run):
        yield describe(state), "", {}
        yield tr("Stop"), "stop", run
    else:
        yield tr("Resume"), "resume", run


def _to_decide(run: Mapping[str, str], *, is_saved: bool) -> Iterator[Said]:
    if not is_saved:
        yield tr(SAVE_FIRST), "", {}  # what is approved is what stands on disk
        return
    yield tr("Approve & build"), "approve", run
    yield tr("Reject"), "reject", run


def _of_result(source: SpecSource, owner: Owner, run: Mapping[str, str]) -> Iterator[Said]:
    state = owner.state
    if state.tasks:
        yield describe(state), "", {}
    if not owner.is_own and state.approved_sha and body_sha(source.text) != state.approved_sha:
        yield tr("Re-plan"), "plan", {"kind": "change", "folder": run["folder"]}
    elif state.state == "done" and state.tasks and not state.decision:
        yield tr("Accept"), "accept", run
        yield tr("Drop"), "drop", run


def _of_questions(source: SpecSource) -> Iterator[Said]:
    left = sum(not one.text_of("answer") for one in source.questions)
    if left:
        yield tr_count("{count} question", "{count} questions", left), "", {}


def _behind(requirement: str, pair: Pair, owner: Owner | None) -> str:
    """The tasks of a requirement, and how many tests prove them: "T-1, T-4 · 3 tests proven"."""
    listed = pair.tasks.tasks if pair.tasks else ()
    tasks = [one.id.name for one in listed if requirement in (named.name for named in one.requirements)]
    state = owner.state if owner else RunState()
    own = [one for one in state.tasks if requirement in one.requirements]
    known = {test.id for test in pair.facts.tests if requirement in test.requirements} if pair.facts else set[str]()
    names = dict.fromkeys([*tasks, *(one.id for one in own)])
    return _told(", ".join(names), known.union(*(_proven(one) for one in own)), has_run=owner is not None)


def _told(names: str, tests: set[str], *, has_run: bool) -> str:
    is_counted = has_run and (names or tests)
    count = tr_count("{count} test proven", "{count} tests proven", len(tests)) if is_counted else ""
    return " · ".join(part for part in (names, count) if part)


def _proven(task: TaskView) -> set[str]:
    """The tests that failed before the code of a task that is done, and pass with it."""
    return set(task.red) & set(task.green) if task.state is TaskState.DONE and not task.undone else set()


def _of_task(owner: Owner, task: TaskView) -> Iterator[Said]:
    said: Sequence[str] = (
        tr("undone") if task.undone else tr(task.state.value),
        tried(task) if task.attempt else "",
        _told("", _proven(task), has_run=bool(_proven(task))),
        task.reason,
    )
    yield " · ".join(part for part in said if part), "", {}
    try:
        Retry(task.id).check(owner.state)
    except InputError:
        return  # nothing to do again
    if not task.is_wanted_again:
        yield tr("Retry"), "retry", {"taskId": task.id, "runId": owner.state.run, "folder": owner.folder.as_uri()}


def _lens(server: Connection, body: Lines, line: int, said: Said) -> lsp.CodeLens:
    title, verb, argument = said
    place = to_range(body, body.span(line), server.spec_documents.units)
    # A lens without a command is not shown by every editor; one without a name does nothing.
    command = lsp.Command(title, f"agentinfra.{verb}" if verb else "", arguments=[dict(argument)] if verb else None)
    return lsp.CodeLens(place, command)
