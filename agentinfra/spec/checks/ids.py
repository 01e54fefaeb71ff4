"""Ids that stand for two things, and ids that stand for none."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from itertools import chain

from agentinfra.spec.checks.edits import free_ids, span_of, taken_out
from agentinfra.spec.checks.finding import Diagnostic, Document, Documents, Fix, Related
from agentinfra.spec.source import Edit, Mention
from agentinfra.spec.tasks_source import TasksSource

_REQUIREMENT = re.compile(r"\bN?FR-\d+\b")


def duplicate_ids(documents: Documents) -> Iterator[Diagnostic]:
    """Ids that are given twice, each but the first; the fix gives a free one."""
    spec, tasks = documents.spec, documents.tasks
    yield from _doubled("spec", [one.id for one in chain(spec.requirements, spec.questions)])
    if tasks:
        yield from _doubled("tasks", [one.id for one in tasks.tasks])


def _doubled(document: Document, ids: Sequence[Mention]) -> Iterator[Diagnostic]:
    given = [one.name for one in ids]
    first: dict[str, Mention] = {}
    free: dict[str, Iterator[str]] = {}
    for one in ids:
        earlier = first.setdefault(one.name, one)
        if earlier is one:
            continue
        prefix = one.name.rpartition("-")[0]
        names = free.setdefault(prefix, free_ids(prefix, given))
        name = next(names)
        yield Diagnostic(
            "duplicate-id",
            one.name,
            f"{one.name} is given twice; what refers to it is taken to mean the first",
            document,
            span_of(one),
            (Related(document, span_of(earlier), f"{one.name} is given here first"),),
            Fix(f"Call it {name}", document, (Edit(one.start, one.end, name),)),
        )


def unknown_ids(documents: Documents) -> Iterator[Diagnostic]:
    """Ids that tasks and statements refer to, and that nothing has."""
    known = documents.requirements
    for one in (one for one in documents.statements if "FR-" in one.text):
        for found in _REQUIREMENT.finditer(one.text):
            if found[0] not in known:
                mention = Mention(found[0], one.start + found.start(), one.start + found.end())
                yield _unknown("spec", mention, "requirement", _respelt(mention, known, "spec"))
    if documents.tasks:
        yield from _unknown_in_tasks(documents, documents.tasks)


def _unknown_in_tasks(documents: Documents, tasks: TasksSource) -> Iterator[Diagnostic]:
    ids = {task.id.name for task in tasks.tasks}
    for task in tasks.tasks:
        for one in task.requirements:
            if one.name not in documents.requirements:
                yield _listed(documents, task.requirements, one, "requirement", documents.requirements)
        for one in task.depends_on:
            if one.name not in ids:
                yield _listed(documents, task.depends_on, one, "task", ids)


def _listed(
    documents: Documents, listed: Sequence[Mention], one: Mention, kind: str, known: Collection[str]
) -> Diagnostic:
    edit = taken_out(documents.lines("tasks"), listed, one)
    return _unknown("tasks", one, kind, _respelt(one, known, "tasks") or Fix(f"Take {one.name} out", "tasks", (edit,)))


def _unknown(document: Document, one: Mention, kind: str, fix: Fix | None) -> Diagnostic:
    return Diagnostic("unknown-id", one.name, f"There is no {kind} {one.name}", document, span_of(one), fix=fix)


def _respelt(one: Mention, known: Collection[str], document: Document) -> Fix | None:
    """The id that is meant where one has zeros too many: FR-01 for FR-1."""
    prefix, _, number = one.name.rpartition("-")
    name = f"{prefix}-{number.lstrip('0')}"
    return Fix(f"Write {name}", document, (Edit(one.start, one.end, name),)) if name in known else None
