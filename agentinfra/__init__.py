"""AgentInfra: a hierarchy of LLM agents that turns an idea into working, tested code in a git repository.

The names below load on first use: importing the package costs next to nothing and has no side effects.
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
    from agentinfra.core.errors import AgentInfraError
    from agentinfra.core.events import Event
    from agentinfra.core.interfaces import ChatModel, ModelProfile, Sandbox
    from agentinfra.core.messages import ChatReply, ChatRequest, Message
    from agentinfra.core.tasks import Task, TaskState
    from agentinfra.models.model_manager import ModelManager
    from agentinfra.models.ready_made import ClaudeModel, O1Model
    from agentinfra.models.scripted_model import ScriptedModel
    from agentinfra.workflow.workflow_builder import WorkflowBuilder

__version__ = "0.1.0"
__all__ = [
    "AgentInfraError",
    "BaseAgent",
    "ChatModel",
    "ChatReply",
    "ChatRequest",
    "ClaudeModel",
    "EngineerAgent",
    "Event",
    "Message",
    "MicroAgent",
    "ModelManager",
    "ModelProfile",
    "O1Model",
    "PlannerAgent",
    "QAAgent",
    "Sandbox",
    "ScriptedModel",
    "Task",
    "TaskState",
    "WorkflowBuilder",
    "__version__",
]

_HOMES = {
    "AgentInfraError": "core.errors",
    "BaseAgent": "agents.base_agent",
    "ChatModel": "core.interfaces",
    "ChatReply": "core.messages",
    "ChatRequest": "core.messages",
    "ClaudeModel": "models.ready_made",
    "EngineerAgent": "agents.engineer_agent",
    "Event": "core.events",
    "Message": "core.messages",
    "MicroAgent": "agents.micro_agent",
    "ModelManager": "models.model_manager",
    "ModelProfile": "core.interfaces",
    "O1Model": "models.ready_made",
    "PlannerAgent": "agents.planner_agent",
    "QAAgent": "agents.qa_agent",
    "Sandbox": "core.interfaces",
    "ScriptedModel": "models.scripted_model",
    "Task": "core.tasks",
    "TaskState": "core.tasks",
    "WorkflowBuilder": "workflow.workflow_builder",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
