"""What the documents claim, against what the event log bears out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from agentinfra.core.tasks import TaskState
from agentinfra.spec.checks.edits import span_of
from agentinfra.spec.checks.finding import Diagnostic, Documents, Fix, RunFacts
from agentinfra.spec.front_matter import body_sha
from agentinfra.spec.requirements import STATUSES
from agentinfra.spec.source import Edit, Lines, Span
from agentinfra.spec.spec_source import SpecSource
from agentinfra.spec.tasks_source import TaskSource

_STATUS = re.compile(r"^status:[ \t]*(?P<value>[^#\s]*)", re.MULTILINE)
_BEGUN = frozenset(TaskState) - {TaskState.PENDING, TaskState.READY}
_SHOWN = 3


def status(documents: Documents) -> Iterator[Diagnostic]:
    """A status that was edited away, or that the log does not bear out; the fix writes what it does."""
    spec, facts = documents.spec, documents.facts
    found = _STATUS.search(spec.text, 0, spec.body.begin)
    said = spec.front.get("status", "")
    if facts is None:
        return
    if facts.approved_sha and body_sha(spec.text) != facts.approved_sha:
        yield _edited(spec, facts, found)
    elif found and said in STATUSES and STATUSES.index(said) > STATUSES.index(facts.status):
        yield _not_borne_out(facts, found, said)


def _edited(spec: SpecSource, facts: RunFacts, found: re.Match[str] | None) -> Diagnostic:
    fix = _status_written(found, "draft") if found and found["value"] != "draft" else None
    return Diagnostic(
        "edited-after-approval",
        spec.front.get("id", ""),
        f"This is no longer the text that was approved for run {facts.run}; build the change with "
        "`agentinfra plan --change`, or take it back",
        "spec",
        Span(*found.span("value")) if found else _beginning(spec),
        fix=fix,
    )


def _not_borne_out(facts: RunFacts, found: re.Match[str], said: str) -> Diagnostic:
    known = f"the event log says that it is {facts.status}" if facts.run else "no run of its id is on record here"
    return Diagnostic(
        "status-not-on-record",
        facts.run,
        f"The status is {said}, but {known}",
        "spec",
        Span(*found.span("value")),
        fix=_status_written(found, facts.status),
    )


def _status_written(found: re.Match[str], value: str) -> Fix:
    return Fix(f"Write {value}", "spec", (Edit(*found.span("value"), value),), safe=True)


def task_states(documents: Documents) -> Iterator[Diagnostic]:
    """Tasks whose state is not the one that the engine gave them; the fix writes that one."""
    if documents.tasks is None or documents.facts is None:
        return
    for task in documents.tasks.tasks:
        said = _said(documents.tasks.body, task)
        known = documents.facts.tasks.get(task.id.name, TaskState.PENDING)
        undone = task.id.name in documents.facts.undone
        if said is not None and _claims(said) and (said is not known or undone):
            yield _state(task, said, known)


def blocked_tasks(documents: Documents) -> Iterator[Diagnostic]:
    """Tasks that the run has tried and could not do, with its reason."""
    if documents.tasks is None or documents.facts is None:
        return
    for task in documents.tasks.tasks:
        name = task.id.name
        if (why := documents.facts.blocked.get(name)) is not None:
            message = f"{name} could not be done" + (f": {why}" if why else "")
            yield Diagnostic("blocked-task", name, message, "tasks", span_of(task.id))


def _said(lines: Lines, task: TaskSource) -> TaskState | None:
    """The state that the task's line claims, by its word, or by its box alone."""
    if task.state:
        return TaskState(task.state)
    return TaskState.DONE if lines.text[task.box.start : task.box.end] in ("x", "X") else None


def _claims(state: TaskState) -> bool:
    return state in _BEGUN


def _state(task: TaskSource, said: TaskState, known: TaskState) -> Diagnostic:
    undone = said is known
    why = "it was taken off the branch again" if undone else f"the event log says that it is {known}"
    return Diagnostic(
        "task-state-not-on-record",
        task.id.name,
        f"{task.id.name} is {said} here, but {why}",
        "tasks",
        Span(task.box.start, task.box.end),
        fix=None if undone else _state_written(task, known),
    )


def _state_written(task: TaskSource, known: TaskState) -> Fix:
    edits = [Edit(task.box.start, task.box.end, known.checkbox[1])]
    if task.state:
        edits.append(Edit(task.mark.start, task.mark.end, f" _({known})_"))
    return Fix(f"Write {known}", "tasks", tuple(edits), safe=True)


def orphan_tests(documents: Documents) -> Iterator[Diagnostic]:
    """Tests that stand, though every requirement that they were written for is gone."""
    gone: dict[tuple[str, ...], list[str]] = {}
    for test in documents.facts.tests if documents.facts else ():
        if test.requirements and not any(name in documents.requirements for name in test.requirements):
            gone.setdefault(test.requirements, []).append(test.id)
    for names, tests in gone.items():
        shown = ", ".join(tests[:_SHOWN]) + (f" and {len(tests) - _SHOWN} more" if len(tests) > _SHOWN else "")
        message = f"{', '.join(names)} is gone, but its tests still stand: {shown}"
        document, span = _where(documents, names)
        yield Diagnostic("orphan-test", names[0], message, document, span)


def _where(documents: Documents, names: tuple[str, ...]) -> tuple[Literal["spec", "tasks"], Span]:
    """Where a task still names the requirement, or else the heading of the requirements."""
    for task in documents.tasks.tasks if documents.tasks else ():
        for mention in task.requirements:
            if mention.name in names:
                return "tasks", span_of(mention)
    return "spec", _heading(documents.spec)


def _heading(spec: SpecSource) -> Span:
    lines = spec.body.lines
    found = next((index for index, line in enumerate(lines) if line.lower().rstrip() == "## requirements"), None)
    return _beginning(spec) if found is None else spec.body.span(found)


def _beginning(spec: SpecSource) -> Span:
    """The title's line, or the first one."""
    found = (index for index, label in enumerate(spec.labels) if label.kind == "title")
    return spec.body.span(next(found, 0))
