"""Microsoft's agent-framework-core with a chat client of its own kind."""

from __future__ import annotations

import task
from agent_framework import Agent, BaseChatClient, ChatResponse, Content, FunctionInvocationLayer, Message, tool


class Client(FunctionInvocationLayer, BaseChatClient):
    """Calls ``add`` first and answers after its result."""

    async def _inner_get_response(self, *, messages, stream, options, **kwargs):
        if messages[-1].role == "tool":
            return ChatResponse(messages=[Message(role="assistant", contents=[task.ANSWER])])
        call = Content.from_function_call("1", "add", arguments=task.ARGUMENTS)
        return ChatResponse(messages=[Message(role="assistant", contents=[call])])


def make():
    """An agent with its own client and tools."""
    return Agent(client=Client(), tools=[tool(function, approval_mode="never_require") for function in task.TOOLS])


async def run(agent):
    """One run."""
    return (await agent.run(task.QUESTION)).text
