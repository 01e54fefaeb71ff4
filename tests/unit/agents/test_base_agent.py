"""The main loop with a model and tools."""

import pytest

from agentinfra.agents.base_agent import BaseAgent
from agentinfra.core.errors import ConfigError, InputError, ModelUnavailable
from agentinfra.core.messages import ChatReply, Message, Text, ToolCall, user
from agentinfra.models.scripted_model import ScriptedModel
from agentinfra.tools.custom_tool import tool


@tool
def add(a: int, b: int) -> int:
    """Add two numbers."""
    if a < 0:
        raise InputError("Negative numbers are not added")
    return a + b


def calling(*calls):
    return ChatReply(tuple(ToolCall(str(number), name, given) for number, (name, given) in enumerate(calls)), "s:m")


def results(request):
    return [(part.content, part.is_error) for part in request.messages[-1].parts]


async def test_tools_are_called_and_their_answers_go_back_to_the_model():
    model = ScriptedModel([calling(("add", {"a": 2, "b": 3}), ("add", {"a": 4, "b": 4})), "Five and eight."])
    agent = BaseAgent("Ada", model, [add])
    assert await agent.arun("What is 2 + 3, and 4 + 4?") == "Five and eight."
    first, second = model.requests
    assert [spec.name for spec in first.tools] == ["add"] and first.purpose == "Ada"
    assert results(second) == [("5", False), ("8", False)]
    assert [message.role for message in agent.conversation] == ["user", "assistant", "tool", "assistant"]


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (("subtract", {}), "There is no tool subtract. Call one of the known tools: add."),
        (("add", {"a": 1}), "b is missing"),
        (("add", {"a": -1, "b": 1}), "Negative numbers are not added."),
    ],
)
async def test_a_call_that_cannot_be_answered_is_answered_with_the_reason(call, told):
    model = ScriptedModel([calling(call), "Sorry."])
    assert await BaseAgent("Ada", model, [add]).arun("Go") == "Sorry."
    [(content, is_error)] = results(model.requests[1])
    assert is_error and told in content


async def test_an_agent_without_tools_says_so_to_a_model_that_calls_one():
    model = ScriptedModel([calling(("add", {})), "Sorry."])
    await BaseAgent("Ada", model).arun("Go")
    assert results(model.requests[1]) == [("There is no tool add. Call one of the known tools: none.", True)]


async def test_what_a_tool_breaks_on_by_mistake_is_not_swallowed():
    @tool
    def divide(a: int) -> float:
        """Divide."""
        return 1 / a

    with pytest.raises(ZeroDivisionError):
        await BaseAgent("Ada", ScriptedModel([calling(("divide", {"a": 0}))]), [divide]).arun("Go")


async def test_the_loop_ends_at_its_limit():
    model = ScriptedModel(lambda request: calling(("add", {"a": 1, "b": 1})))
    agent = BaseAgent("Ada", model, [add])
    agent.max_steps = 3
    assert await agent.arun("Go") is None
    assert len(model.requests) == 3


async def test_a_second_run_goes_on_with_the_conversation():
    model = ScriptedModel(["one", "two"])
    agent = BaseAgent("Ada", model)
    assert [await agent.arun("a"), await agent.arun(user("b"))] == ["one", "two"]
    assert [message.text for message in model.requests[1].messages] == ["a", "one", "b"]


async def test_without_input_the_model_is_asked_with_the_conversation_as_it_is():
    model = ScriptedModel(["hello"])
    agent = BaseAgent("Ada", model)
    agent.conversation.append(Message("system", (Text("Greet."),)))
    assert await agent.arun() == "hello"
    assert [message.role for message in model.requests[0].messages] == ["system"]


async def test_what_perceive_returns_is_what_the_model_hears():
    class Shouting(BaseAgent):
        def perceive(self, input_data):
            return input_data.upper()

    model = ScriptedModel(["ok"])
    await Shouting("Ada", model).arun("hey")
    assert [message.text for message in model.requests[0].messages] == ["HEY"]


async def test_what_perceive_passes_on_is_heard_without_a_return():
    class Shouting(BaseAgent):
        def perceive(self, input_data):
            super().perceive(input_data.upper())

    model = ScriptedModel(["ok"])
    await Shouting("Ada", model).arun("hey")
    assert [message.text for message in model.requests[0].messages] == ["HEY"]


async def test_a_method_of_the_instance_counts_as_an_override():
    agent = BaseAgent("Ada")
    agent.decide = lambda: "left"
    assert await agent.arun("where?") == "left"


async def test_an_agent_without_a_model_says_what_it_needs():
    with pytest.raises(ConfigError, match=r"Agent Ada has no model.*override decide\(\)"):
        await BaseAgent("Ada").arun("hi")


async def test_an_error_of_the_model_comes_out():
    with pytest.raises(ModelUnavailable, match="down"):
        await BaseAgent("Ada", ScriptedModel([ModelUnavailable("down")])).arun("hi")
