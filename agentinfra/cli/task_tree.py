"""The hierarchy of a run as a table that fits a terminal: planner, engineers, their tasks, quality assurance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.table import Table
from rich.text import Text

from agentinfra.core.tasks import TaskState
from agentinfra.security.clean import clean_line
from agentinfra.workflow.figures import count, duration
from agentinfra.workflow.report import stands, state_word, tests_word, tries
from agentinfra.workflow.run_state import RunState, TaskView

# Plain colours of the terminal's own palette are readable on light and dark ground alike.
ICONS: Mapping[TaskState, tuple[str, str]] = {
    TaskState.PENDING: ("○", "dim"),
    TaskState.READY: ("○", "default"),
    TaskState.RED: ("◔", "magenta"),
    TaskState.CODING: ("◑", "cyan"),
    TaskState.GREEN: ("◕", "green"),
    TaskState.DONE: ("✓", "bold green"),
    TaskState.BLOCKED: ("✗", "bold red"),
    TaskState.SKIPPED: ("–", "yellow"),
    TaskState.CANCELLED: ("–", "yellow"),
    TaskState.STALE: ("↻", "yellow"),
}
_MOST_ROWS = 200


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the tree: guide and name, state, tests, tries, time."""

    name: Text
    cells: tuple[Text, Text, Text, Text] = (Text(), Text(), Text(), Text())


def task_tree(state: RunState, height: int = _MOST_ROWS) -> Table:
    """The tree of a run.

    Args:
        state: The run.
        height: Most tasks to show; where there are more, those that are done or wait are counted instead.
    """
    table = Table.grid(expand=True, padding=(0, 0, 0, 2))
    table.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    for justify in ("left", "right", "right", "right"):
        table.add_column(justify=justify, no_wrap=True)
    for row in _rows(state, height):
        table.add_row(row.name, *row.cells)
    return table


def _rows(state: RunState, height: int) -> Iterator[Row]:
    yield _agent_row("", "Planner", _planner_word(state))
    shown = _most_telling(state.tasks, height)
    for engineer in dict.fromkeys(task.engineer for task in state.tasks):
        own = [task for task in state.tasks if task.engineer == engineer]
        done = sum(map(stands, own))
        yield _agent_row("├─ ", clean_line(engineer) or "engineer", Text(f"{done}/{len(own)} done", "dim"))
        yield from _task_rows(own, [task for task in own if task in shown])
    yield _agent_row("└─ ", "QA", _review_word(state))


def _agent_row(guide: str, name: str, word: Text) -> Row:
    return Row(Text.assemble((guide, "dim"), (name, "bold"), "  ", word))


def _task_rows(tasks: Sequence[TaskView], shown: Sequence[TaskView]) -> Iterator[Row]:
    hidden = len(tasks) - len(shown)
    for number, task in enumerate(shown, 1):
        yield _task_row(task, "└─" if number == len(shown) and not hidden else "├─")
    if hidden:
        yield Row(Text(f"│  └─ {count(hidden, 'more task')}", "dim"))


def _task_row(task: TaskView, guide: str) -> Row:
    icon, style = ICONS[TaskState.CANCELLED if task.undone else task.state]
    quiet = "dim" if task.state is TaskState.PENDING else "default"
    name = Text.assemble((f"│  {guide} ", "dim"), (f"{icon} ", style), (f"{task.id} ", "bold"))
    name.append(clean_line(task.title), quiet)
    seconds = duration(task.seconds) if task.seconds else ""
    return Row(
        name, (Text(state_word(task), style), Text(tests_word(task)), Text(tries(task), "dim"), Text(seconds, "dim"))
    )


def _most_telling(tasks: Sequence[TaskView], height: int) -> set[TaskView]:
    """The tasks to show where not all fit: first those at work or in trouble, then what waits, then what is done."""
    rank = {TaskState.PENDING: 1, TaskState.READY: 1, TaskState.SKIPPED: 1, TaskState.DONE: 2}
    return set(sorted(tasks, key=lambda task: rank.get(task.state, 0))[: max(height, 1)])


def _planner_word(state: RunState) -> Text:
    if state.state == "awaiting_approval":
        return Text("needs you", "bold yellow")
    if not state.requirements:
        return Text("planning", "cyan")
    return Text(count(len(state.requirements), "requirement"), "green")


def _review_word(state: RunState) -> Text:
    if state.findings:
        return Text(count(len(state.findings), "finding"), "yellow")
    if state.state == "reviewing":
        return Text("reviewing", "cyan")
    return Text("no findings", "green") if state.state == "done" else Text("waits", "dim")
