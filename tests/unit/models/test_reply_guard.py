import asyncio

import pytest

from agentinfra.core.errors import ModelUnavailable, ReplyError
from agentinfra.core.messages import TextDelta
from agentinfra.models.reply_guard import CHARACTERS_PER_TOKEN, ROOM, ReplyGuard
from agentinfra.models.timeouts import Timeouts


def guard(max_tokens=10, on_delta=None, **limits):
    return ReplyGuard("m:m", Timeouts(**{"first": 5.0, "silence": 5.0, "whole": 5.0, **limits}), max_tokens, on_delta)


async def test_nothing_at_all_may_pass():
    with pytest.raises(ModelUnavailable, match=r"nothing came for 0\.05 s") as caught:
        async with guard(first=0.05):
            await asyncio.sleep(5)
    assert caught.value.transient


async def test_silence_counts_from_the_last_event():
    with pytest.raises(ReplyError, match=r"Nothing came for 0\.1 s") as caught:
        async with guard(silence=0.1) as watching:
            for _ in range(4):
                watching.heard()
                await asyncio.sleep(0.05)
            await asyncio.sleep(5)
    assert caught.value.transient, "no content had come"


async def test_the_whole_has_a_limit_however_much_is_heard():
    with pytest.raises(ReplyError, match="still writing") as caught:
        async with guard(whole=0.2) as watching:
            await watching.emit(TextDelta("a"))
            while True:
                watching.heard()
                await asyncio.sleep(0.02)
    assert not caught.value.transient


async def test_a_reply_far_longer_than_asked_for_is_ended():
    most = 10 * CHARACTERS_PER_TOKEN + ROOM
    async with guard() as watching:
        await watching.emit(TextDelta("x" * most))
        with pytest.raises(ReplyError, match="longer than"):
            await watching.emit(TextDelta("x"))


async def test_errors_and_cancellation_of_others_pass_through():
    with pytest.raises(KeyError):
        async with guard():
            raise KeyError

    async def waiting():
        async with guard():
            await asyncio.sleep(5)

    task = asyncio.create_task(waiting())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
