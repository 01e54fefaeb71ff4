"""A model that is a function."""

import pytest

from agentinfra.core.errors import ReplyError
from agentinfra.core.messages import ChatReply, ChatRequest, Text, ToolCall, user
from agentinfra.models.function_model import FunctionModel

REQUEST = ChatRequest((user("Hi"),))


async def test_a_text_becomes_a_reply_that_costs_nothing():
    reply = await FunctionModel(lambda request: request.messages[-1].text.upper(), name="my:model").complete(REQUEST)
    assert (reply.text, reply.model, reply.usage.cost_usd, reply.stop_reason) == ("HI", "my:model", 0.0, "stop")


async def test_an_asynchronous_function_is_waited_for_and_a_reply_passes_as_it_is():
    whole = ChatReply((ToolCall("1", "add", {}), Text("x")), "a:b", stop_reason="tool_calls")

    async def answer(_request):
        return whole

    assert await FunctionModel(answer).complete(REQUEST) is whole


async def test_what_the_function_raises_passes_through():
    def fail(_request):
        raise ReplyError("No")

    with pytest.raises(ReplyError, match="No"):
        await FunctionModel(fail).complete(REQUEST)
