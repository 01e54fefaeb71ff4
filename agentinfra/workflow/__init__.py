"""Who works when: durable workflows, the event log and its projections, the run, the gate and the merge queue.

The names below load on first use, so that importing the package costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agentinfra.workflow.durable import DbosEngine
    from agentinfra.workflow.memory_engine import MemoryEngine
    from agentinfra.workflow.workflow_builder import WorkflowBuilder
    from agentinfra.workflow.workflow_runner import run_workflow

__all__ = ["DbosEngine", "MemoryEngine", "WorkflowBuilder", "run_workflow"]

_HOMES = {
    "DbosEngine": "durable",
    "MemoryEngine": "memory_engine",
    "WorkflowBuilder": "workflow_builder",
    "run_workflow": "workflow_runner",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
