"""From requirements to a task graph, without a model: one task for each thing that can be built and tested alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import count

from agentinfra.agents.test_suite import symbol_name
from agentinfra.core.tasks import Task
from agentinfra.spec.requirements import Area, Requirement, Spec


def tasks_for(spec: Spec, area: Area, engineer: str) -> list[Task]:
    """The tasks of one area.

    Requirements about the same symbol of the same file make one task; one without a file is for people alone. A task
    depends on earlier ones whose symbols or files its statement names, and comes after those that claim the same
    file, so that no two run against each other.

    Args:
        spec: The whole specification: tasks of other areas may be needed.
        area: The area.
        engineer: Who gets the tasks.
    """
    everything = _tasks(spec.requirements)
    by_id = {requirement.id: requirement for requirement in spec.requirements}
    ordered: list[Task] = []
    for index, task in enumerate(everything):
        earlier = everything[:index]
        needs = tuple(other.id for other in earlier if _needs(task, other, by_id))
        after = tuple(other.id for other in earlier if set(task.files) & set(other.files) and other.id not in needs)
        ordered.append(replace(task, depends_on=needs, after=after))
    return [replace(task, engineer=engineer) for task in ordered if by_id[task.requirements[0]].area == area]


def _tasks(requirements: Sequence[Requirement]) -> list[Task]:
    groups: dict[tuple[str, str], list[Requirement]] = {}
    for requirement in (one for one in requirements if one.file):
        first = symbol_name(requirement.symbols[0]) if requirement.symbols else requirement.id
        groups.setdefault((requirement.file, first), []).append(requirement)
    numbers = _numbers([group[0].id for group in groups.values()])
    return [_task(f"T-{number}", group) for number, group in zip(numbers, groups.values(), strict=True)]


def _numbers(ids: Sequence[str]) -> list[int]:
    """A task is numbered as its first requirement FR-n; what is called otherwise (NFR-n) comes after the highest."""
    found = [int(name.removeprefix("FR-")) if re.fullmatch(r"FR-\d+", name) else 0 for name in ids]
    free = count(max(found, default=0) + 1)
    return [number or next(free) for number in found]


def _task(name: str, group: Sequence[Requirement]) -> Task:
    first = group[0]
    symbols = tuple(dict.fromkeys(symbol for requirement in group for symbol in requirement.symbols))
    return Task(name, first.title, tuple(one.id for one in group), (first.file,), symbols)


def _needs(task: Task, other: Task, by_id: dict[str, Requirement]) -> bool:
    text = " ".join(by_id[name].statement for name in task.requirements)
    names = {symbol_name(signature) for signature in other.symbols}
    files = set(other.files) - set(task.files)
    return any(is_named(name, text) for name in (*names, *files) if name)


def is_named(name: str, text: str) -> bool:
    """Whether a text names a symbol or file, not only a longer word that begins or ends like it."""
    return re.search(rf"(?<![\w/-]){re.escape(name)}(?![\w-])", text) is not None
