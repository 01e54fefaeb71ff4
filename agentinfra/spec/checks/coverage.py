"""Requirements that nothing accepts or builds, and tasks that no requirement asks for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from agentinfra.spec.checks.edits import free_ids, put_in, span_of
from agentinfra.spec.checks.finding import Diagnostic, Documents, Fix
from agentinfra.spec.markdown import code_span
from agentinfra.spec.source import Edit, Mention
from agentinfra.spec.spec_source import RequirementSource
from agentinfra.spec.tasks_source import TaskSource

_NAME = re.compile(r"(?:class\s+|def\s+|async\s+def\s+)?([\w.]+)")


def missing_acceptance(documents: Documents) -> Iterator[Diagnostic]:
    """Requirements without an example or criterion."""
    for one in documents.spec.requirements:
        if not one.acceptance:
            message = f"{one.id.name} has no acceptance example; add one such as: - `double(2)` returns `4`"
            yield Diagnostic("no-acceptance", one.id.name, message, "spec", span_of(one.id))


def missing_tasks(documents: Documents) -> Iterator[Diagnostic]:
    """Requirements that no task implements; the fix adds one."""
    tasks = documents.tasks
    if tasks is None:
        return
    covered = {mention.name for task in tasks.tasks for mention in task.requirements}
    names = free_ids("T", [task.id.name for task in tasks.tasks])
    for name, one in documents.requirements.items():
        if name not in covered:
            message = f"No task implements {name}"
            fix = _task_added(documents, one, next(names))
            yield Diagnostic("no-task", name, message, "spec", span_of(one.id), fix=fix)


def _task_added(documents: Documents, one: RequirementSource, name: str) -> Fix:
    lines = documents.lines("tasks")
    added = [f"- [ ] {name} · {one.title.name} _(pending)_", f"  - Requirements: {one.id.name}"]
    for field, mentions in (("Files", one.files[:1]), ("Symbols", one.symbols)):
        if mentions:
            added.append(f"  - {field}: {', '.join(code_span(each.name) for each in mentions if each.name)}")
    end = len(lines.text)
    gap = "" if lines.text.endswith("\n") or not lines.text else lines.newline
    text = gap + "".join(line + lines.newline for line in added)
    return Fix(f"Add {name} to tasks.md", "tasks", (Edit(end, end, text),))


def missing_requirements(documents: Documents) -> Iterator[Diagnostic]:
    """Tasks that name no requirement; the fix names the one that asks for the same functions, or for the file."""
    if documents.tasks is None:
        return
    bare = [task for task in documents.tasks.tasks if not task.requirements]
    by_symbol = _owners(documents, lambda one: (_symbol(each) for each in one.symbols)) if bare else {}
    by_file = _owners(documents, lambda one: (each.name for each in one.files)) if bare else {}
    for task in bare:
        owners = {name for each in task.symbols for name in by_symbol.get(_symbol(each), ())}
        owners = owners or {name for each in task.files for name in by_file.get(each.name, ())}
        fix = _requirement_named(documents, task, owners.pop()) if len(owners) == 1 else None
        message = f"{task.id.name} implements no requirement; name the one that it is for, or add it to spec.md"
        yield Diagnostic("no-requirement", task.id.name, message, "tasks", span_of(task.id), fix=fix)


def _owners(documents: Documents, keys: Callable[[RequirementSource], Iterable[str]]) -> dict[str, set[str]]:
    owners: dict[str, set[str]] = {}
    for one in documents.spec.requirements:
        for key in keys(one):
            owners.setdefault(key, set()).add(one.id.name)
    return owners


def _symbol(mention: Mention) -> str:
    found = _NAME.match(mention.name)
    return found[1] if found else mention.name


def _requirement_named(documents: Documents, task: TaskSource, name: str) -> Fix:
    edit = put_in(documents.lines("tasks"), task, "Requirements", task.requirements, name)
    return Fix(f"Name {name} as its requirement", "tasks", (edit,))
