"""What a provider says, and what becomes of it in our vocabulary."""

import json
from dataclasses import replace
from itertools import pairwise

import pytest

from agentinfra.core.errors import ReplyError
from agentinfra.core.messages import (
    ReasoningDelta,
    TextDelta,
    ToolCall,
    ToolCallDelta,
    ToolSpec,
)
from agentinfra.models.partial_json import PartialJson
from agentinfra.models.structured import complete_as
from tests.conformance.conftest import HELLO
from tests.conformance.wire_format import INPUT_TOKENS, OUTPUT_TOKENS, Called, Said

TOOLS = (ToolSpec("add", "Adds", {"type": "object"}), ToolSpec("now", "Tells the time", {"type": "object"}))
WITH_TOOLS = replace(HELLO, tools=TOOLS)


def test_each_format_has_a_name_of_its_own(wire):
    assert wire.name


async def test_text_comes_whole_with_its_usage(bench):
    await bench.serve(Said(text=["Hel", "lo", " ⛅"], cached=40))
    reply = await bench.ask()
    assert (reply.text, reply.stop_reason, reply.model) == ("Hello ⛅", "stop", bench.model.name)
    used = reply.usage
    assert (used.input_tokens, used.output_tokens, used.cached_tokens) == (INPUT_TOKENS, OUTPUT_TOKENS, 40)
    assert reply.id


async def test_the_listener_is_told_each_piece_in_order(bench):
    await bench.serve(Said(thought="Hm", signature="s", text=["a", "b", "c"]))
    reply = await bench.ask(replace(HELLO, on_delta=bench.listen))
    assert bench.heard == [ReasoningDelta("Hm"), TextDelta("a"), TextDelta("b"), TextDelta("c")]
    assert reply.text == "abc"


async def test_thoughts_are_told_apart_from_what_is_said(bench):
    await bench.serve(Said(thought="First I add", signature="sealed", text=["3"], reasoning=20))
    reply = await bench.ask()
    thought = reply.parts[0]
    assert (thought.text, thought.model, reply.text) == ("First I add", bench.model.name, "3")
    assert thought.signature == ("sealed" if bench.wire.replays_reasoning else "")


async def test_parallel_calls_keep_their_ids_and_order(bench):
    calls = (Called("call_a", "add", ['{"a": 1, "b": 2}']), Called("call_b", "now", ["{}"]))
    await bench.serve(Said(text=["Both:"], calls=calls))
    reply = await bench.ask(WITH_TOOLS)
    assert reply.tool_calls == (ToolCall("call_a", "add", {"a": 1, "b": 2}), ToolCall("call_b", "now", {}))
    assert (reply.text, reply.stop_reason) == ("Both:", "tool_calls")


@pytest.mark.parametrize("size", [1, 2, 3, 7])
async def test_arguments_may_be_cut_anywhere(bench, size):
    text = json.dumps({"text": 'Grüße 😀 "quoted" \\ back\n', "list": [1, {"deep": None}], "n": -1.5e3})
    await bench.serve(Said(calls=[Called("call_a", "add", [text[at : at + size] for at in range(0, len(text), size)])]))
    reply = await bench.ask(replace(WITH_TOOLS, on_delta=bench.listen))
    assert reply.tool_calls[0].arguments == json.loads(text)
    pieces = [piece for piece in bench.heard if isinstance(piece, ToolCallDelta)]
    assert "".join(piece.arguments for piece in pieces) == text
    assert (pieces[0].id, pieces[0].name, {piece.index for piece in pieces}) == ("call_a", "add", {0})
    growing = PartialJson()
    values = [growing.feed(piece.arguments) for piece in pieces]
    assert values[-1] == json.loads(text)
    said = [value["text"] for value in values if value and "text" in value]
    assert all(later.startswith(earlier) for earlier, later in pairwise(said))


async def test_the_pieces_of_parallel_calls_are_told_apart(bench):
    calls = (Called("call_a", "add", ['{"a"', ": 1}"]), Called("call_b", "now", ["{}"]))
    await bench.serve(Said(calls=calls))
    await bench.ask(replace(WITH_TOOLS, on_delta=bench.listen))
    text = {0: "", 1: ""}
    for piece in bench.heard:
        text[piece.index] += piece.arguments
    assert text == {0: '{"a": 1}', 1: "{}"}


@pytest.mark.parametrize("pieces", [[], [""]])
async def test_no_arguments_are_an_empty_object(bench, pieces):
    await bench.serve(Said(calls=[Called("call_a", "now", pieces)]))
    assert (await bench.ask(WITH_TOOLS)).tool_calls == (ToolCall("call_a", "now", {}),)


@pytest.mark.parametrize("text", ['{"a": oops}', "[1, 2]", '"text"', '{"a": 1', '{"a": NaN}'])
async def test_unreadable_arguments_are_kept_as_they_came(bench, text):
    await bench.serve(Said(calls=[Called("call_a", "add", [text[:3], text[3:]])]))
    call = (await bench.ask(WITH_TOOLS)).tool_calls[0]
    assert (call.name, call.arguments, call.unreadable) == ("add", {}, text)


async def test_line_breaks_in_arguments_are_read_all_the_same(bench):
    await bench.serve(Said(calls=[Called("call_a", "add", ['{"a": "one\ntwo"}'])]))
    assert (await bench.ask(WITH_TOOLS)).tool_calls[0].arguments == {"a": "one\ntwo"}


async def test_calls_without_ids_or_with_the_same_one_get_their_own(bench):
    calls = [Called(id_, "now", ["{}"]) for id_ in ("same", "", "same", "")]
    await bench.serve(Said(calls=calls))
    ids = [call.id for call in (await bench.ask(WITH_TOOLS)).tool_calls]
    assert ids[0] == "same"
    assert len(set(ids)) == 4
    assert all(ids)


async def test_a_call_of_a_tool_that_does_not_exist_comes_through(bench):
    await bench.serve(Said(calls=[Called("call_a", "invented", ["{}"])]))
    assert (await bench.ask(WITH_TOOLS)).tool_calls == (ToolCall("call_a", "invented", {}),)


async def test_reasons_to_stop_are_told_apart(bench):
    stops = sorted(bench.wire.stops - {"refusal"})
    await bench.serve(*(Said(text=["Hm"], stop=stop) for stop in stops))
    replies = [await bench.ask() for _ in stops]
    assert [(reply.text, reply.stop_reason) for reply in replies] == [("Hm", stop) for stop in stops]


async def test_a_refusal_is_a_reason_to_stop_with_its_words(bench):
    await bench.serve(Said(refusal=["I will ", "not"]))
    reply = await bench.ask(replace(HELLO, on_delta=bench.listen))
    assert (reply.text, reply.stop_reason) == ("I will not", "refusal")
    assert bench.heard == [TextDelta("I will "), TextDelta("not")]


async def test_a_reply_cut_in_a_call_is_no_call_to_run(bench):
    await bench.serve(Said(calls=[Called("call_a", "add", ['{"a": '])], stop="length"))
    reply = await bench.ask(WITH_TOOLS)
    assert (reply.stop_reason, reply.tool_calls[0].unreadable) == ("length", '{"a": ')


async def test_nothing_said_is_an_empty_reply(bench):
    await bench.serve(Said())
    assert (await bench.ask()).parts == ()


async def test_a_value_of_a_type_is_asked_for_again_once_with_the_error(bench):
    await bench.serve(Said(text=['["one"]']), Said(text=["[1, 2]"]))
    value, reply = await complete_as(bench.model, HELLO, list[int])
    assert (value, reply.usage.input_tokens) == ([1, 2], 2 * INPUT_TOKENS)
    asked_again = bench.seen[1].of_kind("text")
    assert '["one"]' in asked_again[-2]
    assert "valid integer" in asked_again[-1]


async def test_two_replies_that_are_no_value_are_an_error(bench):
    await bench.serve(Said(text=["nonsense"]))
    with pytest.raises(ReplyError, match="twice"):
        await complete_as(bench.model, HELLO, list[int])
    assert len(bench.server.asked) == 2
