"""A reply piece by piece."""

import asyncio
import gc
from contextlib import aclosing

import pytest

from agentinfra.core.errors import ReplyError
from agentinfra.core.interfaces import ModelProfile
from agentinfra.core.messages import ChatReply, ChatRequest, Text, TextDelta, user
from agentinfra.models.streaming import stream

REQUEST = ChatRequest((user("Hi"),))


class Talker:
    """Says the words one by one, then fails if told to; remembers how far it came."""

    name = "test:talker"
    profile = ModelProfile()

    def __init__(self, words, *, fails=False):
        self.words, self.fails, self.said, self.cancelled = words, fails, 0, False

    async def complete(self, request):
        try:
            for word in self.words:
                if request.on_delta is not None:
                    await request.on_delta(TextDelta(word))
                self.said += 1
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        if self.fails:
            raise ReplyError("It broke off")
        return ChatReply((Text("".join(self.words)),), self.name)

    async def aclose(self):
        pass


async def test_pieces_come_first_and_the_reply_last():
    items = [item async for item in stream(Talker(["a", "b"]), REQUEST)]
    assert items == [TextDelta("a"), TextDelta("b"), ChatReply((Text("ab"),), "test:talker")]


async def test_a_failure_comes_after_the_pieces():
    seen = []
    with pytest.raises(ReplyError):
        async for item in stream(Talker(["a"], fails=True), REQUEST):
            seen.append(item)  # noqa: PERF401  (what came before the failure counts)
    assert seen == [TextDelta("a")]


async def test_a_reader_that_stops_stops_the_model_which_was_never_far_ahead():
    model = Talker(["x"] * 10_000)
    async with asyncio.timeout(5), aclosing(stream(model, REQUEST)) as pieces:
        async for _ in pieces:
            await asyncio.sleep(0.01)
            break
    assert model.cancelled
    assert model.said <= 66
    gc.collect()  # a task or generator that was left behind would complain here


async def test_the_requests_own_listener_is_told_too():
    told = []

    async def listen(piece):
        told.append(piece)

    items = [item async for item in stream(Talker(["a"]), ChatRequest((user("Hi"),), on_delta=listen))]
    assert told == items[:1]
