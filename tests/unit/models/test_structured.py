from dataclasses import dataclass

import pytest

from agentinfra.core.errors import ReplyError
from agentinfra.core.interfaces import ModelProfile
from agentinfra.core.messages import ChatReply, ChatRequest, Text, Usage, user
from agentinfra.models.scripted_model import ScriptedModel
from agentinfra.models.structured import complete_as

ASK = ChatRequest((user("Plan"),), purpose="plan")


@dataclass
class Plan:
    title: str
    steps: list[int]


async def test_a_value_of_the_type_comes_back_and_the_schema_goes_out():
    model = ScriptedModel(['{"title": "x", "steps": [1, 2]}'])
    plan, reply = await complete_as(model, ASK, Plan)
    assert plan == Plan("x", [1, 2])
    assert reply.text.startswith("{")
    schema = model.requests[0].schema
    assert schema is not None
    assert set(schema["required"]) == {"title", "steps"}
    assert model.requests[0].messages == ASK.messages


@pytest.mark.parametrize(
    "text",
    [
        'Sure!\n```json\n{"title": "x", "steps": [1, 2],}\n```\nAnything else?',
        '{"title": "x", "steps": [1, 2, 3',
    ],
)
async def test_untidy_and_cut_replies_are_read_without_asking_again(text):
    model = ScriptedModel([text])
    assert (await complete_as(model, ASK, Plan))[0] == Plan("x", [1, 2])


async def test_the_error_is_shown_once_and_usage_is_summed():
    wrong = ChatReply((Text('{"title": "x", "steps": ["one"]}'),), "m", Usage(10, 5, 0, 0.5))
    right = ChatReply((Text('{"title": "x", "steps": [1]}'),), "m", Usage(20, 5, 0, 0.5))
    model = ScriptedModel([wrong, right])
    plan, reply = await complete_as(model, ASK, Plan)
    assert plan.steps == [1]
    assert reply.usage == Usage(30, 10, 0, 1.0)
    first, shown, correction = model.requests[1].messages
    assert (first, shown.text) == (ASK.messages[0], wrong.text)
    assert "steps.0" in correction.text


async def test_two_bad_replies_are_an_error_that_says_what_was_wrong():
    model = ScriptedModel(["No.", "{}"])
    with pytest.raises(ReplyError, match="twice") as caught:
        await complete_as(model, ASK, Plan)
    assert "title: Field required" in caught.value.why
    assert len(model.requests) == 2
    assert "no JSON" in model.requests[1].messages[-1].text


async def test_a_refusal_is_not_asked_again():
    model = ScriptedModel([ChatReply((Text("I will not"),), "m", stop_reason="refusal")])
    with pytest.raises(ReplyError, match="refused") as caught:
        await complete_as(model, ASK, Plan)
    assert "I will not" in caught.value.why


async def test_a_model_without_schemas_is_told_in_words():
    model = ScriptedModel(["[1]"], profile=ModelProfile(native_schema=False))
    assert (await complete_as(model, ASK, list[int]))[0] == [1]
    assert '"type": "array"' in model.requests[0].messages[-1].text


async def test_a_schema_of_the_request_wins():
    model = ScriptedModel(["[1]"])
    await complete_as(model, ChatRequest((user("x"),), schema={"maxItems": 1}), list[int])
    assert model.requests[0].schema == {"maxItems": 1}
