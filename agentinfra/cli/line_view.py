"""The views for where no terminal is: a line for each event of interest, or every event as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

from rich.console import Console

from agentinfra.cli.summary import print_summary
from agentinfra.cli.view import RunView
from agentinfra.core.events import Event
from agentinfra.core.tasks import TaskState
from agentinfra.security.clean import clean_line
from agentinfra.workflow.figures import count, duration
from agentinfra.workflow.report import build_report, info, run_title, tests_word, tries
from agentinfra.workflow.run_state import RunState


class JsonView(RunView):
    """Prints every event as JSON, one a line, and nothing else.

    Args:
        stream: Where to.
    """

    def __init__(self, stream: IO[str]) -> None:
        super().__init__(Console(stderr=True, highlight=False))
        self._stream = stream

    def shown(self, event: Event) -> None:
        """Print the event."""
        self._stream.write(json.dumps(event.to_json()) + "\n")
        self._stream.flush()


class LineView(RunView):
    """Prints a line for each event that a person would want in a build log, and the summary at the end."""

    def shown(self, event: Event) -> None:
        """Print the event's line, if it has one."""
        line = _LINES.get(event.kind, _nothing)(event, self.state)
        if line:
            clock = duration(self.state.elapsed)
            self.console.print(f"{clock:>7}  {line}", markup=False, soft_wrap=True)

    def finish(self) -> None:
        """Print the summary."""
        print_summary(self.console, build_report(self.state), Path.cwd())


def _nothing(event: Event, state: RunState) -> str:
    del event, state
    return ""


def _state_line(event: Event, state: RunState) -> str:
    word, reason = state.state.replace("_", " "), clean_line(state.reason)
    if "idea" in event.data:
        return f"{word}: {run_title(state)} (run {state.run}, {clean_line(info(state, 'model'))})"
    return f"{word}: {reason}" if reason else word


def _plan_line(event: Event, state: RunState) -> str:
    if "tasks" in event.data:
        return f"plan: {count(len(state.tasks), 'task')}"
    return f"specification: {count(len(state.requirements), 'requirement')}, {clean_line(state.spec_path)}"


def _agent_line(event: Event, state: RunState) -> str:
    task = state.task(str(event.data.get("task")))
    if task is None or task.state in (TaskState.PENDING, TaskState.READY):
        return ""
    details = [tries(task) if task.state is TaskState.CODING else tests_word(task), clean_line(task.reason)]
    return " · ".join([f"{task.id} {task.state}", clean_line(task.title), *filter(None, details)])


def _question_line(event: Event, state: RunState) -> str:
    del state
    return f"question {clean_line(str(event.data.get('text', '')))}"


def _answer_line(event: Event, state: RunState) -> str:
    del state
    return f"answer   {clean_line(str(event.data.get('text', '')))} (by {clean_line(str(event.data.get('by', '')))})"


def _approval_line(event: Event, state: RunState) -> str:
    del state
    return f"specification approved by {clean_line(str(event.data.get('by', '')))}"


def _test_line(event: Event, state: RunState) -> str:
    task = state.task(str(event.data.get("task")))
    if task is None or event.data.get("phase") != "attempt":
        return ""
    return f"{task.id} {tries(task)}: {tests_word(task)} pass"


def _finding_line(event: Event, state: RunState) -> str:
    del event
    found = state.findings[-1]
    return f"review: {found.severity} {clean_line(found.path)}:{found.line} {clean_line(found.message)}"


def _instruction_line(event: Event, state: RunState) -> str:
    said = state.instructions[-1]
    return f"told {said.task or 'all tasks'}: {clean_line(said.text)}" if "text" in event.data else ""


def _notice_line(event: Event, state: RunState) -> str:
    del event
    notice = state.notices[-1]
    return f"{notice.level}: {clean_line(notice.text)}"


_LINES: Mapping[str, Callable[[Event, RunState], str]] = {
    "state_update": _state_line,
    "plan_update": _plan_line,
    "agent_state": _agent_line,
    "question": _question_line,
    "answer": _answer_line,
    "approval": _approval_line,
    "test_result": _test_line,
    "qa_finding": _finding_line,
    "notice": _notice_line,
    "instruction": _instruction_line,
}
