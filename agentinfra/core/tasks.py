"""Tasks, their states, and the graph that orders them."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from graphlib import CycleError, TopologicalSorter

from agentinfra.core.errors import SpecError


class TaskState(StrEnum):
    """States of a task; the engine alone sets them."""

    PENDING = "pending"
    READY = "ready"
    RED = "red"
    CODING = "coding"
    GREEN = "green"
    DONE = "done"
    BLOCKED = "blocked"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"
    STALE = "stale"

    @property
    def is_final(self) -> bool:
        """Whether the engine will not touch the task again by itself."""
        return self in FINAL_STATES

    @property
    def checkbox(self) -> str:
        """The mark in tasks.md: ``[ ]``, ``[~]``, ``[x]`` or ``[!]``."""
        return f"[{_MARKS.get(self, '!')}]"


FINAL_STATES = frozenset({TaskState.DONE, TaskState.BLOCKED, TaskState.SKIPPED, TaskState.CANCELLED, TaskState.STALE})
_MARKS = {
    TaskState.PENDING: " ",
    TaskState.READY: " ",
    TaskState.RED: "~",
    TaskState.CODING: "~",
    TaskState.GREEN: "~",
    TaskState.DONE: "x",
}


@dataclass(frozen=True, slots=True)
class Task:
    """One unit of work that a MicroAgent can finish alone.

    Attributes:
        id: ``T-1``, ``T-2``, …
        title: One line for people.
        requirements: Ids of the requirements that the task implements.
        files: Files that the task claims, relative to the repository, forward slashes.
        symbols: Functions and classes that it writes; empty where it writes whole files.
        depends_on: Ids of tasks that must be DONE before; if one is not, this task is SKIPPED.
        after: Ids of tasks that claim the same file: this one starts when they are settled, whatever their outcome.
        engineer: Name of the EngineerAgent that owns it.
    """

    id: str
    title: str
    requirements: tuple[str, ...]
    files: tuple[str, ...]
    symbols: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    engineer: str = ""

    @property
    def is_program(self) -> bool:
        """Whether the task writes a Python program that is run, instead of names that are imported."""
        return not self.symbols and all(file.endswith(".py") for file in self.files)


def in_order(tasks: Sequence[Task], others: Collection[str] = ()) -> tuple[Task, ...]:
    """Sort tasks so that each comes after those it depends on; what is in order already stays as it is.

    Args:
        tasks: The tasks.
        others: Ids of tasks that are run elsewhere; depending on them orders nothing here.

    Raises:
        SpecError: An id is doubled or unknown, or the dependencies form a cycle (the path is named).
    """
    place = {task.id: index for index, task in enumerate(tasks)}
    _require_sound(tasks, {*place, *others})
    # graphlib is iterative: chains of thousands of tasks do not overflow the stack.
    graph = TopologicalSorter({task.id: [needed for needed in _needed(task) if needed in place] for task in tasks})
    try:
        graph.prepare()
    except CycleError as error:
        path: Iterable[str] = error.args[1]
        raise SpecError(
            f"Tasks depend on each other in a circle: {' → '.join(path)}", next_step="Take one of the dependencies out"
        ) from error
    ordered: list[Task] = []
    ready: list[int] = []
    while graph.is_active():
        for name in graph.get_ready():
            heapq.heappush(ready, place[name])
        ordered.append(tasks[heapq.heappop(ready)])
        graph.done(ordered[-1].id)
    return tuple(ordered)


def _needed(task: Task) -> tuple[str, ...]:
    return (*task.depends_on, *task.after)


def _require_sound(tasks: Sequence[Task], known: Collection[str]) -> None:
    doubled = [name for name, times in Counter(task.id for task in tasks).items() if times > 1]
    if doubled:
        raise SpecError(f"Task ids are used twice: {', '.join(doubled)}", next_step="Give every task its own id")
    for task in tasks:
        unknown = [needed for needed in _needed(task) if needed not in known]
        if unknown:
            raise SpecError(f"{task.id} depends on unknown {', '.join(unknown)}", next_step="Correct its depends-on")
