import asyncio

import pytest

from agentinfra.core.errors import ModelError, ModelUnavailable, ReplyError
from agentinfra.core.messages import (
    ChatRequest,
    Message,
    Text,
    ToolCall,
    ToolResult,
    ToolSpec,
    system,
    user,
)
from agentinfra.models.anthropic_model import AnthropicModel
from agentinfra.models.anthropic_wire import THINKING_TOKENS
from agentinfra.models.timeouts import Timeouts

QUICK = Timeouts(connect=2.0, silence=5.0, whole=10.0, retries=0)
HELLO = ChatRequest((user("Hello"),))


async def ask(server, request=HELLO, *, timeouts=QUICK):
    asked = AnthropicModel("anthropic:claude-test", base_url=server.url, api_key="secret", timeouts=timeouts)
    try:
        return await asked.complete(request)
    finally:
        await asked.aclose()


async def test_text_arrives_with_usage_that_includes_the_cache(wire):
    server = wire.start(wire.claude("Hello", cache_read_input_tokens=20, cache_creation_input_tokens=3))
    reply = await ask(server)
    assert (reply.text, reply.stop_reason, reply.model) == ("Hello", "stop", "anthropic:claude-test")
    assert (reply.usage.input_tokens, reply.usage.output_tokens, reply.usage.cached_tokens) == (28, 9, 20)
    assert server.headers[0]["authorization"] == "Bearer secret"


async def test_system_schema_and_limits_go_out(wire):
    server = wire.start(wire.claude("{}"))
    schema = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 1}}, "required": ["n"]}
    await ask(server, ChatRequest((system("A"), user("Hi"), system("B")), schema=schema, max_tokens=50, stop=("END",)))
    body = server.bodies[0]
    assert body["system"] == "A\n\nB"
    assert body["messages"] == [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]
    assert body["output_config"]["format"]["schema"]["additionalProperties"] is False
    assert (body["model"], body["max_tokens"]) == ("claude-test", 50 + THINKING_TOKENS)
    assert body["stop_sequences"] == ["END"]
    assert "temperature" not in body


async def test_tool_calls_come_in_and_results_go_out(wire):
    tool_use = {"type": "tool_use", "id": "t1", "name": "add", "input": {}}
    deltas = [{"type": "input_json_delta", "partial_json": part} for part in ('{"a": ', "1}")]
    pieces = [wire.claude_start(), wire.claude_block(0, tool_use, *deltas), wire.claude_end("tool_use")]
    server = wire.start(wire.Answer(pieces=pieces))
    calls = Message("assistant", (Text(""), ToolCall("t0", "add", {"a": 0})))
    results = (Message("tool", (ToolResult("t0", "0"),)), Message("tool", (ToolResult("t9", "x", is_error=True),)))
    tool = ToolSpec("add", "Adds", {"type": "object"})
    reply = await ask(server, ChatRequest((user("Add"), calls, *results), tools=(tool,)))
    assert (reply.tool_calls, reply.stop_reason) == ((ToolCall("t1", "add", {"a": 1}),), "tool_calls")
    body = server.bodies[0]
    assert body["messages"][1]["content"] == [{"type": "tool_use", "id": "t0", "name": "add", "input": {"a": 0}}]
    assert [block["is_error"] for block in body["messages"][2]["content"]] == [False, True]
    assert body["tools"] == [{"name": "add", "description": "Adds", "input_schema": {"type": "object"}}]


@pytest.mark.parametrize(
    ("stop", "expected"), [("max_tokens", "length"), ("refusal", "refusal"), ("stop_sequence", "stop")]
)
async def test_stop_reasons_are_told_apart(wire, stop, expected):
    assert (await ask(wire.start(wire.claude("Hm", stop=stop)))).stop_reason == expected


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (400, ModelError, "did not accept"),
        (401, ModelUnavailable, "refused the key"),
        (429, ModelUnavailable, "no more requests"),
        (529, ModelUnavailable, "out of order"),
    ],
)
async def test_refused_requests_name_the_providers_reason(wire, status, kind, words):
    body = '{"type": "error", "error": {"type": "some_error", "message": "because of tuesday"}}'
    with pytest.raises(kind, match=words) as caught:
        await ask(wire.start(wire.Answer(status, [body], {"Content-Type": "application/json"})))
    assert type(caught.value) is kind
    assert "tuesday" in caught.value.why


@pytest.mark.parametrize("pieces", ["cut", "no end", "garbage", "web page", "wrong order", "error"])
async def test_half_an_answer_is_no_answer(wire, pieces):
    text = wire.claude_block(0, {"type": "text", "text": ""}, {"type": "text_delta", "text": "half"})
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "overheated"}}
    kinds = {
        "cut": [wire.claude_start(), wire.CUT],
        "no end": [wire.claude_start(), text],
        "garbage": [wire.claude_start(), wire.event("{not json", "content_block_start")],
        "web page": ["<html>Log in to the hotel's network</html>"],
        "wrong order": [text],
        "error": [wire.claude_start(), wire.event(error, "error")],
    }
    with pytest.raises(ReplyError, match="The answer of anthropic:claude-test broke off"):
        await ask(wire.start(wire.Answer(pieces=kinds[pieces])))


async def test_slowness_has_a_limit(wire):
    server = wire.start(wire.Answer(pieces=[wire.claude_start(), 1.0, wire.claude_end()]))
    with pytest.raises(ReplyError, match="did not finish"):
        await ask(server, timeouts=Timeouts(whole=0.2, retries=0))


async def test_nobody_listening_is_unavailable():
    asked = AnthropicModel("anthropic:x", base_url="http://127.0.0.1:9", api_key="k", timeouts=QUICK)
    with pytest.raises(ModelUnavailable, match="cannot be reached"):
        await asked.complete(HELLO)


async def test_cancelling_closes_the_stream(wire):
    ping = wire.event({"type": "ping"}, "ping")
    server = wire.start(wire.Answer(pieces=[wire.claude_start(), *[ping, 0.02] * 500]))
    task = asyncio.create_task(ask(server))
    while not server.busy:
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(server.client_left.wait, 5)


async def test_without_a_key_the_error_names_the_ways_out(monkeypatch):
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    with pytest.raises(ModelUnavailable, match="ANTHROPIC_API_KEY is not set") as caught:
        await AnthropicModel("anthropic:claude-test").complete(HELLO)
    assert "[models.aliases]" in caught.value.next_step
