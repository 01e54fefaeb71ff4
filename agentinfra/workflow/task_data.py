"""Tasks as events tell of them."""

from __future__ import annotations

from typing import Any

from agentinfra.core.tasks import Task
from agentinfra.workflow.run_state import TaskView


def task_of(view: TaskView) -> Task:
    """The task that a view shows."""
    return Task(view.id, view.title, view.requirements, view.files, view.symbols, view.depends_on, (), view.engineer)


def task_data(task: Task) -> dict[str, Any]:
    """A task as event data."""
    return {
        "id": task.id,
        "title": task.title,
        "requirements": list(task.requirements),
        "files": list(task.files),
        "symbols": list(task.symbols),
        "depends_on": list(task.depends_on),
        "engineer": task.engineer,
    }
