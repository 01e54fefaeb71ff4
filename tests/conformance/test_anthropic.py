"""What is Anthropic's alone, or the same everywhere but said in another way here."""

import json
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest

from agentinfra.core.errors import NotSupported, ReplyError
from agentinfra.core.messages import (
    Audio,
    ChatRequest,
    File,
    Image,
    Message,
    Reasoning,
    ReasoningDelta,
    Text,
    TextDelta,
    ToolCall,
    ToolCallDelta,
    ToolResult,
    ToolSpec,
    assistant,
    system,
    user,
)
from agentinfra.models.claude_models import claude
from tests.conformance.anthropic_format import (
    AnthropicFormat,
    call_block,
    end,
    marked,
    start,
    text_block,
    thinking_block,
    typed,
)
from tests.conformance.anthropic_format import block as content_block
from tests.conformance.conftest import HELLO, Bench
from tests.conformance.wire_format import QUICK, Said
from tests.conformance.wire_server import Answer

ADD = ToolSpec("add", "Adds", {"type": "object", "properties": {"a": {"type": "integer"}}})
OPUS = "anthropic:claude-opus-5"


@pytest.fixture
async def bench():
    async with AsyncExitStack() as stack:
        bench = Bench(AnthropicFormat(), stack)
        yield bench
        assert not bench.server.objections


async def body_of(bench, request, name=OPUS):
    """What goes out for the request."""
    await bench.serve(Said(text=["fine"]), name=name, profile=claude(name).profile)
    await bench.ask(request)
    return bench.server.bodies[0]


def after_a_call(*results, thought=None):
    parts = ([thought] if thought else []) + [ToolCall("t1", "add", {"a": 1})]
    return ChatRequest((user("Add"), Message("assistant", tuple(parts)), *results), tools=(ADD,))


async def test_thoughts_text_and_calls_stream_in_pieces_and_come_whole(bench):
    pieces = [
        start(cached=20, written=3),
        *thinking_block(0, "Let me see", "sig-1"),
        *content_block(1, {"type": "redacted_thinking", "data": "hidden"}),
        *text_block(2, "Two ", "sums"),
        *call_block(3, "t1", "add", '{"a": 1, "t": "\\u0', '0e9"}'),
        *call_block(4, "t2", "add"),
        *end("tool_use", output_tokens_details={"thinking_tokens": 30}),
    ]
    await bench.serve(Answer(pieces), name=OPUS)
    reply = await bench.ask(replace(HELLO, tools=(ADD,), on_delta=bench.listen))
    assert reply.parts == (
        Reasoning("Let me see", OPUS, signature="sig-1"),
        Reasoning("", OPUS, signature="hidden", redacted=True),
        Text("Two sums"),
        ToolCall("t1", "add", {"a": 1, "t": "é"}),
        ToolCall("t2", "add", {}),
    )
    assert bench.heard == [
        ReasoningDelta("Let me see"),
        TextDelta("Two "),
        TextDelta("sums"),
        ToolCallDelta(0, "t1", "add"),
        ToolCallDelta(0, arguments='{"a": 1, "t": "\\u0'),
        ToolCallDelta(0, arguments='0e9"}'),
        ToolCallDelta(1, "t2", "add"),
    ]
    usage = reply.usage
    assert (usage.input_tokens, usage.cached_tokens, usage.cache_write_tokens) == (100, 20, 3)
    assert (usage.output_tokens, usage.reasoning_tokens) == (50, 30)
    assert (reply.stop_reason, reply.id) == ("tool_calls", "msg_1")


async def test_a_refusal_without_words_gets_the_providers_explanation(bench):
    await bench.serve(Answer([start(), *end("refusal", explanation="It could do harm")]))
    reply = await bench.ask()
    assert (reply.text, reply.stop_reason) == ("It could do harm", "refusal")


async def test_events_of_the_future_are_passed_over(bench):
    unknown = content_block(0, {"type": "hologram"}, {"type": "hologram_delta", "light": "x"})
    await bench.serve(Answer([start(), typed("fanfare"), *unknown, *text_block(1, "Hi"), *end()]))
    reply = await bench.ask(replace(HELLO, on_delta=bench.listen))
    assert (reply.parts, bench.heard) == ((Text("Hi"),), [TextDelta("Hi")])


async def test_a_compatible_server_may_leave_out_ids_usage_and_pieces(bench):
    bare = typed("message_start", message={"role": "assistant"})
    calls = [
        typed("content_block_start", index=0, content_block={"type": "tool_use", "name": "add", "input": {"a": 7}}),
        typed("content_block_start", index=1, content_block={"type": "tool_use", "id": "x", "name": "add"}),
        typed("content_block_start", index=2, content_block={"type": "tool_use", "id": "x", "name": "add"}),
    ]
    await bench.serve(Answer([bare, *calls, typed("message_delta", delta={"stop_reason": "end_turn"})]))
    reply = await bench.ask(replace(HELLO, tools=(ADD,)))
    assert reply.tool_calls == (
        ToolCall("call_0", "add", {"a": 7}),
        ToolCall("x", "add", {}),
        ToolCall("call_2", "add", {}),
    )
    assert (reply.stop_reason, reply.usage.cost_usd, reply.id) == ("tool_calls", None, "")


async def test_thoughts_go_back_unchanged_to_their_model_and_to_no_other(bench):
    thoughts = (
        Reasoning("Hm", OPUS, signature="sig-1"),
        Reasoning("", OPUS, signature="sig-2"),
        Reasoning("", OPUS, signature="hidden", redacted=True),
        Reasoning("Not mine", "anthropic:claude-haiku-5-5", signature="other"),
        Reasoning("Unsigned", OPUS),
    )
    answer = Message("assistant", (*thoughts, Text("Yes")))
    body = await body_of(bench, ChatRequest((user("a"), answer, user("b"))))
    assert body["messages"][1]["content"] == [
        {"type": "thinking", "thinking": "Hm", "signature": "sig-1"},
        {"type": "thinking", "thinking": "", "signature": "sig-2"},
        {"type": "redacted_thinking", "data": "hidden"},
        {"type": "text", "text": "Yes"},
    ]


@pytest.mark.parametrize("thinker", ["openai:o1", OPUS])
async def test_thoughts_alone_make_no_turn(bench, thinker):
    answer = Message("assistant", (Reasoning("Hm", thinker, signature="x"),))
    body = await body_of(bench, ChatRequest((user("a"), answer, user("b"))))
    assert [one["text"] for one in body["messages"][0]["content"]] == ["a", "b"]


@pytest.mark.parametrize(
    ("name", "effort", "thinking", "told", "room"),
    [
        ("claude-sonnet-5-5", None, None, None, 8192),
        ("claude-opus-4-8", None, None, None, 0),
        ("claude-opus-5", "high", {"type": "adaptive", "display": "summarized"}, "high", 16384),
        ("claude-opus-4-6", "low", {"type": "adaptive", "display": "summarized"}, "low", 4096),
        ("claude-haiku-4-5", "medium", {"type": "enabled", "budget_tokens": 8192}, None, 8192),
        ("claude-opus-4-5", "high", {"type": "enabled", "budget_tokens": 16384}, "high", 16384),
        ("claude-haiku-4-5", "none", None, None, 0),
        ("claude-opus-5", "none", {"type": "disabled"}, None, 0),
        ("claude-sonnet-5-5", "none", {"type": "between_tools"}, None, 4096),
        ("claude-opus-5-5", "none", None, "low", 4096),
        ("claude-fable-5", "none", None, "low", 4096),
    ],
)
async def test_effort_is_said_as_the_model_understands_it(bench, name, effort, thinking, told, room):
    body = await body_of(bench, replace(HELLO, effort=effort, max_tokens=50), f"anthropic:{name}")
    assert body.get("thinking") == thinking
    assert body.get("output_config", {}).get("effort") == told
    assert body["max_tokens"] == 50 + room


async def test_the_bound_stays_within_what_the_model_can_write(bench):
    assert (await body_of(bench, replace(HELLO, effort="high", max_tokens=10**6)))["max_tokens"] == 128_000


@pytest.mark.parametrize(
    "request_",
    [
        after_a_call(Message("tool", (ToolResult("t1", "1"),))),
        replace(HELLO, tools=(ADD,), tool_choice="add"),
    ],
    ids=["a call without thoughts", "a forced call"],
)
async def test_older_models_do_not_think_where_they_may_not(bench, request_):
    body = await body_of(bench, replace(request_, effort="high"), "anthropic:claude-haiku-4-5")
    assert "thinking" not in body


async def test_older_models_go_on_thinking_after_their_own_thoughts(bench):
    name = "anthropic:claude-haiku-4-5"
    request = after_a_call(Message("tool", (ToolResult("t1", "1"),)), thought=Reasoning("Hm", name, signature="s"))
    assert (await body_of(bench, replace(request, effort="low"), name))["thinking"]["budget_tokens"] == 4096


@pytest.mark.parametrize(
    ("name", "choice", "parallel", "expected", "aside"),
    [
        ("claude-opus-5", "auto", True, None, []),
        ("claude-opus-5", "auto", False, {"type": "auto", "disable_parallel_tool_use": True}, []),
        ("claude-opus-5", "none", False, {"type": "none"}, []),
        ("claude-opus-5", "required", True, {"type": "any"}, []),
        ("claude-opus-5", "a d", False, {"type": "tool", "name": "a_d", "disable_parallel_tool_use": True}, []),
        ("claude-opus-5-5", "required", True, None, ["Answer by calling one of the tools."]),
        ("claude-sonnet-5-5", "a d", True, None, ["Answer by calling the tool a_d."]),
    ],
)
async def test_tool_choice_is_forced_or_asked_for(bench, name, choice, parallel, expected, aside):
    request = replace(HELLO, tools=(replace(ADD, name="a d"),), tool_choice=choice, parallel_tools=parallel)
    body = await body_of(bench, request, f"anthropic:{name}")
    assert body.get("tool_choice") == expected
    assert [one["text"] for one in body["messages"][0]["content"]] == ["Hello", *aside]


async def test_tools_that_are_gone_are_declared_but_not_offered(bench):
    results = Message("tool", (ToolResult("t1", "1"),))
    body = await body_of(bench, replace(after_a_call(results), tools=()))
    assert (body["tools"], body["tool_choice"]) == (
        [{"name": "add", "input_schema": {"type": "object"}, "cache_control": {"type": "ephemeral"}}],
        {"type": "none"},
    )


async def test_all_results_come_first_in_one_turn_and_failures_hold_no_pictures(bench):
    calls = Message("assistant", (Text("So"), ToolCall("t1", "add", {}), ToolCall("t2", "add", {})))
    shot = Image(b"png")
    results = (
        Message("tool", (ToolResult("t2", "boom", is_error=True, images=(shot,)),)),
        Message("tool", (ToolResult("t1", "", images=(shot,)),)),
    )
    request = ChatRequest((user("Add"), calls, *results, user("Well?")), tools=(ADD,), cache=False)
    body = await body_of(bench, request)
    picture = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "cG5n"}}
    assert body["messages"][2]["content"] == [
        {"type": "tool_result", "tool_use_id": "t2", "content": "boom", "is_error": True},
        {"type": "tool_result", "tool_use_id": "t1", "content": [picture]},
        picture,
        {"type": "text", "text": "Well?"},
    ]


async def test_documents_and_pictures_go_out(bench):
    content = (
        File("a.pdf", b"%PDF"),
        File("b.pdf", url="https://example.org/b.pdf"),
        File("notes.md", "Übung".encode(), media_type="text/markdown"),
        Image(url="https://example.org/x.png"),
        Image(b"gif", media_type="image/gif"),
    )
    body = await body_of(bench, ChatRequest((user(*content),), cache=False))
    sources = [one["source"] for one in body["messages"][0]["content"]]
    assert [one.get("title") for one in body["messages"][0]["content"]] == ["a.pdf", "b.pdf", "notes.md", None, None]
    assert sources == [
        {"type": "base64", "media_type": "application/pdf", "data": "JVBERg=="},
        {"type": "url", "url": "https://example.org/b.pdf"},
        {"type": "text", "media_type": "text/plain", "data": "Übung"},
        {"type": "url", "url": "https://example.org/x.png"},
        {"type": "base64", "media_type": "image/gif", "data": "Z2lm"},
    ]


@pytest.mark.parametrize(
    "part",
    [
        Audio(b"wav"),
        Image(b"bmp", media_type="image/bmp"),
        File("a.zip", b"PK", media_type="application/zip"),
        File("a.txt", b"\xff\xfe", media_type="text/plain"),
        File("a.txt", url="https://example.org/a.txt", media_type="text/plain"),
    ],
)
async def test_what_claude_cannot_read_is_refused_before_the_call(bench, part):
    await bench.serve(Said(text=["never"]))
    with pytest.raises(NotSupported, match="claude-opus-5 cannot read") as caught:
        await bench.ask(ChatRequest((user(part),)))
    assert caught.value.next_step
    assert not bench.server.asked


async def test_pictures_by_another_model_are_shown_by_the_user(bench):
    drawn = Message("assistant", (Image(b"png"), Text("Here")))
    body = await body_of(bench, ChatRequest((user("Draw"), drawn, user("Nice"))))
    kinds = [(turn["role"], [one["type"] for one in turn["content"]]) for turn in body["messages"]]
    assert kinds == [("user", ["text"]), ("assistant", ["text"]), ("user", ["image", "text"])]


async def test_system_messages_lead_or_are_folded_where_they_stand(bench):
    messages = (system("A"), system(" "), system("B"), user("Hi"), assistant("Yes?"), system("C"), user("Go"))
    body = await body_of(bench, ChatRequest(messages, cache=False))
    assert body["system"] == [{"type": "text", "text": "A\n\nB"}]
    assert [one["text"] for one in body["messages"][2]["content"]] == ["<system>\nC\n</system>", "Go"]


@pytest.mark.parametrize(
    "messages",
    [
        (),
        (system("A"),),
        (user(" "),),
        (assistant("Yes"),),
        (user("Hi"), assistant("Yes")),
        (assistant("a"), user("b")),
    ],
)
async def test_a_user_has_the_first_and_the_last_word(bench, messages):
    await body_of(bench, ChatRequest(messages))


async def test_ids_and_names_become_legal_on_both_sides_and_come_back(bench):
    answer = Answer([start(), *call_block(0, "t1", "fs_read_file", "{}"), *end("tool_use")])
    await bench.serve(answer)
    calls = Message("assistant", (ToolCall("call|1", "fs.read file", {}), ToolCall("call|1", "fs.read file", {})))
    results = Message("tool", (ToolResult("call|1", "one"), ToolResult("call|1", "two")))
    tool = replace(ADD, name="fs.read file")
    reply = await bench.ask(ChatRequest((user("Read"), calls, results), tools=(tool,)))
    assert [call.name for call in reply.tool_calls] == ["fs.read file"]
    assert [text for _, text in bench.seen[0].of_kind("result")] == ["one", "two"]


def conversation(turns):
    """A growing conversation: each turn is a call and its result."""
    messages = [system("Be brief"), user("Add")]
    for number in range(turns):
        messages.append(Message("assistant", (ToolCall(f"t{number}", "add", {"a": number}),)))
        messages.append(Message("tool", (ToolResult(f"t{number}", str(number)),)))
    return ChatRequest(tuple(messages), tools=(ADD,))


def prefix(body, place):
    """Everything up to a marked block, as the provider's cache sees it: the marks themselves do not count."""
    turn, at = (int(step) for step in place.split("."))
    messages = [message["content"] for message in body["messages"][:turn]]
    messages.append(body["messages"][turn]["content"][: at + 1])
    text = json.dumps([body["tools"], body["system"], messages])
    return text.replace(', "cache_control": {"type": "ephemeral"}', "")


async def test_each_request_of_a_growing_conversation_finds_what_the_one_before_has_cached(bench):
    await bench.serve(Said(text=["fine"]))
    for turns in range(1, 5):
        await bench.ask(replace(conversation(turns), schema={"type": "string"} if turns % 2 else None))
    cached = []
    for body in bench.server.bodies:
        places = [place for place, _ in marked(body)]
        assert places[:2] == ["tools.0", "system.0"]
        prefixes = [prefix(body, place) for place in places[2:]]
        assert len(prefixes) == 2
        assert not cached or cached[-1] in prefixes
        cached = prefixes


async def test_what_is_asked_once_is_cached_only_up_to_its_instructions(bench):
    body = await body_of(bench, conversation(0))
    assert [place for place, _ in marked(body)] == ["tools.0", "system.0"]


async def test_without_caching_nothing_is_marked(bench):
    body = await body_of(bench, replace(conversation(2), cache=False))
    assert not list(marked(body))


@pytest.mark.parametrize(
    ("name", "schema", "native"),
    [
        (OPUS, {"type": "object", "properties": {"n": {"type": "integer", "minimum": 1}}, "required": ["n"]}, True),
        (OPUS, {"type": "object", "additionalProperties": {"type": "integer"}}, False),
        ("anthropic:claude-opus-3", {"type": "object", "properties": {"n": {"type": "integer"}}}, False),
    ],
)
async def test_a_schema_is_enforced_or_told(bench, name, schema, native):
    body = await body_of(bench, replace(HELLO, schema=schema), name)
    texts = [one["text"] for one in body["messages"][0]["content"]]
    if native:
        assert body["output_config"]["format"]["schema"]["additionalProperties"] is False
        assert texts == ["Hello"]
    else:
        assert "output_config" not in body
        assert json.dumps(schema) in texts[1]


async def test_a_model_that_thinks_for_long_is_not_silent(bench):
    pings = [typed("ping"), 0.2] * 5
    quick = replace(QUICK, first=0.5, silence=0.5)
    await bench.serve(Answer([start(), *pings, *text_block(0, "Done"), *end()]), timeouts=quick)
    assert (await bench.ask()).text == "Done"


@pytest.mark.parametrize(
    "piece",
    [
        typed("content_block_delta", index=0, delta={"type": "text_delta", "text": "x"}),
        typed("content_block_start", index=0, content_block={"type": "text"}).replace('"index": 0, ', ""),
        typed("message_start", message=[]),
        "data: [1]\n\n",
        "event: error\ndata: oops\n\n",
        f"data: {'[' * 100_000}\n\n",
    ],
)
async def test_events_out_of_order_are_no_answer(bench, piece):
    await bench.serve(Answer([piece, *end()]))
    with pytest.raises(ReplyError, match="broke off") as caught:
        await bench.ask()
    assert caught.value.transient
