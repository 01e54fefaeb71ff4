"""A run's tasks as the plan that an editor shows: a flat list, so the hierarchy is in the words and in ``_meta``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from agentinfra.core.tasks import TaskState
from agentinfra.workflow.run_state import RunState, TaskView
from agentinfra_server.acp.messages import Update

PLANNER, REVIEW = "planner", "QA"
ARROW = " › "
_AT_WORK = (TaskState.RED, TaskState.CODING, TaskState.GREEN)
_PLANNING = ("", "planning", "awaiting_approval")


def plan_update(state: RunState) -> Update:
    """The whole plan of a run; editors show the newest one."""
    needed = {name for task in state.tasks for name in task.depends_on}
    entries = [_specification(state), *(_task(task, task.id in needed) for task in state.tasks), _review(state)]
    return {"sessionUpdate": "plan", "entries": entries, "_meta": {"agentinfra": run_meta(state)}}


def run_meta(state: RunState) -> dict[str, Any]:
    """What is told about a run as a whole."""
    return {
        "runId": state.run,
        "state": state.state,
        "tokens": state.totals.input_tokens + state.totals.output_tokens,
        "costUsd": state.totals.cost_usd,
        "elapsed": round(state.elapsed, 3),
    }


def shown_path(agent: Sequence[str]) -> str:
    """An agent's path as people read it: ``BackendEngineer › T-1``."""
    names = [name.rpartition(":")[2] for name in agent]
    return ARROW.join(names[1:] if len(names) > 1 else names)


def _specification(state: RunState) -> Mapping[str, Any]:
    title = f"Specification: {state.title}" if state.title else "Specification"
    status = "completed" if state.approved_sha else "in_progress" if state.state in _PLANNING else "pending"
    return _entry(title, "high", status, {"id": "spec", "parent": None, "agentPath": [PLANNER]})


def _review(state: RunState) -> Mapping[str, Any]:
    status = {"reviewing": "in_progress", "done": "completed"}.get(state.state, "pending")
    return _entry(
        f"{REVIEW}{ARROW}Review", "medium", status, {"id": "review", "parent": "spec", "agentPath": [PLANNER, REVIEW]}
    )


def _task(task: TaskView, is_needed: bool) -> Mapping[str, Any]:
    owner = f"{task.engineer}{ARROW}" if task.engineer else ""
    trouble = task.state.is_final and task.state is not TaskState.DONE
    word = "undone" if task.undone else ": ".join(filter(None, (task.state.value, task.reason))) if trouble else ""
    content = f"{owner}{task.id} {task.title}{f' ({word})' if word else ''}"
    return _entry(content, "high" if is_needed else "medium", _status(task), _task_meta(task))


def _status(task: TaskView) -> str:
    # What ended badly is neither at work nor done; the word in the content says which it is.
    if task.state in _AT_WORK:
        return "in_progress"
    return "completed" if task.state is TaskState.DONE and not task.undone else "pending"


def _task_meta(task: TaskView) -> dict[str, Any]:
    return {
        "id": task.id,
        "parent": "spec",
        "agentPath": [PLANNER, *filter(None, [task.engineer]), f"MicroAgent:{task.id}"],
        "requirements": list(task.requirements),
        "dependsOn": list(task.depends_on),
        "files": list(task.files),
        "state": task.state.value,
        "attempt": task.attempt,
        "maxAttempts": task.max_attempts,
        "tokens": task.tokens,
        "seconds": round(task.seconds, 3),
        "commit": task.commit,
    }


def _entry(content: str, priority: str, status: str, meta: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"content": content, "priority": priority, "status": status, "_meta": {"agentinfra": dict(meta)}}
