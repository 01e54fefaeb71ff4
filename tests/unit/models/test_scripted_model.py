import pytest

from agentinfra.core.errors import ModelUnavailable, ReplyError
from agentinfra.core.messages import ChatReply, ChatRequest, Text, user
from agentinfra.models.scripted_model import ScriptedModel

ASK = ChatRequest((user("What now?"),), purpose="code")


async def test_replies_come_in_order_and_requests_are_kept():
    whole = ChatReply((Text("two"),), "other:model", stop_reason="length")
    model = ScriptedModel(["one", whole])
    assert (await model.complete(ASK)).text == "one"
    assert await model.complete(ASK) is whole
    assert model.requests == [ASK, ASK]


async def test_an_exception_in_the_script_is_raised():
    model = ScriptedModel([ModelUnavailable("down"), "up"])
    with pytest.raises(ModelUnavailable, match="down"):
        await model.complete(ASK)
    assert (await model.complete(ASK)).text == "up"


async def test_a_function_answers_for_ever():
    model = ScriptedModel(lambda request: request.messages[-1].text.upper())
    assert [(await model.complete(ASK)).text for _ in range(3)] == ["WHAT NOW?"] * 3


async def test_a_used_up_script_says_what_was_asked():
    with pytest.raises(ReplyError, match=r"0 replies.*request 1 \(code\).*What now\?"):
        await ScriptedModel([]).complete(ASK)
