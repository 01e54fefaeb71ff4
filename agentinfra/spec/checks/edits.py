"""Edits that the quick fixes of tasks.md are made of."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence

from agentinfra.spec.source import Edit, Lines, Mention, Span
from agentinfra.spec.tasks_source import TaskSource

_MAX_DIGITS = 10


def span_of(mention: Mention) -> Span:
    """Where a name stands."""
    return Span(mention.start, mention.end)


def taken_out(lines: Lines, listed: Sequence[Mention], one: Mention) -> Edit:
    """Take a name out of a list of names; the line goes where it is the only one."""
    place = listed.index(one)
    if len(listed) == 1:
        index = bisect_right(lines.starts, one.start) - 1
        return Edit(lines.start(index), lines.start(index + 1), "")
    if place + 1 < len(listed):
        return Edit(one.start, listed[place + 1].start, "")
    return Edit(listed[place - 1].end, one.end, "")


def put_in(lines: Lines, task: TaskSource, field: str, listed: Sequence[Mention], name: str) -> Edit:
    """Put a name at the end of a task's field; the field is made where there is none.

    Args:
        lines: The lines of tasks.md.
        task: The task.
        field: The field's name as people write it.
        listed: The names that it has.
        name: The name to add.
    """
    place = task.fields.get(field.lower())
    if listed:
        return Edit(listed[-1].end, listed[-1].end, f", {name}")
    if place is not None:
        gap = "" if lines.text[place.start - 1].isspace() else " "
        return Edit(place.start, place.end, f"{gap}{name}")
    end = lines.span(task.last - 1).end
    return Edit(end, end, f"{lines.newline}  - {field}: {name}")


def free_ids(prefix: str, names: Iterable[str]) -> Iterator[str]:
    """Ids behind the highest one of a kind: T-8, T-9 and so on."""
    parts = [name.rpartition("-") for name in names]
    # A number of hundreds of digits is nobody's count, and more than Python would read.
    numbers = [int(number) for kind, _, number in parts if kind == prefix and len(number) < _MAX_DIGITS]
    number = max(numbers, default=0)
    while True:
        number += 1
        yield f"{prefix}-{number}"
