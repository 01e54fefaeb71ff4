"""openai-agents with a Model of its own kind; tracing off."""

from __future__ import annotations

import task
from agents import Agent, Model, ModelResponse, Runner, Usage, function_tool, set_tracing_disabled
from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage, ResponseOutputText

set_tracing_disabled(True)


class Scripted(Model):
    """Calls ``add`` first and answers after its result."""

    async def get_response(self, system_instructions, input, *rest, **more):
        if isinstance(input, list) and any(item.get("type") == "function_call_output" for item in input):
            text = ResponseOutputText(annotations=[], text=task.ANSWER, type="output_text")
            item = ResponseOutputMessage(id="m", content=[text], role="assistant", status="completed", type="message")
        else:
            item = ResponseFunctionToolCall(arguments=task.ARGUMENTS, call_id="1", name="add", type="function_call")
        return ModelResponse(output=[item], usage=Usage(), response_id=None)

    def stream_response(self, *rest, **more):
        raise NotImplementedError


def make():
    """An agent with its own model and tools."""
    return Agent(name="calculator", model=Scripted(), tools=[function_tool(function) for function in task.TOOLS])


async def run(agent):
    """One run."""
    return (await Runner.run(agent, task.QUESTION)).final_output
