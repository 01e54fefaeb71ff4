"""agno with a Model of its own kind; telemetry off."""

from __future__ import annotations

from dataclasses import dataclass

import task
from agno.agent import Agent
from agno.models.base import Model
from agno.models.response import ModelResponse


@dataclass
class Scripted(Model):
    """Calls ``add`` first and answers after its result."""

    id: str = "scripted"

    async def ainvoke(self, messages, *rest, **more):
        if messages[-1].role == "tool":
            return ModelResponse(role="assistant", content=task.ANSWER)
        function = {"name": "add", "arguments": task.ARGUMENTS}
        return ModelResponse(role="assistant", tool_calls=[{"id": "1", "type": "function", "function": function}])

    def invoke(self, *rest, **more):
        raise NotImplementedError

    def invoke_stream(self, *rest, **more):
        raise NotImplementedError

    def ainvoke_stream(self, *rest, **more):
        raise NotImplementedError

    def _parse_provider_response(self, response, **more):
        raise NotImplementedError

    def _parse_provider_response_delta(self, response):
        raise NotImplementedError


def make():
    """An agent with its own model and tools."""
    return Agent(model=Scripted(), tools=list(task.TOOLS), telemetry=False)


async def run(agent):
    """One run."""
    return (await agent.arun(task.QUESTION)).content
