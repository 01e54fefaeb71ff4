"""The order of tasks: circles in it, and tasks that claim a file without one."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from agentinfra.core.tasks import FINAL_STATES, TaskState
from agentinfra.spec.checks.edits import put_in, span_of, taken_out
from agentinfra.spec.checks.finding import Diagnostic, Documents, Fix, Related
from agentinfra.spec.checks.graph import components, unreached, way_round
from agentinfra.spec.source import Lines, Mention
from agentinfra.spec.tasks_source import TaskSource, TasksSource

_SHOWN = 12
# The engine will not do these again, so that nothing has to be put in order.
_SETTLED = FINAL_STATES - {TaskState.STALE}


@dataclass(frozen=True, slots=True)
class _Graph:
    """The tasks by number; of those with the same id the first counts.

    Attributes:
        tasks: The tasks.
        edges: The numbers of the tasks that each depends on.
        parts: Tasks that wait for each other, mostly one alone; each part comes after those that it depends on.
        place: The index of each task's part.
        ahead: The parts that each part depends on.
    """

    tasks: list[TaskSource]
    edges: list[list[int]]
    parts: Sequence[Sequence[int]]
    place: Sequence[int]
    ahead: list[list[int]]


def _graph(source: TasksSource) -> _Graph:
    first = {task.id.name: task for task in reversed(source.tasks)}
    tasks = [task for task in source.tasks if first[task.id.name] is task]
    numbers = {task.id.name: number for number, task in enumerate(tasks)}
    edges = [[numbers[one.name] for one in task.depends_on if one.name in numbers] for task in tasks]
    if all(other < node for node, needed in enumerate(edges) for other in needed):
        # Every task stands behind those that it depends on: there is no circle to search for.
        return _Graph(tasks, edges, [(node,) for node in range(len(edges))], range(len(edges)), edges)
    parts = components(edges)
    place = [0] * len(edges)
    for index, part in enumerate(parts):
        for node in part:
            place[node] = index
    ahead = [
        [place[other] for node in part for other in edges[node] if place[other] != at] for at, part in enumerate(parts)
    ]
    return _Graph(tasks, edges, parts, place, ahead)


def task_order(documents: Documents) -> Iterator[Diagnostic]:
    """Circles of dependencies, and files that two tasks claim without an order between them."""
    if documents.tasks is not None:
        graph = _graph(documents.tasks)
        yield from _cycles(graph, documents.tasks.body)
        yield from _unordered(graph, documents.tasks.body)


def _cycles(graph: _Graph, lines: Lines) -> Iterator[Diagnostic]:
    for part in graph.parts:
        path = way_round(part, graph.edges) if len(part) > 1 or part[0] in graph.edges[part[0]] else []
        if path:
            yield _cycle([graph.tasks[node] for node in path], lines)


def _cycle(path: Sequence[TaskSource], lines: Lines) -> Diagnostic:
    """Two tasks that wait for each other: the first one's dependency is the one that is better taken out."""
    steps = [(task, _named(task, path[(at + 1) % len(path)])) for at, task in enumerate(path)]
    first, needed = steps[0]
    names = [task.id.name for task in path]
    shown = names if len(names) <= _SHOWN else [*names[:_SHOWN], f"… ({len(names) - _SHOWN} more)"]
    fix = Fix(
        f"Take {needed.name} out of what {first.id.name} depends on",
        "tasks",
        (taken_out(lines, first.depends_on, needed),),
    )
    return Diagnostic(
        "dependency-cycle",
        first.id.name,
        f"Tasks depend on each other in a circle: {' → '.join([*shown, names[0]])}",
        "tasks",
        span_of(needed),
        tuple(Related("tasks", span_of(one), f"{task.id.name} depends on {one.name}") for task, one in steps[1:]),
        fix,
    )


def _named(task: TaskSource, other: TaskSource) -> Mention:
    return next(one for one in task.depends_on if one.name == other.id.name)


def _unordered(graph: _Graph, lines: Lines) -> Iterator[Diagnostic]:
    # Where dependencies come first, all claims of a file are in order if each is in order with the one before.
    claims: dict[str, list[tuple[int, Mention]]] = {}
    for node in (node for part in graph.parts for node in part):
        task = graph.tasks[node]
        if task.state not in _SETTLED:
            for file in task.files:
                claims.setdefault(_path(file.name), []).append((node, file))
    place = graph.place
    pairs = [(later, earlier) for listed in claims.values() for earlier, later in pairwise(listed)]
    missing = set(unreached([(place[later[0]], place[earlier[0]]) for later, earlier in pairs], graph.ahead))
    for later, earlier in pairs:
        if (place[later[0]], place[earlier[0]]) in missing:
            yield _claim(graph.tasks[later[0]], later[1], graph.tasks[earlier[0]], earlier[1], lines)


def _path(name: str) -> str:
    return posixpath.normpath(name) if "./" in name or "//" in name else name


def _claim(task: TaskSource, file: Mention, earlier: TaskSource, claimed: Mention, lines: Lines) -> Diagnostic:
    edit = put_in(lines, task, "Depends on", task.depends_on, earlier.id.name)
    return Diagnostic(
        "unordered-claims",
        task.id.name,
        f"{task.id.name} and {earlier.id.name} both claim {file.name}, and neither depends on the other",
        "tasks",
        span_of(file),
        (Related("tasks", span_of(claimed), f"{earlier.id.name} claims it here"),),
        Fix(f"Let {task.id.name} depend on {earlier.id.name}", "tasks", (edit,)),
    )
