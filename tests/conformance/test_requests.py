"""What is asked in our vocabulary, and what a provider reads of it."""

import asyncio
import base64
import json
from dataclasses import replace

import pytest

from agentinfra.core.errors import ModelUnavailable, NotSupported
from agentinfra.core.interfaces import ModelProfile
from agentinfra.core.messages import (
    Audio,
    ChatRequest,
    File,
    Image,
    Message,
    Reasoning,
    Text,
    ToolCall,
    ToolResult,
    ToolSpec,
    assistant,
    system,
    user,
)
from agentinfra.models.history import NO_RESULT
from agentinfra.models.real_requests import forbid_real_requests
from tests.conformance.conftest import HELLO
from tests.conformance.wire_format import KEY, Called, Said

ADD = ToolSpec("add", "Adds", {"type": "object", "properties": {"a": {"type": "integer"}}})
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGBgAAAABQABpfZFQAAAAABJRU5ErkJggg=="
)
TINY = ChatRequest((user("Add"),), tools=(ADD,))


def calls(*calls, text=""):
    return Message("assistant", (*((Text(text),) if text else ()), *calls))


def results(*results):
    return Message("tool", results)


async def seen_of(bench, request):
    await bench.serve(Said(text=["ok"]))
    await bench.ask(request)
    return bench.seen[0]


async def test_the_conversation_goes_out_in_order(bench):
    seen = await seen_of(bench, ChatRequest((system("Be brief"), user("Hi"), assistant("Yes?"), user("Go"))))
    assert seen.system == "Be brief"
    assert seen.turns == [("user", "text", "Hi"), ("assistant", "text", "Yes?"), ("user", "text", "Go")]


async def test_nothing_may_be_kept_by_the_provider(bench):
    assert (await seen_of(bench, HELLO)).stored is False


async def test_the_key_travels_in_a_header_alone(bench):
    await seen_of(bench, HELLO)
    asked = bench.server.asked[0]
    assert KEY not in asked.path
    assert KEY.encode() not in asked.raw
    assert KEY in str(asked.headers)


async def test_the_purpose_is_never_sent(bench):
    await seen_of(bench, replace(HELLO, purpose="very-private"))
    assert b"very-private" not in bench.server.asked[0].raw


async def test_a_schema_goes_out(bench):
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    seen = await seen_of(bench, replace(HELLO, schema=schema))
    assert seen.schema["properties"] == schema["properties"]
    assert seen.schema["required"] == ["n"]


@pytest.mark.parametrize("choice", ["auto", "none", "required", "add"])
async def test_which_tool_must_be_called_goes_out(bench, choice):
    seen = await seen_of(bench, replace(TINY, tool_choice=choice))
    assert (seen.tools, seen.choice, seen.parallel) == (["add"], choice, True)


async def test_one_call_at_a_time_can_be_asked_for(bench):
    assert (await seen_of(bench, replace(TINY, parallel_tools=False))).parallel is False


async def test_calls_and_results_go_out_in_pairs(bench):
    asked = calls(ToolCall("c1", "add", {"a": 1}), ToolCall("c2", "add", {"a": 2}), text="Both")
    answers = (results(ToolResult("c2", "no", is_error=True)), results(ToolResult("c1", "3")))
    seen = await seen_of(bench, replace(TINY, messages=(user("Add"), asked, *answers)))
    assert [(id_, name, json.loads(text)) for id_, name, text in seen.of_kind("call")] == [
        ("c1", "add", {"a": 1}),
        ("c2", "add", {"a": 2}),
    ]
    told = dict(seen.of_kind("result"))
    assert told["c1"] == "3"
    assert "no" in told["c2"]
    assert seen.of_kind("text") == ["Add", "Both"]


async def test_orphaned_calls_and_results_are_mended(bench):
    messages = (
        results(ToolResult("gone", "of a turn that was cut off")),
        user("Add"),
        calls(ToolCall("c1", "add", {"a": 1}), ToolCall("c2", "add", {"a": 2})),
        results(ToolResult("c1", "1")),
        user("And?"),
        calls(ToolCall("c1", "add", {"a": 3})),
    )
    seen = await seen_of(bench, replace(TINY, messages=messages))
    told = seen.of_kind("result")
    assert [text for _, text in told].count("1") == 1
    assert sum(NO_RESULT in text for _, text in told) == 2
    assert [id_ for id_, _ in told] == [id_ for id_, _, _ in seen.of_kind("call")]


async def test_a_conversation_that_waits_for_approval_can_be_sent_before_and_after(bench):
    waiting = (user("Add"), calls(ToolCall("c1", "add", {"a": 1})))
    await bench.serve(Said(text=["ok"]))
    await bench.ask(replace(TINY, messages=waiting))
    await bench.ask(replace(TINY, messages=(*waiting, results(ToolResult("c1", "1")))))
    before, after = bench.seen
    assert NO_RESULT in before.of_kind("result")[0][1]
    assert after.of_kind("result") == [("c1", "1")]
    assert before.of_kind("call") == after.of_kind("call")


async def test_an_unreadable_call_goes_back_readable(bench):
    messages = (user("Add"), calls(ToolCall("c1", "add", {}, unreadable='{"a": oops')), results(ToolResult("c1", "?")))
    seen = await seen_of(bench, replace(TINY, messages=messages))
    assert json.loads(seen.of_kind("call")[0][2]) == {"unreadable": '{"a": oops'}


async def test_tool_names_and_ids_are_made_legal_and_back(bench):
    tools = tuple(ToolSpec(name, "Reads", {"type": "object"}) for name in ("files.read", "files_read", "ein Wörtchen"))
    past = (calls(ToolCall("", "files.read", {}), ToolCall("", "removed!", {})), results(ToolResult("", "x")))
    await bench.serve(
        lambda asked: bench.wire.answer(Said(calls=[Called("c", bench.wire.seen(asked).tools[0], ["{}"])]))
    )
    reply = await bench.ask(ChatRequest((user("Read"), *past), tools=tools))
    assert reply.tool_calls == (ToolCall("c", "files.read", {}),)
    assert len(set(bench.seen[0].tools)) == 3
    assert bench.seen[0].tools[1] == "files_read"


async def test_a_required_tool_is_named_as_on_the_wire(bench):
    tool = replace(ADD, name="calc.add")
    seen = await seen_of(bench, replace(TINY, tools=(tool,), tool_choice="calc.add"))
    assert seen.choice == seen.tools[0]


async def test_thoughts_go_back_to_the_model_that_thought_them(bench):
    await bench.serve(Said(thought="Hm", signature="sealed", calls=[Called("c1", "add", ["{}"])]), Said(text=["3"]))
    first = await bench.ask(TINY)
    turns = (*TINY.messages, Message("assistant", first.parts), results(ToolResult("c1", "3")))
    await bench.ask(replace(TINY, messages=turns))
    sent = bench.seen[1].of_kind("reasoning")
    assert len(sent) == int(bench.wire.replays_reasoning)
    assert all("sealed" in str(one) for one in sent)


async def test_thoughts_of_another_model_stay_here(bench):
    thought = Reasoning("Hm", "other:model", "rs_9", "sealed")
    turns = (user("Hi"), Message("assistant", (thought, Text("Ho"))), user("Go"))
    seen = await seen_of(bench, ChatRequest(turns))
    assert seen.of_kind("reasoning") == []
    assert b"sealed" not in bench.server.asked[0].raw


async def test_a_thought_that_nothing_follows_stays_here(bench):
    thought = Reasoning("Hm", bench.wire.model("http://127.0.0.1:9").name, "rs_9", "sealed")
    seen = await seen_of(bench, ChatRequest((user("Hi"), Message("assistant", (thought,)), user("Go"))))
    assert seen.of_kind("text") == ["Hi", "Go"]


async def test_calls_with_the_same_beginning_share_a_cache_key(bench):
    await bench.serve(Said(text=["ok"]))
    for said in ("One", "Two"):
        await bench.ask(ChatRequest((system("Be brief"), user(said)), tools=(ADD,)))
    one, two = (seen.cache_key for seen in bench.seen)
    assert one == two != ""


async def test_the_cache_can_be_left_alone(bench):
    assert (await seen_of(bench, replace(HELLO, cache=False))).cache_key == ""


PARTS = {
    "image": Image(PNG),
    "audio": Audio(b"RIFF1234WAVE"),
    "file": File("notes.pdf", b"%PDF-1.4"),
}


async def test_pictures_sound_and_documents_go_out_between_the_words(bench):
    kinds = sorted(bench.wire.reads - {"text"})
    await bench.serve(Said(text=["ok"]))
    for kind in kinds:
        await bench.ask(ChatRequest((user("Look:", PARTS[kind], "What is it?"),)))
    for kind, seen in zip(kinds, bench.seen, strict=True):
        assert [one for _, one, _ in seen.turns] == ["text", kind, "text"]
        assert base64.b64encode(PARTS[kind].data).decode() in str(seen.turns[1])


async def test_pictures_by_address_are_fetched_by_the_provider(bench):
    seen = await seen_of(bench, ChatRequest((user("Look", Image(url="https://example.org/a.png")),)))
    assert "https://example.org/a.png" in str(seen.of_kind("image"))


async def test_pictures_of_a_tools_answer_go_out(bench):
    answers = results(ToolResult("c1", "Shot", images=(Image(PNG),)), ToolResult("c2", "2"))
    turns = (user("Look"), calls(ToolCall("c1", "add", {}), ToolCall("c2", "add", {})), answers)
    seen = await seen_of(bench, replace(TINY, messages=turns))
    assert len(seen.of_kind("image")) == 1
    assert [text for _, text in seen.of_kind("result")] == ["Shot", "2"]


async def test_pictures_that_the_model_made_are_shown_to_it_again(bench):
    turns = (user("Draw"), Message("assistant", (Image(PNG), Text("Here"))), user("Bigger"))
    seen = await seen_of(bench, ChatRequest(turns))
    assert len(seen.of_kind("image")) == 1


@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS.keys())
async def test_what_a_model_cannot_read_is_refused_before_the_call(bench, part):
    await bench.serve(Said(text=["ok"]), profile=ModelProfile())
    with pytest.raises(NotSupported, match="cannot read") as caught:
        await bench.ask(ChatRequest((user("Look", part),)))
    assert bench.model.name in caught.value.what
    assert bench.server.connections == 0


async def test_a_picture_in_a_tools_answer_is_refused_alike(bench):
    await bench.serve(Said(text=["ok"]), profile=ModelProfile())
    turns = (user("Look"), calls(ToolCall("c1", "add", {})), results(ToolResult("c1", "Shot", images=(Image(PNG),))))
    with pytest.raises(NotSupported, match="cannot read pictures"):
        await bench.ask(replace(TINY, messages=turns))


@pytest.mark.parametrize("kind", ["image", "audio"])
async def test_what_a_model_cannot_make_is_refused_before_the_call(bench, kind):
    await bench.serve(Said(text=["ok"]), profile=ModelProfile())
    with pytest.raises(NotSupported, match="cannot answer with"):
        await bench.ask(replace(HELLO, output=("text", kind)))
    assert bench.server.connections == 0


async def test_forbidden_requests_do_not_leave(bench):
    await bench.serve(Said(text=["ok"]))
    with forbid_real_requests(), pytest.raises(ModelUnavailable, match="forbidden"):
        await bench.ask()
    assert bench.server.connections == 0


async def test_callers_queue_at_the_models_concurrency(bench):
    slow = bench.wire.answer(Said(text=["a"]))
    await bench.serve(replace(slow, pieces=[0.03, *slow.pieces]), profile=ModelProfile(concurrency=2))
    replies = await asyncio.gather(*(bench.ask() for _ in range(6)))
    assert [reply.text for reply in replies] == ["a"] * 6
    assert bench.server.most_busy == 2
