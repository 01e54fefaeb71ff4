"""From requirements to a task graph, without a model: one task for each thing that can be built and tested alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from agentinfra.agents.test_suite import symbol_name
from agentinfra.core.tasks import Task
from agentinfra.spec.requirements import Area, Requirement, Spec


def tasks_for(spec: Spec, area: Area, engineer: str) -> list[Task]:
    """The tasks of one area.

    Requirements about the same symbol of the same file make one task. A task depends on those whose symbols or files
    its statement names, and comes after those that claim the same file, so that no two run against each other.
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
    for requirement in requirements:
        first = symbol_name(requirement.symbols[0]) if requirement.symbols else requirement.id
        groups.setdefault((requirement.file, first), []).append(requirement)
    return [_task(group) for group in groups.values()]


def _task(group: Sequence[Requirement]) -> Task:
    first = group[0]
    symbols = tuple(dict.fromkeys(symbol for requirement in group for symbol in requirement.symbols))
    number = first.id.partition("-")[2]
    return Task(f"T-{number}", first.title, tuple(one.id for one in group), (first.file,), symbols)


def _needs(task: Task, other: Task, by_id: dict[str, Requirement]) -> bool:
    text = " ".join(by_id[name].statement for name in task.requirements)
    names = {symbol_name(signature) for signature in other.symbols}
    own_files = set(task.files)
    return any(name and name in text for name in names) or any(
        file in text for file in other.files if file not in own_files
    )
