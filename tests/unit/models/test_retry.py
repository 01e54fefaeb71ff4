import asyncio

import pytest

from agentinfra.core.errors import BudgetExceeded, ModelUnavailable, RateLimited, ReplyError
from agentinfra.core.messages import ChatRequest, TextDelta, user
from agentinfra.models.retry import Retrier, RetryingModel, RetryPolicy
from agentinfra.models.scripted_model import ScriptedModel

ASK = ChatRequest((user("Hi"),))
POLICY = RetryPolicy(tries=4, first_wait=1.0, longest_wait=10.0, patience=60.0)


class Time:
    """A clock that only sleeping moves, and what each call takes."""

    def __init__(self, call=0.0):
        self.now, self.call, self.waits = 0.0, call, []

    def clock(self):
        return self.now

    async def sleep(self, seconds):
        self.waits.append(seconds)
        self.now += seconds


def busy(retry_after=None):
    return RateLimited("It is busy", why="The provider answered 429", transient=True, retry_after=retry_after)


def model_of(replies, *, policy=POLICY, time=None, seed=1):
    time, inner = time or Time(), ScriptedModel(replies)
    return RetryingModel(inner, Retrier(policy, seed=seed, sleep=time.sleep, clock=time.clock)), inner, time


async def test_it_asks_until_there_is_an_answer():
    model, inner, time = model_of([busy(), busy(), "yes"])
    assert (await model.complete(ASK)).text == "yes"
    assert inner.requests == [ASK] * 3
    assert (model.name, model.profile) == (inner.name, inner.profile)
    assert len(time.waits) == 2


@pytest.mark.parametrize("seed", range(20))
async def test_waits_double_and_half_of_each_is_left_to_chance(seed):
    model, _, time = model_of([busy(), busy(), busy(), "yes"], seed=seed)
    await model.complete(ASK)
    assert all(least <= wait <= 2 * least for least, wait in zip((0.5, 1.0, 2.0), time.waits, strict=True))


@pytest.mark.parametrize("seconds", [None, 5.0])
async def test_callers_that_fail_together_come_back_apart(seconds):
    time = Time()
    retrier = Retrier(POLICY, seed=1, sleep=time.sleep, clock=time.clock)
    models = [RetryingModel(ScriptedModel([busy(seconds), "yes"]), retrier) for _ in range(50)]
    await asyncio.gather(*(model.complete(ASK) for model in models))
    assert len(set(time.waits)) == 50
    assert max(time.waits) - min(time.waits) > 0.4


def test_no_wait_is_longer_than_the_longest():
    policy = RetryPolicy(tries=20, first_wait=1.0, longest_wait=3.0)
    assert [policy.wait(busy(), tried, 1.0) for tried in (1, 2, 3, 19)] == [1.0, 2.0, 3.0, 3.0]
    assert policy.wait(busy(), 20, 1.0) is None


def test_by_default_the_last_try_comes_within_seconds():
    waits = [RetryPolicy().wait(busy(), tried, 1.0) for tried in (1, 2, 3, 4)]
    assert waits == [0.5, 1.0, 2.0, None]


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("seconds", [0.0, 0.25, 10.0])
async def test_it_never_comes_back_sooner_than_the_provider_wants(seed, seconds):
    model, _, time = model_of([busy(seconds), "yes"], seed=seed)
    await model.complete(ASK)
    assert seconds <= time.waits[0] <= seconds + POLICY.first_wait


async def test_a_provider_that_wants_too_long_a_pause_is_left_alone():
    model, inner, time = model_of([busy(10.1), "yes"])
    with pytest.raises(RateLimited) as caught:
        await model.complete(ASK)
    assert (caught.value.retry_after, len(inner.requests), time.waits) == (10.1, 1, [])


async def test_the_last_error_tells_how_often_it_was_asked():
    model, inner, _ = model_of([busy()] * 3 + [ModelUnavailable("Gone", transient=True)])
    with pytest.raises(ModelUnavailable, match=r"^Gone\. asked 4 times\.$"):
        await model.complete(ASK)
    assert len(inner.requests) == 4


@pytest.mark.parametrize(
    "error", [ModelUnavailable("No key"), ReplyError("Broke off"), BudgetExceeded("Spent"), ValueError("A bug")]
)
async def test_what_does_not_pass_by_itself_is_not_tried_again(error):
    model, inner, time = model_of([error, "yes"])
    with pytest.raises(type(error)) as caught:
        await model.complete(ASK)
    assert caught.value is error
    assert "asked" not in str(error)
    assert (len(inner.requests), time.waits) == (1, [])


async def test_no_try_begins_after_the_patience_is_over():
    time = Time()

    def slow_and_busy(request):
        time.now += 25
        raise busy()

    model, inner, _ = model_of(slow_and_busy, time=time)
    with pytest.raises(RateLimited, match="asked 3 times"):
        await model.complete(ASK)
    assert len(inner.requests) == 3


class Talker(ScriptedModel):
    """Says a piece before it fails."""

    async def complete(self, request):
        if request.on_delta is not None and len(self.requests) < 1:
            await request.on_delta(TextDelta("half an"))
        return await super().complete(request)


@pytest.mark.parametrize(("listens", "asked"), [(True, 1), (False, 2)])
async def test_what_was_told_in_part_is_not_asked_for_again(listens, asked):
    told = []

    async def listen(piece):
        told.append(piece.text)

    inner, time = Talker([busy(), "yes"]), Time()
    model = RetryingModel(inner, Retrier(POLICY, sleep=time.sleep, clock=time.clock))
    request = ChatRequest((user("Hi"),), on_delta=listen if listens else None)
    if listens:
        with pytest.raises(RateLimited):
            await model.complete(request)
    else:
        assert (await model.complete(request)).text == "yes"
    assert (len(inner.requests), told) == (asked, ["half an"] * listens)


async def test_cancelling_while_it_waits_ends_the_call():
    inner = ScriptedModel([busy(10.0), "yes"])
    asking = asyncio.create_task(RetryingModel(inner).complete(ASK))
    while not inner.requests:
        await asyncio.sleep(0)
    await asyncio.sleep(0.01)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert len(inner.requests) == 1


async def test_any_call_can_be_tried_again():
    left = [busy(), busy()]

    async def ask():
        if left:
            raise left.pop()
        return "yes"

    time = Time()
    assert await Retrier(POLICY, sleep=time.sleep, clock=time.clock).run(ask) == "yes"
    assert len(time.waits) == 2
