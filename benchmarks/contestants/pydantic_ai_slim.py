"""pydantic-ai with its FunctionModel."""

from __future__ import annotations

import task
from pydantic_ai import Agent
from pydantic_ai.messages import ModelResponse, TextPart, ToolCallPart, ToolReturnPart
from pydantic_ai.models.function import FunctionModel


def reply(messages, _info):
    """Call ``add`` first and answer after its result."""
    if any(isinstance(part, ToolReturnPart) for part in messages[-1].parts):
        return ModelResponse(parts=[TextPart(task.ANSWER)])
    return ModelResponse(parts=[ToolCallPart("add", task.ARGUMENTS, "1")])


def make():
    """An agent with its own model and tools."""
    return Agent(FunctionModel(reply), tools=list(task.TOOLS))


async def run(agent):
    """One run."""
    return (await agent.run(task.QUESTION)).output
