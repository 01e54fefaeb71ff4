import asyncio

import pytest

from agentinfra.core.errors import ModelError, ModelUnavailable, ReplyError
from agentinfra.core.interfaces import ModelProfile
from agentinfra.core.messages import (
    ChatRequest,
    Message,
    Text,
    ToolCall,
    ToolResult,
    ToolSpec,
    assistant,
    system,
    user,
)
from agentinfra.models.openai_model import OpenAIChatModel
from agentinfra.models.timeouts import Timeouts

QUICK = Timeouts(connect=2.0, silence=5.0, whole=10.0, retries=0)
HELLO = ChatRequest((user("Hello"),))


def model(server, *, timeouts=QUICK, **options):
    return OpenAIChatModel("openai-compatible:tiny", base_url=f"{server.url}/v1", timeouts=timeouts, **options)


async def ask(server, request=HELLO, **options):
    asked = model(server, **options)
    try:
        return await asked.complete(request)
    finally:
        await asked.aclose()


async def test_streamed_text_arrives_whole_with_usage(wire):
    usage = {"prompt_tokens": 11, "completion_tokens": 4, "total_tokens": 15}
    server = wire.start(wire.chat("Hel", "lo", "!", usage={**usage, "prompt_tokens_details": {"cached_tokens": 8}}))
    reply = await ask(server)
    assert (reply.text, reply.stop_reason, reply.model) == ("Hello!", "stop", "openai-compatible:tiny")
    assert (reply.usage.input_tokens, reply.usage.output_tokens, reply.usage.cached_tokens) == (11, 4, 8)
    assert reply.usage.cost_usd is None


async def test_request_carries_messages_schema_and_sampling(wire):
    server = wire.start(wire.chat("{}"))
    request = ChatRequest(
        (system("Be brief"), user("Hi"), assistant("Yes?"), user("Go")),
        schema={"type": "object"},
        temperature=0.5,
        max_tokens=77,
        seed=3,
        stop=("END",),
    )
    await ask(server, request, api_key="secret")
    body = server.bodies[0]
    assert [(one["role"], one["content"]) for one in body["messages"]] == [
        ("system", "Be brief"),
        ("user", "Hi"),
        ("assistant", "Yes?"),
        ("user", "Go"),
    ]
    assert body["response_format"]["json_schema"]["schema"] == {"type": "object"}
    assert (body["model"], body["temperature"], body["max_tokens"], body["seed"]) == ("tiny", 0.5, 77, 3)
    assert body["stop"] == ["END"]
    assert server.headers[0]["authorization"] == "Bearer secret"


async def test_tool_calls_split_over_chunks_are_joined(wire):
    def piece(index, **function):
        return wire.chunk({"tool_calls": [{"index": index, "id": f"id{index}", "function": function}]})

    pieces = [piece(0, name="add", arguments='{"a": 1, "t": "\\u00'), piece(1, name="now", arguments="")]
    pieces += [piece(0, arguments='e9"}'), wire.chunk({}, finish="tool_calls")]
    reply = await ask(wire.start(wire.Answer(pieces=pieces)))
    assert reply.stop_reason == "tool_calls"
    assert reply.tool_calls == (ToolCall("id0", "add", {"a": 1, "t": "é"}), ToolCall("id1", "now", {}))


async def test_tools_calls_and_results_go_out(wire):
    server = wire.start(wire.chat("done"))
    calls = Message("assistant", (Text("I add"), ToolCall("c1", "add", {"a": 1})))
    results = Message("tool", (ToolResult("c1", "3"), ToolResult("c2", "no", is_error=True)))
    await ask(server, ChatRequest((user("Add"), calls, results), tools=(ToolSpec("add", "Adds", {"type": "object"}),)))
    body = server.bodies[0]
    assert body["tools"][0]["function"] == {"name": "add", "description": "Adds", "parameters": {"type": "object"}}
    assert body["messages"][1]["tool_calls"][0]["function"] == {"name": "add", "arguments": '{"a": 1}'}
    assert body["messages"][2:] == [
        {"role": "tool", "tool_call_id": "c1", "content": "3"},
        {"role": "tool", "tool_call_id": "c2", "content": "Error: no"},
    ]


@pytest.mark.parametrize("finish", ["length", "content_filter"])
async def test_stop_reasons_are_told_apart(wire, finish):
    assert (await ask(wire.start(wire.chat("Hm", finish=finish)))).stop_reason == finish


async def test_refusal_is_a_stop_reason_with_its_text(wire):
    pieces = [wire.chunk({"refusal": "I will not"}), wire.chunk({}, finish="stop")]
    reply = await ask(wire.start(wire.Answer(pieces=pieces)))
    assert (reply.text, reply.stop_reason) == ("I will not", "refusal")


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (400, ModelError, "did not accept"),
        (401, ModelUnavailable, "refused the key"),
        (404, ModelUnavailable, "does not exist"),
        (429, ModelUnavailable, "no more requests"),
        (500, ModelUnavailable, "out of order"),
    ],
)
async def test_refused_requests_name_the_providers_reason(wire, status, kind, words):
    answer = wire.Answer(status, ['{"error": {"message": "because of tuesday"}}'], {"Content-Type": "application/json"})
    with pytest.raises(kind, match=words) as caught:
        await ask(wire.start(answer))
    assert type(caught.value) is kind
    assert "because of tuesday" in caught.value.why
    assert caught.value.next_step


async def test_sdk_retries_what_was_not_answered(wire):
    busy = wire.Answer(429, ["{}"], {"Content-Type": "application/json", "retry-after-ms": "1"})
    server = wire.start(busy, wire.chat("at last"))
    reply = await ask(server, timeouts=Timeouts(retries=1))
    assert (reply.text, len(server.bodies)) == ("at last", 2)


@pytest.mark.parametrize("tail", ["cut", "quiet end", "garbage", "error"])
async def test_half_an_answer_is_no_answer(wire, tail):
    tails = {
        "cut": [wire.CUT],
        "quiet end": [],
        "garbage": [wire.event("{not json")],
        "error": [wire.event({"error": {"message": "overheated"}})],
    }
    server = wire.start(wire.Answer(pieces=[wire.chunk({"content": "half"}), *tails[tail]]))
    with pytest.raises(ReplyError, match="broke off") as caught:
        await ask(server)
    assert "openai-compatible:tiny" in caught.value.what
    assert len(server.bodies) == 1


async def test_a_web_page_instead_of_an_answer_is_an_error(wire):
    with pytest.raises(ReplyError, match="broke off"):
        await ask(wire.start(wire.Answer(pieces=["<html>Log in to the hotel's network</html>"])))


async def test_unreadable_tool_arguments_are_an_error(wire):
    call = {"tool_calls": [{"index": 0, "id": "x", "function": {"name": "add", "arguments": "{oops"}}]}
    with pytest.raises(ReplyError, match="called add with unreadable arguments"):
        await ask(wire.start(wire.Answer(pieces=[wire.chunk(call), wire.chunk({}, finish="tool_calls")])))


async def test_silence_and_slowness_have_limits(wire):
    server = wire.start(wire.Answer(pieces=[wire.chunk({"content": "a"}), 1.0, wire.chunk({}, finish="stop")]))
    with pytest.raises(ReplyError, match="broke off"):
        await ask(server, timeouts=Timeouts(silence=0.1, retries=0))
    with pytest.raises(ReplyError, match="did not finish"):
        await ask(server, timeouts=Timeouts(whole=0.2, retries=0))


async def test_nobody_listening_is_unavailable(wire):
    with pytest.raises(ModelUnavailable, match="cannot be reached") as caught:
        await OpenAIChatModel("x:y", base_url="http://127.0.0.1:9/v1", timeouts=QUICK).complete(HELLO)
    assert "127.0.0.1:9" in caught.value.why


async def test_cancelling_closes_the_stream(wire):
    pieces = [wire.chunk({"content": "word "}), 0.02] * 500
    server = wire.start(wire.Answer(pieces=pieces))
    task = asyncio.create_task(ask(server))
    while not server.busy:
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(server.client_left.wait, 5)


async def test_callers_queue_at_the_models_concurrency(wire):
    server = wire.start(wire.Answer(pieces=[wire.chunk({"content": "a"}), 0.05, wire.chunk({}, finish="stop")]))
    asked = model(server, profile=ModelProfile(concurrency=2))
    await asyncio.gather(*(asked.complete(HELLO) for _ in range(6)))
    await asked.aclose()
    assert server.most_busy == 2


def test_one_model_serves_several_event_loops(wire):
    asked = model(wire.start(wire.chat("hi")), profile=ModelProfile(concurrency=1))

    async def three():
        return [reply.text for reply in await asyncio.gather(*(asked.complete(HELLO) for _ in range(3)))]

    assert [asyncio.run(three()) for _ in range(2)] == [["hi"] * 3] * 2


async def test_no_connection_is_kept_that_could_outlive_its_loop(wire):
    server = wire.start(wire.chat("hi"))
    await ask(server)
    assert server.headers[0]["connection"] == "close"


async def test_openai_without_a_key_names_the_ways_out(monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with pytest.raises(ModelUnavailable, match="OPENAI_API_KEY is not set") as caught:
        await OpenAIChatModel("openai:o1").complete(HELLO)
    assert "[models.aliases]" in caught.value.next_step
    assert "AGENTINFRA_MODEL_ALIASES" in caught.value.next_step
