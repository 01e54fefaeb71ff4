"""AgentInfra's BaseAgent."""

from __future__ import annotations

import json

import task

from agentinfra.agents.base_agent import BaseAgent
from agentinfra.core.messages import ChatReply, ChatRequest, Text, ToolCall
from agentinfra.models.function_model import FunctionModel
from agentinfra.tools.custom_tool import tool


def reply(request: ChatRequest) -> ChatReply:
    """Call ``add`` first and answer after its result."""
    if request.messages[-1].role == "tool":
        return ChatReply((Text(task.ANSWER),), "function:model")
    return ChatReply((ToolCall("1", "add", json.loads(task.ARGUMENTS)),), "function:model", stop_reason="tool_calls")


def make() -> BaseAgent:
    """An agent with its own model and tools."""
    return BaseAgent("calculator", FunctionModel(reply), [tool(function) for function in task.TOOLS])


async def run(agent: BaseAgent) -> str:
    """One run."""
    return await agent.arun(task.QUESTION)
