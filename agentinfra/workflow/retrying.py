"""Tasks of a run that a person wants done again: what may be, and what that sets back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from agentinfra.core.errors import InputError
from agentinfra.core.events import EventDraft
from agentinfra.core.interfaces import EventLog
from agentinfra.core.tasks import TaskState
from agentinfra.workflow.durable import is_worked_on
from agentinfra.workflow.event_log import FINAL_RUN_STATES
from agentinfra.workflow.instructions import OVER, checked
from agentinfra.workflow.run_state import RunState, TaskView, reduce

REASON = "A person wants it done again"


@dataclass(frozen=True, slots=True)
class Retry:
    """A task that a person wants done again, with all its tries, and what was skipped because of it.

    Attributes:
        task: The task: blocked, cancelled or undone.
        note: What its models are told; "" for nothing.
    """

    task: str
    note: str = ""

    def check(self, state: RunState) -> TaskView:
        """The task, where it may be done again, or is to be already.

        Raises:
            InputError: It may not; why, and what to do instead, is said.
        """
        task = state.task(self.task)
        if task is None:
            known = ", ".join(one.id for one in state.tasks) or "none yet"
            raise InputError(f"There is no task {self.task} in run {state.run}", next_step=f"Known: {known}")
        words = checked(self.note) if self.note else ""
        if task.is_wanted_again:
            if words and words != _note(state, task):
                way = f"Send it your words instead: `agentinfra send TEXT --task {task.id}`"
                raise InputError(f"{task.id} is being done again already, with another note", next_step=way)
        elif not _is_open(task):
            raise _refusal(state, task)
        elif gone := [one.id for one in map(state.task, task.depends_on) if one and _is_undone(one)]:
            way = f"Redo it, `agentinfra redo {' '.join(gone)}`, or have it done again first"
            raise InputError(f"{task.id} needs {', '.join(gone)}, which is undone", next_step=way)
        return task

    def ask(self, log: EventLog, run: str) -> tuple[str, ...]:
        """Put the wish on the log; whoever works on the run fulfils it. Asking twice is asking once.

        Returns:
            The task and those that depend on it, as far as they are done again.

        Raises:
            InputError: It may not be done again.
        """
        state = reduce(log.read(run))
        task = self.check(state)
        dependants = _dependants(state, task)
        again = (task.id, *(one.id for one in dependants))
        if task.is_wanted_again:
            return again
        if self.note:
            name = _note_id(task, task.retries + 1)
            data = {"id": name, "text": checked(self.note), "when": "next", "task": task.id}
            log.append(run, EventDraft("instruction", data, key=name))
        for one in reversed(dependants):
            _set_back(log, run, one, TaskState.PENDING)
        # Last: whoever is cut off before it has asked for nothing, and asks again.
        _set_back(log, run, task, TaskState.READY)
        return again

    def is_handed_over(self, log: EventLog, state: RunState, engine: Path) -> bool:
        """Ask it of the process that works on the run, where there is one; False where somebody has to carry it on.

        Args:
            log: The log.
            state: The run.
            engine: The engine's file, which that process holds.

        Raises:
            InputError: The task may not be done again.
        """
        self.check(state)
        if state.state in FINAL_RUN_STATES or not is_worked_on(engine):
            return False
        self.ask(log, state.run)
        return True


def is_settled(state: RunState) -> bool:
    """Whether the run is over and nothing is wanted of it."""
    return state.state in OVER and not wanted_again(state)


def claim(log: EventLog, run: str) -> list[str]:
    """The tasks that are to be done again, in the plan's order.

    What was skipped after the person had asked, because the task was not done at that time, is among them.
    """
    state = reduce(log.read(run))
    for task in [one for one in state.tasks if one.is_wanted_again]:
        for one in _dependants(state, task):
            if one.state is TaskState.SKIPPED:
                _set_back(log, run, one, TaskState.PENDING)
    return wanted_again(reduce(log.read(run)))


def wanted_again(state: RunState) -> list[str]:
    """The tasks that are to be done again, and are not over yet, in the plan's order."""
    return [task.id for task in state.tasks if task.is_wanted_again]


def _is_open(task: TaskView) -> bool:
    return task.state in (TaskState.BLOCKED, TaskState.CANCELLED) or _is_undone(task)


def _refusal(state: RunState, task: TaskView) -> InputError:
    if task.state is TaskState.SKIPPED:
        missing = [one.id for one in map(state.task, task.depends_on) if one and one.state is not TaskState.DONE]
        way = f"Have {', '.join(missing)} done again; {task.id} follows by itself"
        return InputError(f"{task.id} was skipped: {task.reason}", next_step=way)
    if task.state is TaskState.DONE:
        way = f"Take it off the branch first: `agentinfra undo {task.id}`"
        return InputError(f"{task.id} is done", next_step=way)
    way = f"Send it your words: `agentinfra send TEXT --task {task.id}`"
    return InputError(f"{task.id} is not over: it is {task.state.value}", next_step=way)


def _dependants(state: RunState, task: TaskView) -> list[TaskView]:
    """What depends on the task and is not done for that, nearest first."""
    found = [task]
    for one in found:
        found += [
            other
            for other in state.tasks
            if one.id in other.depends_on
            and other not in found
            and (other.state is TaskState.SKIPPED or other.is_wanted_again or _is_undone(other))
        ]
    return found[1:]


def _is_undone(task: TaskView) -> bool:
    return task.state is TaskState.DONE and task.undone


def _set_back(log: EventLog, run: str, task: TaskView, to: TaskState) -> None:
    number = task.retries + 1
    data = {"task": task.id, "state": to.value, "attempt": 0, "retry": number, "reason": REASON}
    log.append(run, EventDraft("agent_state", data, ("planner", task.engineer), key=f"retry {task.id} {number}"))


def _note(state: RunState, task: TaskView) -> str:
    name = _note_id(task, task.retries)
    return next((one.text for one in state.instructions if one.id == name), "")


def _note_id(task: TaskView, number: int) -> str:
    return f"retry-{task.id}-{number}"
