"""tasks.md: the task graph as people read and edit it; states are written by the engine alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NoReturn

from agentinfra.core.errors import SpecError
from agentinfra.core.tasks import Task, TaskState
from agentinfra.spec.markdown import code_span, line_tokens, one_line, verbatim_lines

TASK = re.compile(r"[-*+] \[[ ~xX!]\]\s+\**(?P<id>T-\d+)\**\s*[·:–—-]?\s*(?P<title>.*)")
STATE = re.compile(rf"\s*_\((?:{'|'.join(TaskState)})(?:: (?:(?!_\().)*)?\)_$")
FIELD = re.compile(
    r"\s+[-*+]\s+(?P<name>Requirements|Files|Symbols|Depends on|Engineer):\s*(?P<text>.*)", re.IGNORECASE
)
ID = re.compile(r"\b(?:N?FR|T)-\d+\b")


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
    why = one_line(reason).replace("_(", "_ (")  # the last "_(" of the line begins the mark
    mark = f"_({state}: {why})_" if why else f"_({state})_"
    yield f"- {state.checkbox} {task.id} · {' '.join([*task.title.split(), mark])}"
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


def _codes(texts: Sequence[str]) -> str:
    return ", ".join(code_span(one_line(text)) for text in texts)


def parse_tasks(text: str) -> tuple[Task, ...]:
    """Read tasks, written by :func:`render_tasks` or by hand; states are passed over.

    Raises:
        SpecError: A check box is no task, or an id is used twice; the message names the line.
    """
    tasks: dict[str, Task] = {}
    current: Task | None = None
    lines = text.replace("\r\n", "\n").split("\n")
    verbatim = verbatim_lines(lines)
    for number, line in ((index + 1, line) for index, line in enumerate(lines) if index not in verbatim):
        found, part = TASK.fullmatch(line), FIELD.fullmatch(line)
        if found:
            if found["id"] in tasks:
                _refuse(number, f"{found['id']} is used twice", "Give every task its own id")
            current = Task(found["id"], STATE.sub("", found["title"]), (), ())
        elif part and current:
            current = _with_field(current, part["name"].lower(), part["text"])
        elif re.match(r"[-*+] \[.?\]", line):
            _refuse(number, "this check box is no task", "Write it as: - [ ] T-1 · Title")
        if current:
            tasks[current.id] = current
    return tuple(tasks.values())


def _refuse(line: int, why: str, next_step: str) -> NoReturn:
    raise SpecError(f"tasks.md cannot be read at line {line}", why=why, next_step=next_step)


def _with_field(task: Task, name: str, text: str) -> Task:
    ids = tuple(ID.findall(text))
    match name:
        case "requirements":
            return replace(task, requirements=ids)
        case "depends on":
            return replace(task, depends_on=ids)
        case "files":
            return replace(task, files=_listed(text))
        case "symbols":
            return replace(task, symbols=_listed(text))
        case _:
            return replace(task, engineer=text.strip())


def _listed(text: str) -> tuple[str, ...]:
    codes = tuple(token.text for token in line_tokens(text) if token.kind == "code")
    return codes or tuple(part.strip() for part in text.split(",") if part.strip())
