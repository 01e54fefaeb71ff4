"""The order of imported tasks: what the source says, and what the format's rules say besides, where both agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from agentinfra.core.errors import SpecError
from agentinfra.core.tasks import Task, in_order


def with_order(tasks: Sequence[Task], implied: Mapping[str, Sequence[str]]) -> tuple[tuple[Task, ...], bool]:
    """Add the dependencies that the format's rules imply, unless they contradict those that are written down.

    Args:
        tasks: Tasks with the dependencies that are written down.
        implied: What else each task waits for, by its id.

    Returns:
        The tasks, and whether the implied order could be added.

    Raises:
        SpecError: The dependencies that are written down form a circle; the path is named.
    """
    in_order(tasks)
    both = tuple(
        replace(task, depends_on=tuple(dict.fromkeys((*task.depends_on, *implied.get(task.id, ()))))) for task in tasks
    )
    try:
        in_order(both)
    except SpecError:
        return tuple(tasks), False
    return both, True
