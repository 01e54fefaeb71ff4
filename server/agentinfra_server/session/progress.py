"""A run's progress in the editor's own display."""

from __future__ import annotations

import asyncio

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer

from agentinfra.core.tasks import TaskState
from agentinfra.workflow.event_log import FINAL_RUN_STATES
from agentinfra.workflow.run_state import RunState, TaskView
from agentinfra_server.protocol.language import noted, tr

CREATE_SECONDS = 10.0
_OVER = (TaskState.DONE, TaskState.BLOCKED, TaskState.SKIPPED, TaskState.CANCELLED)
_PREFIX = "agentinfra-"
TASK_STATES = (
    noted("pending"),
    noted("ready"),
    noted("red"),
    noted("coding"),
    noted("green"),
    noted("done"),
    noted("blocked"),
    noted("skipped"),
    noted("cancelled"),
    noted("stale"),
)
"""What the states of a task are called; translated by their names, as are those of a run."""
RUN_STATES = (
    noted("planning"),
    noted("awaiting approval"),
    noted("building"),
    noted("reviewing"),
    noted("done"),
    noted("failed"),
    noted("stopped"),
)


class Progress:
    """Shows runs; nothing where the editor has no display for it.

    Args:
        server: The connection.
    """

    def __init__(self, server: LanguageServer) -> None:
        self._server = server
        self._said: dict[str, str] = {}

    async def show(self, state: RunState) -> None:
        """Show how far a run is; begins and ends its display."""
        said = describe(state)
        if state.state in FINAL_RUN_STATES:
            if self._said.pop(state.run, None):
                self._tell(state.run, lsp.WorkDoneProgressEnd(message=_named(state)))
        elif state.run not in self._said:
            await self._begin(state, said)
        elif self._said[state.run] not in ("", said):
            self._tell(
                state.run, lsp.WorkDoneProgressReport(cancellable=True, message=said, percentage=percentage(state))
            )
            self._said[state.run] = said

    async def _begin(self, state: RunState, said: str) -> None:
        window = self._server.client_capabilities.window
        if window is None or not window.work_done_progress:
            return
        self._said[state.run] = ""  # asked for, and not there yet
        create = lsp.WorkDoneProgressCreateParams(token_of(state.run))
        try:
            async with asyncio.timeout(CREATE_SECONDS):
                await self._server.window_work_done_progress_create_async(create)
        except (JsonRpcException, TimeoutError):
            return
        title = f"AgentInfra: {state.title or tr('planning')}"
        self._tell(
            state.run, lsp.WorkDoneProgressBegin(title, cancellable=True, message=said, percentage=percentage(state))
        )
        self._said[state.run] = said

    def _tell(self, run: str, value: object) -> None:
        self._server.progress(lsp.ProgressParams(token_of(run), value))


def token_of(run: str) -> str:
    """The token of a run's display."""
    return _PREFIX + run


def run_of(token: int | str) -> str | None:
    """The run that a token belongs to, None for another's token."""
    return str(token).removeprefix(_PREFIX) if str(token).startswith(_PREFIX) else None


def describe(state: RunState) -> str:
    """How far a run is, in a line."""
    if not state.tasks:
        return _named(state)
    over = sum(task.state in _OVER for task in state.tasks)
    at_work = ", ".join(_at_work(task) for task in state.tasks if task.attempt and task.state not in _OVER)
    told = tr("{over}/{all} tasks", over=over, all=len(state.tasks))
    return f"{told} · {at_work}" if at_work else told


def _named(state: RunState) -> str:
    return tr(state.state.replace("_", " "))


def _at_work(task: TaskView) -> str:
    return f"{task.id} {tried(task)}".rstrip()


def tried(task: TaskView) -> str:
    """Which of its tries a task is at; "" where they are not counted."""
    return tr("try {attempt}/{most}", attempt=task.attempt, most=task.max_attempts) if task.max_attempts else ""


def percentage(state: RunState) -> int:
    """Share of the tasks that are over, in percent."""
    over = sum(task.state in _OVER for task in state.tasks)
    return 100 * over // len(state.tasks) if state.tasks else 0
