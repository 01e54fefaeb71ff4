"""A model before a cache: asked once, replayed faithfully, and free the second time."""

import asyncio
from dataclasses import fields, replace

import pytest

from agentinfra.core.errors import ModelUnavailable
from agentinfra.core.messages import (
    ChatReply,
    ChatRequest,
    Image,
    Message,
    Reasoning,
    ReasoningDelta,
    Text,
    TextDelta,
    ToolCall,
    ToolCallDelta,
    ToolSpec,
    Usage,
    assistant,
    user,
)
from agentinfra.models.budget import Budget
from agentinfra.models.budgeted_model import BudgetedModel
from agentinfra.models.cached_model import FREE, CachedModel
from agentinfra.models.reply_cache import ReplyCache
from agentinfra.models.scripted_model import ScriptedModel

NAME = "test:m"
HELLO = ChatRequest((user("Hello"),))
PAID = Usage(100, 20, 30, 0.5)
# What does not decide a reply; everything else does.
NO_PART_OF_IT = {"purpose", "cache", "on_delta"}


def reply(text="Hi", **changes):
    return replace(ChatReply((Text(text),), NAME, PAID), **changes)


def scripted(*replies, name=NAME):
    return ScriptedModel(list(replies), name=name)


class Slow:
    """Says its pieces one by one, each when it is let; counts who asked and who was cut off."""

    name = NAME
    profile = ScriptedModel([]).profile

    def __init__(self, pieces=("a", "b"), error=None):
        self.pieces, self.error = pieces, error
        self.go = asyncio.Semaphore(0)
        self.asked = self.cut = 0
        self.closing = asyncio.Event()
        self.closing.set()

    async def complete(self, request):
        self.asked += 1
        try:
            for piece in self.pieces:
                await self.go.acquire()
                if request.on_delta is not None:
                    await request.on_delta(TextDelta(piece))
        except asyncio.CancelledError:
            self.cut += 1
            await self.closing.wait()
            raise
        if self.error is not None:
            raise self.error
        return reply("".join(self.pieces))

    def finish(self):
        for _ in self.pieces:
            self.go.release()

    async def aclose(self):
        pass


@pytest.fixture
def cache(tmp_path):
    return ReplyCache(tmp_path)


def listener():
    heard = []

    async def listen(piece):
        heard.append(piece)

    return heard, listen


async def underway(inner, model, *requests):
    """Tasks of the requests, as soon as the model is asked and all wait for it."""
    tasks = [asyncio.create_task(model.complete(request)) for request in requests]
    async with asyncio.timeout(5):
        while not inner.asked or sum(one._waiting for one in model._flights.get().values()) < len(requests):
            await asyncio.sleep(0.001)
    return tasks


async def test_the_second_time_nothing_is_sent_and_nothing_is_booked(cache):
    inner = scripted(reply())
    budget = Budget(usd=1.0)
    model = BudgetedModel(CachedModel(inner, cache), budget)
    assert await model.complete(HELLO) == reply()
    again = await model.complete(replace(HELLO, purpose="other"))
    assert again == reply(usage=FREE)
    assert (FREE.input_tokens, FREE.output_tokens, FREE.cost_usd, FREE.cached_replies) == (0, 0, 0.0, 1)
    assert (len(inner.requests), budget.usd, budget.tokens) == (1, 0.5, 120)


async def test_another_process_finds_it_too(cache):
    await CachedModel(scripted(reply()), cache).complete(HELLO)
    assert (await CachedModel(scripted(), ReplyCache(cache.path.parent)).complete(HELLO)).text == "Hi"


ADD = ToolSpec("add", "Adds", {"type": "object"})
CHANGES = {
    "messages": (user("Hello", Image(b"png")),),
    "schema": {"type": "object"},
    "tools": (ADD,),
    "temperature": 0.3,
    "max_tokens": 9,
    "seed": 1,
    "stop": ("x",),
    "tool_choice": "none",
    "parallel_tools": False,
    "effort": "high",
    "output": ("text", "audio"),
}


def test_every_field_of_a_request_is_judged():
    assert CHANGES.keys() | NO_PART_OF_IT == {field.name for field in fields(ChatRequest)}


@pytest.mark.parametrize("field", CHANGES)
async def test_whatever_decides_the_reply_makes_another_request(cache, field):
    inner = scripted(reply("one"), reply("two"))
    model = CachedModel(inner, cache)
    other = replace(HELLO, **{field: CHANGES[field]})
    assert [(await model.complete(request)).text for request in (HELLO, other, HELLO, other)] == ["one", "two"] * 2


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((user("ab"),), (user("a"), user("b"))),
        ((user("a"),), (assistant("a"),)),
        ((user(Image(b"a")),), (user(Image(b"b")),)),
        ((user(Image(url="https://a")),), (user(Image(url="https://b")),)),
    ],
)
async def test_messages_are_told_apart(cache, one, other):
    model = CachedModel(scripted(reply("one"), reply("two")), cache)
    assert [(await model.complete(ChatRequest(messages))).text for messages in (one, other)] == ["one", "two"]


async def test_what_does_not_decide_the_reply_makes_none(cache):
    inner = scripted(reply())
    model = CachedModel(inner, cache)
    await model.complete(HELLO)
    for change in ({"purpose": "x"}, {"cache": False}, {"on_delta": listener()[1]}):
        await model.complete(replace(HELLO, **change))
    assert len(inner.requests) == 1


async def test_models_and_scopes_do_not_share_replies(cache):
    models = [
        CachedModel(scripted(reply("a")), cache),
        CachedModel(scripted(reply("b", model="test:n"), name="test:n"), cache),
        CachedModel(scripted(reply("c")), cache, scope="https://elsewhere"),
    ]
    for _ in range(2):
        assert [(await model.complete(HELLO)).text for model in models] == ["a", "b", "c"]


@pytest.mark.parametrize("stop", ["stop", "tool_calls", "length"])
async def test_whole_replies_are_kept(cache, stop):
    model = CachedModel(scripted(reply(stop_reason=stop)), cache)
    await model.complete(HELLO)
    assert (await model.complete(HELLO)).stop_reason == stop


@pytest.mark.parametrize(
    "first",
    [
        reply(stop_reason="refusal"),
        reply(stop_reason="content_filter"),
        reply(stop_reason="pause"),
        reply(stop_reason="context_overflow"),
        reply(parts=()),
        reply(model="test:stand-in"),
        ModelUnavailable("The network is gone"),
    ],
    ids=lambda first: getattr(first, "stop_reason", "error"),
)
async def test_what_is_not_whole_is_asked_again(cache, first):
    model = CachedModel(scripted(first, reply("now")), cache)
    if isinstance(first, Exception):
        with pytest.raises(ModelUnavailable):
            await model.complete(HELLO)
    else:
        assert await model.complete(HELLO) == first
    assert (await model.complete(HELLO)).text == "now"


async def test_a_listener_hears_a_kept_reply_in_whole_parts(cache):
    parts = (
        Reasoning("hm", NAME),
        Reasoning("", NAME, signature="sealed", redacted=True),
        Text("So"),
        ToolCall("c1", "add", {"a": "ü"}),
        ToolCall("c2", "add", {}, unreadable="{a"),
    )
    model = CachedModel(scripted(reply(parts=parts, stop_reason="tool_calls")), cache)
    await model.complete(HELLO)
    heard, listen = listener()
    assert (await model.complete(replace(HELLO, on_delta=listen))).parts == parts
    assert heard == [
        ReasoningDelta("hm"),
        TextDelta("So"),
        ToolCallDelta(0, "c1", "add"),
        ToolCallDelta(0, arguments='{"a": "ü"}'),
        ToolCallDelta(1, "c2", "add"),
        ToolCallDelta(1, arguments="{a"),
    ]


async def test_a_first_listener_hears_the_pieces_as_they_come(cache):
    inner = Slow()
    heard, listen = listener()
    (task,) = await underway(inner, CachedModel(inner, cache), replace(HELLO, on_delta=listen))
    inner.go.release()
    async with asyncio.timeout(5):
        while not heard:
            await asyncio.sleep(0.001)
    assert heard == [TextDelta("a")]
    inner.go.release()
    await task
    assert heard == [TextDelta("a"), TextDelta("b")]


async def test_equal_requests_at_once_are_sent_once_and_paid_once(cache):
    inner = Slow()
    model = CachedModel(inner, cache)
    early, listen_early = listener()
    late, listen_late = listener()
    requests = [replace(HELLO, on_delta=listen_early), HELLO, replace(HELLO, on_delta=listen_late), HELLO]
    tasks = await underway(inner, model, *requests)
    inner.finish()
    replies = await asyncio.gather(*tasks)
    assert inner.asked == 1
    assert {one.text for one in replies} == {"ab"}
    assert sorted(one.usage.input_tokens for one in replies) == [0, 0, 0, 100]
    assert sum(one.usage.cached_replies for one in replies) == 3
    assert early == late == [TextDelta("a"), TextDelta("b")]
    assert not model._flights.get()


async def test_a_listener_that_joins_a_silent_request_hears_the_whole(cache):
    inner = Slow()
    heard, listen = listener()
    model = CachedModel(inner, cache)
    (first,) = await underway(inner, model, HELLO)
    joined = asyncio.create_task(model.complete(replace(HELLO, on_delta=listen)))
    await asyncio.sleep(0.05)
    inner.finish()
    await asyncio.gather(first, joined)
    assert (heard, inner.asked) == ([TextDelta("ab")], 1)


@pytest.mark.parametrize("leaving", [0, 1])
async def test_who_is_cancelled_leaves_the_others_alone(cache, leaving):
    inner = Slow()
    listen = listener()[1]
    tasks = await underway(inner, CachedModel(inner, cache), replace(HELLO, on_delta=listen), HELLO)
    tasks[leaving].cancel()
    with pytest.raises(asyncio.CancelledError):
        await tasks[leaving]
    inner.finish()
    remaining = await tasks[1 - leaving]
    assert (remaining.text, remaining.usage, inner.asked, inner.cut) == ("ab", PAID, 1, 0)


async def test_with_the_last_one_the_request_ends(cache):
    inner = Slow()
    model = CachedModel(inner, cache)
    tasks = await underway(inner, model, HELLO, HELLO)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert (inner.asked, inner.cut) == (1, 1)
    inner.finish()
    assert (await model.complete(HELLO)).usage == PAID
    assert inner.asked == 2


async def test_who_comes_while_a_request_is_being_cancelled_has_one_of_their_own(cache):
    inner = Slow()
    inner.closing = asyncio.Event()
    model = CachedModel(inner, cache)
    (left,) = await underway(inner, model, HELLO)
    left.cancel()
    async with asyncio.timeout(5):
        while not inner.cut:
            await asyncio.sleep(0.001)
        late = asyncio.create_task(model.complete(HELLO))
        while inner.asked < 2:
            await asyncio.sleep(0.001)
    inner.closing.set()
    inner.finish()
    assert (await late).text == "ab"
    assert left.cancelled()


async def test_a_listener_that_fails_or_hangs_harms_only_its_own_call(cache):
    inner = Slow()

    async def fail(piece):
        raise ValueError(piece.text)

    async def hang(piece):
        await asyncio.Event().wait()

    tasks = await underway(
        inner, CachedModel(inner, cache), *(replace(HELLO, on_delta=one) for one in (hang, fail)), HELLO
    )
    inner.finish()
    assert (await tasks[2]).text == "ab"
    with pytest.raises(ValueError, match="a"):
        await tasks[1]
    tasks[0].cancel()
    with pytest.raises(asyncio.CancelledError):
        await tasks[0]


async def test_all_who_wait_hear_of_a_failure(cache):
    inner = Slow(error=ModelUnavailable("The network is gone"))
    model = CachedModel(inner, cache)
    tasks = await underway(inner, model, HELLO, replace(HELLO, on_delta=listener()[1]))
    inner.finish()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(one) for one in outcomes] == [ModelUnavailable] * 2
    assert not model._flights.get()


def test_it_serves_one_event_loop_after_another(cache):
    model = CachedModel(scripted(reply(), reply("other")), cache)
    for text in ("Hi", "Hi"):
        assert asyncio.run(model.complete(HELLO)).text == text


async def test_nothing_of_the_request_is_stored(cache):
    secret = "sk-canary-123"
    history = (user(secret), Message("assistant", (ToolCall("c", "f", {"key": secret}),)))
    await CachedModel(scripted(reply()), cache, scope=f"https://me:{secret}@host").complete(ChatRequest(history))
    assert secret.encode() not in cache.path.read_bytes()


async def test_a_cache_that_cannot_be_used_is_as_none(tmp_path):
    (tmp_path / "file").write_text("")
    told = []
    model = CachedModel(scripted(reply("a"), reply("b")), ReplyCache(tmp_path / "file", tell=told.append))
    assert [(await model.complete(HELLO)).text for _ in range(2)] == ["a", "b"]
    assert told
