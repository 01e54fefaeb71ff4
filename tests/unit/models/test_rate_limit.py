import asyncio
import threading
import time

import pytest

from agentinfra.core.errors import InputError, ModelUnavailable, NotSupported, ReplyError
from agentinfra.core.interfaces import ModelProfile
from agentinfra.core.messages import ChatReply, ChatRequest, Usage, user
from agentinfra.models.rate_limit import RateLimitedModel, RateLimiter
from agentinfra.models.token_estimate import input_tokens

ASK = ChatRequest((user("Hi"),), max_tokens=100)
MOST = input_tokens(ASK) + 100
WINDOW = 0.3  # a minute, for these tests


class Provider:
    """Answers when it is let, and remembers when it was asked what.

    Attributes:
        now: Requests in flight.
        most: The most that there ever were.
        seen: Purpose and time of each request.
    """

    name = "m:1"
    profile = ModelProfile()

    def __init__(self, *, seconds=0.0, usage=None, error=None):
        self.seconds, self.usage, self.error = seconds, usage or Usage(), error
        self.now = self.most = 0
        self.seen = []

    async def complete(self, request):
        self.seen.append((request.purpose, time.monotonic()))
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await asyncio.sleep(self.seconds)
        finally:
            self.now -= 1
        if self.error:
            raise self.error
        return ChatReply((), self.name, self.usage)

    async def aclose(self):
        pass


def ask(model, number=0):
    return model.complete(ChatRequest((user("Hi"),), purpose=f"{number}", max_tokens=100))


async def ask_in_turn(model, count):
    await asyncio.gather(*(ask(model, number) for number in range(count)))


async def test_no_more_are_in_flight_than_may_be_and_they_come_in_order():
    provider = Provider(seconds=0.005)
    await ask_in_turn(RateLimitedModel(provider, RateLimiter(concurrency=3)), 10)
    assert provider.most == 3
    assert [purpose for purpose, _ in provider.seen] == [f"{number}" for number in range(10)]


async def test_models_of_a_provider_share_the_limit():
    provider, limiter = Provider(seconds=0.005), RateLimiter(concurrency=2)
    models = [RateLimitedModel(provider, limiter) for _ in range(6)]
    await asyncio.gather(*(ask(model) for model in models))
    assert provider.most == 2


async def test_without_limits_all_pass_at_once():
    provider = Provider(seconds=0.005)
    await ask_in_turn(RateLimitedModel(provider, RateLimiter()), 20)
    assert provider.most == 20


async def test_any_minute_holds_no_more_requests_than_allowed_and_they_come_in_order():
    provider = Provider()
    await ask_in_turn(RateLimitedModel(provider, RateLimiter(requests_per_minute=3, window=WINDOW)), 8)
    times = [at for _, at in provider.seen]
    assert [purpose for purpose, _ in provider.seen] == [f"{number}" for number in range(8)]
    assert all(later - earlier >= WINDOW - 0.005 for earlier, later in zip(times, times[3:], strict=False))
    assert times[2] - times[0] < WINDOW / 2


async def waited(model, count=2):
    """Seconds until so many requests are answered, one after the other."""
    began = time.monotonic()
    for _ in range(count):
        await ask(model)
    return time.monotonic() - began


@pytest.mark.parametrize(
    ("provider", "waits"),
    [
        (Provider(usage=Usage(5, 5)), False),
        (Provider(usage=Usage(90, 20)), True),
        (Provider(), True),  # it did not say what the first one took
    ],
    ids=["little", "much", "untold"],
)
async def test_a_reply_is_counted_with_what_it_took(provider, waits):
    limiter = RateLimiter(tokens_per_minute=MOST + 50, window=WINDOW)
    assert (await waited(RateLimitedModel(provider, limiter)) >= WINDOW - 0.01) is waits


@pytest.mark.parametrize(
    ("error", "waits"), [(ModelUnavailable("Down"), False), (NotSupported("No"), False), (ReplyError("Cut"), True)]
)
async def test_what_was_not_answered_took_no_tokens(error, waits):
    provider = Provider(error=error)
    model = RateLimitedModel(provider, RateLimiter(tokens_per_minute=MOST, window=WINDOW))
    with pytest.raises(type(error)):
        await ask(model)
    provider.error = None
    assert (await waited(model, 1) >= WINDOW - 0.05) is waits


async def test_who_waits_for_tokens_goes_on_as_soon_as_they_are_settled():
    provider = Provider(seconds=0.05, usage=Usage(1, 1))
    began = time.monotonic()
    await ask_in_turn(RateLimitedModel(provider, RateLimiter(tokens_per_minute=MOST + 10, window=30)), 4)
    assert time.monotonic() - began < 5
    assert provider.most == 1


async def test_tokens_that_were_taken_are_free_again_after_a_minute():
    provider = Provider()
    await ask_in_turn(RateLimitedModel(provider, RateLimiter(tokens_per_minute=2 * MOST, window=WINDOW)), 4)
    first, second, third, fourth = (at for _, at in provider.seen)
    assert third - first >= WINDOW - 0.005
    assert max(second - first, fourth - third) < WINDOW / 2


async def test_a_request_larger_than_the_limit_passes_alone():
    provider = Provider(seconds=0.01)
    model = RateLimitedModel(provider, RateLimiter(tokens_per_minute=10, window=0.1))
    async with asyncio.timeout(5):
        await ask_in_turn(model, 3)
    assert provider.most == 1


async def cancelled(task):
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize(
    "limits",
    [
        {"concurrency": 1},
        {"requests_per_minute": 1},
        {"tokens_per_minute": MOST},
        {"concurrency": 1, "requests_per_minute": 1},
    ],
)
async def test_who_is_cancelled_while_waiting_takes_no_turn(limits):
    provider = Provider(seconds=0.2)
    model = RateLimitedModel(provider, RateLimiter(**limits, window=WINDOW))
    first = asyncio.create_task(ask(model, "first"))
    await asyncio.sleep(0)
    for _ in range(10):
        await cancelled(asyncio.create_task(ask(model, "gone")))
    async with asyncio.timeout(5):
        await first
        began = time.monotonic()
        await asyncio.gather(ask(model, "second"))
    assert [purpose for purpose, _ in provider.seen] == ["first", "second"]
    assert time.monotonic() - began <= WINDOW + 0.1


async def test_who_is_cancelled_in_the_middle_gives_the_place_back():
    provider = Provider(seconds=30)
    model = RateLimitedModel(provider, RateLimiter(concurrency=1))
    await cancelled(asyncio.create_task(ask(model)))
    provider.seconds = 0
    async with asyncio.timeout(5):
        await ask(model)


def test_loops_in_turn_and_threads_share_the_minute():
    provider, limiter = Provider(), RateLimiter(concurrency=5, requests_per_minute=2, window=WINDOW)
    model = RateLimitedModel(provider, limiter)
    asyncio.run(ask(model))
    threads = [threading.Thread(target=lambda: asyncio.run(ask(model))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    times = sorted(at for _, at in provider.seen)
    assert len(times) == 4
    assert times[2] - times[0] >= WINDOW - 0.005
    assert times[3] - times[1] >= WINDOW - 0.005


@pytest.mark.parametrize("limit", ["concurrency", "requests_per_minute", "tokens_per_minute"])
def test_a_limit_that_lets_nothing_through_is_refused(limit):
    with pytest.raises(InputError):
        RateLimiter(**{limit: 0})


async def test_it_has_the_name_and_profile_of_what_it_limits():
    provider = Provider()
    model = RateLimitedModel(provider, RateLimiter())
    assert (model.name, model.profile) == (provider.name, provider.profile)
