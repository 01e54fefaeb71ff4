"""tasks.md: the task graph as people read and edit it; states are written by the engine alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from agentinfra.core.errors import SpecError
from agentinfra.core.tasks import Task, TaskState
from agentinfra.spec.markdown import code_span, one_line
from agentinfra.spec.source import Mention, Problem, Span
from agentinfra.spec.tasks_source import TasksSource, read_tasks


def render_tasks(
    tasks: Sequence[Task], states: Mapping[str, TaskState], reasons: Mapping[str, str] | None = None
) -> str:
    """Write tasks as a Markdown check list.

    Args:
        tasks: The tasks, in the order to show.
        states: State by task id; a task without one is pending.
        reasons: Why a task is blocked, skipped, cancelled or stale, by task id.
    """
    blocks = [_lines(task, states.get(task.id, TaskState.PENDING), (reasons or {}).get(task.id, "")) for task in tasks]
    return "# Tasks\n\n" + "".join(f"{line}\n" for lines in blocks for line in lines)


def _lines(task: Task, state: TaskState, reason: str) -> Iterator[str]:
    yield f"- {state.checkbox} {task.id} · {' '.join([*task.title.split(), render_mark(state, reason)])}"
    if task.requirements:
        yield f"  - Requirements: {', '.join(task.requirements)}"
    if task.files:
        yield f"  - Files: {_codes(task.files)}"
    if task.symbols:
        yield f"  - Symbols: {_codes(task.symbols)}"
    if task.depends_on:
        yield f"  - Depends on: {', '.join(task.depends_on)}"
    if task.engineer:
        yield f"  - Engineer: {one_line(task.engineer)}"


def render_mark(state: TaskState, reason: str = "") -> str:
    """Write the mark of a state, which ends the line of a task."""
    why = one_line(reason).replace("_(", "_ (")  # the last "_(" of the line begins the mark
    return f"_({state}: {why})_" if why else f"_({state})_"


def _codes(texts: Sequence[str]) -> str:
    return ", ".join(code_span(one_line(text)) for text in texts)


def parse_tasks(text: str) -> tuple[Task, ...]:
    """Read tasks, written by :func:`render_tasks` or by hand; states are passed over.

    Raises:
        SpecError: A check box is no task, or an id is used twice; the message names the line.
    """
    source = read_tasks(text)
    for problem in sorted([*source.problems, *_doubled(source)])[:1]:
        line = source.body.position(problem.span.start).line
        raise SpecError(f"tasks.md cannot be read at line {line}", why=problem.why, next_step=problem.next_step)
    return tasks_of(source)


def _doubled(source: TasksSource) -> Iterator[Problem]:
    known: set[str] = set()
    for one in source.tasks:
        if one.id.name in known:
            span = Span(one.id.start, one.id.end)
            yield Problem(span, f"{one.id.name} is used twice", "Give every task its own id")
        known.add(one.id.name)


def tasks_of(source: TasksSource) -> tuple[Task, ...]:
    """The values of a document that was read."""
    return tuple(
        Task(
            one.id.name,
            one.title.name,
            _names(one.requirements),
            _names(one.files),
            _names(one.symbols),
            _names(one.depends_on),
            engineer=one.engineer,
        )
        for one in source.tasks
    )


def _names(mentions: Sequence[Mention]) -> tuple[str, ...]:
    return tuple(mention.name for mention in mentions)
