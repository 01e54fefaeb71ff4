import asyncio
import json
from contextlib import aclosing
from dataclasses import dataclass, replace

import pytest

from agentinfra.core.errors import ContextOverflow, ReplyError
from agentinfra.core.interfaces import ModelProfile
from agentinfra.core.messages import (
    ChatReply,
    ChatRequest,
    Text,
    TextDelta,
    ToolCall,
    ToolCallDelta,
    ToolSpec,
    Usage,
    user,
)
from agentinfra.models.scripted_model import ScriptedModel
from agentinfra.models.structured import Finished, Partial, complete_as, stream_as
from agentinfra.models.structured_ways import ANSWER

TOOLS = ModelProfile(native_schema=False)
WORDS = ModelProfile(native_schema=False, tools=False)
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


@pytest.mark.parametrize(
    ("stop", "kind", "words", "asked"),
    [
        ("refusal", ReplyError, "refused to answer", 1),
        ("content_filter", ReplyError, "withheld the answer", 1),
        ("context_overflow", ContextOverflow, "did not fit into its context", 1),
        ("length", ReplyError, "was cut at 1024 tokens", 2),
    ],
)
async def test_refusals_filters_and_cuts_are_told_apart(stop, kind, words, asked):
    model = ScriptedModel(lambda request: ChatReply((Text("I will"),), "m", stop_reason=stop))
    with pytest.raises(kind, match=words) as caught:
        await complete_as(model, ASK, Plan)
    assert type(caught.value) is kind
    assert caught.value.next_step
    assert len(model.requests) == asked


async def test_a_cut_reply_that_can_be_read_is_an_answer():
    model = ScriptedModel([ChatReply((Text('{"title": "x", "steps": [1, 2, 3'),), "m", stop_reason="length")])
    assert (await complete_as(model, ASK, Plan))[0] == Plan("x", [1, 2])


async def test_a_model_that_can_do_nothing_else_is_told_in_words():
    model = ScriptedModel(["[1]"], profile=WORDS)
    assert (await complete_as(model, ASK, list[int]))[0] == [1]
    assert '"type": "array"' in model.requests[0].messages[-1].text
    assert (model.requests[0].schema, model.requests[0].tools) == (None, ())


async def test_a_request_with_tools_of_its_own_is_told_in_words():
    model = ScriptedModel(["[1]"], profile=TOOLS)
    await complete_as(model, replace(ASK, tools=(ToolSpec("add", "", {}),)), list[int])
    assert [tool.name for tool in model.requests[0].tools] == ["add"]
    assert '"type": "array"' in model.requests[0].messages[-1].text


async def test_a_schema_of_the_request_wins():
    model = ScriptedModel(["[1]"])
    await complete_as(model, ChatRequest((user("x"),), schema={"maxItems": 1}), list[int])
    assert model.requests[0].schema == {"maxItems": 1}


def called(id_="c1", unreadable="", **arguments):
    return ChatReply((Text("Here"), ToolCall(id_, ANSWER, arguments, unreadable)), "m", Usage(10, 5, cost_usd=0.5))


async def test_a_model_without_schemas_has_to_call_a_tool():
    model = ScriptedModel([called(title="x", steps=[1])], profile=TOOLS)
    assert (await complete_as(model, ASK, Plan))[0] == Plan("x", [1])
    request = model.requests[0]
    assert (request.tool_choice, request.parallel_tools, request.schema) == (ANSWER, False, None)
    assert set(request.tools[0].parameters["required"]) == {"title", "steps"}
    assert request.messages == ASK.messages


@pytest.mark.parametrize("type_", [list[int], int, list[Plan], None | Plan])
async def test_what_is_no_object_is_wrapped_into_one(type_):
    values = {list[int]: [1], int: 1, list[Plan]: [{"title": "x", "steps": [1]}]}
    model = ScriptedModel([called(value=values.get(type_))], profile=TOOLS)
    value, _ = await complete_as(model, ASK, type_)
    assert value == {list[Plan]: [Plan("x", [1])]}.get(type_, values.get(type_))
    parameters = model.requests[0].tools[0].parameters
    assert parameters["type"] == "object"
    assert ("$defs" in parameters) is ("$ref" in str(parameters))
    assert "$defs" not in parameters["properties"]["value"]


async def test_a_wrong_call_is_answered_with_its_error():
    model = ScriptedModel([called(title="x", steps=["one"]), called("c2", title="x", steps=[1])], profile=TOOLS)
    plan, reply = await complete_as(model, ASK, Plan)
    assert (plan, reply.usage) == (Plan("x", [1]), Usage(20, 10, cost_usd=1.0))
    said, result = model.requests[1].messages[1:]
    assert said.parts == called(title="x", steps=["one"]).parts
    assert (result.parts[0].call_id, result.parts[0].is_error) == ("c1", True)
    assert "steps.0" in result.parts[0].content


@pytest.mark.parametrize(
    "reply",
    [
        called(unreadable='{"title": "x", "steps": [1], }'),
        '{"title": "x", "steps": [1]}',
        'Sure: {"title": "x", "steps": [1]}',
    ],
)
async def test_servers_that_make_no_proper_call_are_taken_at_their_word(reply):
    assert (await complete_as(ScriptedModel([reply], profile=TOOLS), ASK, Plan))[0] == Plan("x", [1])


async def test_a_call_that_never_comes_is_asked_for_once():
    model = ScriptedModel(["No.", "Never."], profile=TOOLS)
    with pytest.raises(ReplyError, match="twice"):
        await complete_as(model, ASK, Plan)
    assert [message.role for message in model.requests[1].messages] == ["user", "assistant", "user"]


class Writer:
    """Streams each reply in pieces: one of pieces of text, or of a call's arguments."""

    name = "test:writer"

    def __init__(self, *replies, profile=None):
        self.profile = profile or ModelProfile()
        self.replies, self.cancelled, self.requests = iter(replies), False, []

    async def complete(self, request):
        self.requests.append(request)
        pieces = next(self.replies)
        by_tool = bool(request.tools)
        try:
            for piece in pieces:
                await request.on_delta(ToolCallDelta(0, arguments=piece) if by_tool else TextDelta(piece))
                await asyncio.sleep(0)
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        text = "".join(pieces)
        part = ToolCall("c1", ANSWER, json.loads(text)) if by_tool else Text(text)
        return ChatReply((part,), self.name, Usage(1, 1))

    async def aclose(self):
        pass


async def told(model, type_):
    return [item async for item in stream_as(model, ASK, type_)]


async def test_a_value_is_told_while_it_grows():
    *partial, finished = await told(Writer(['{"tit', 'le": "a', "\\u00", 'e9", "steps"', ": [1, ", "2]}"]), Plan)
    assert [one.value for one in partial] == [
        {},
        {"title": "a"},
        {"title": "aé"},
        {"title": "aé", "steps": [1]},
        {"title": "aé", "steps": [1, 2]},
    ]
    assert finished == Finished(Plan("aé", [1, 2]), finished.reply)


async def test_words_around_the_json_are_no_part_of_the_value():
    *partial, finished = await told(
        Writer(["Sure [1]!\n```json\n", '{"title": "x",', ' "steps": []}', "\n```\n:-)"]), Plan
    )
    assert [one.value for one in partial] == [{"title": "x"}, {"title": "x", "steps": []}]
    assert finished.value == Plan("x", [])


async def test_a_tools_arguments_grow_too():
    *partial, finished = await told(Writer(['{"value"', ": [1, ", "2]}"], profile=TOOLS), list[int])
    assert [one.value for one in partial] == [[1], [1, 2]]
    assert finished.value == [1, 2]


async def test_after_a_wrong_reply_the_value_begins_anew():
    model = Writer(['{"title": "x"}'], ['{"title": "y", ', '"steps": [1]}'])
    *partial, finished = await told(model, Plan)
    assert [one.value for one in partial] == [{"title": "x"}, {"title": "y"}, {"title": "y", "steps": [1]}]
    assert (finished.value, finished.reply.usage) == (Plan("y", [1]), Usage(2, 2))
    assert len(model.requests) == 2


async def test_a_model_that_does_not_stream_gives_the_value_alone():
    assert [item.value for item in await told(ScriptedModel(["[1]"]), list[int])] == [[1]]


async def test_leaving_early_stops_the_model():
    model = Writer(["[1", *[", 1"] * 10_000])
    async with aclosing(stream_as(model, ASK, list[int])) as items:
        async for item in items:
            assert item == Partial([1])
            break
    assert model.cancelled


async def test_a_stream_of_two_bad_replies_is_an_error():
    with pytest.raises(ReplyError, match="twice"):
        await told(Writer(["No"], ["{}"]), Plan)


@dataclass
class Metres:
    length: float


@dataclass
class Feet:
    length: float


async def test_the_form_of_a_class_is_built_once_and_that_of_a_union_keeps_its_order():
    say = '{"length": 1}'
    model = ScriptedModel([say] * 4)
    for _ in range(2):
        await complete_as(model, ASK, Metres)
    assert model.requests[0].schema is model.requests[1].schema
    units = [(await complete_as(model, ASK, union))[0] for union in (Metres | Feet, Feet | Metres)]
    assert units == [Metres(1.0), Feet(1.0)]
