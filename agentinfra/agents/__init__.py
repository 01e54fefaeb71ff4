"""Agents: a planner, engineers, micro agents and quality assurance, and the base of one's own.

The names below load on first use, so that importing the package costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agentinfra.agents.base_agent import BaseAgent
    from agentinfra.agents.engineer_agent import EngineerAgent
    from agentinfra.agents.micro_agent import MicroAgent
    from agentinfra.agents.planner_agent import PlannerAgent
    from agentinfra.agents.qa_agent import QAAgent

__all__ = ["BaseAgent", "EngineerAgent", "MicroAgent", "PlannerAgent", "QAAgent"]

_HOMES = {
    "BaseAgent": "base_agent",
    "EngineerAgent": "engineer_agent",
    "MicroAgent": "micro_agent",
    "PlannerAgent": "planner_agent",
    "QAAgent": "qa_agent",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
