"""What goes wrong between us and a provider, and which error each becomes."""

import asyncio
import itertools
import time
import traceback
from dataclasses import replace
from email.utils import formatdate

import pytest

from agentinfra.core.errors import (
    ContextOverflow,
    ModelError,
    ModelNotFound,
    ModelUnavailable,
    NoPermission,
    QuotaExceeded,
    RateLimited,
    ReplyError,
)
from agentinfra.models.fallback import FallbackModel
from agentinfra.models.retry import Retrier, RetryingModel, RetryPolicy
from tests.conformance.conftest import HELLO
from tests.conformance.wire_format import KEY, QUICK, Said
from tests.conformance.wire_server import Answer, Fault


async def failed(bench, kind, request=HELLO):
    with pytest.raises(kind) as caught:
        await bench.ask(request)
    error = caught.value
    assert type(error) is kind
    assert bench.model.name in error.what
    assert error.why
    assert error.next_step
    return error


@pytest.mark.parametrize(
    ("status", "kind", "transient"),
    [
        (400, ModelError, False),
        (401, NoPermission, False),
        (402, QuotaExceeded, False),
        (403, NoPermission, False),
        (404, ModelNotFound, False),
        (408, ModelUnavailable, True),
        (409, ModelUnavailable, True),
        (422, ModelError, False),
        (429, RateLimited, True),
        (500, ModelUnavailable, True),
        (529, ModelUnavailable, True),
    ],
)
async def test_each_refused_status_is_its_own_error(bench, status, kind, transient):
    await bench.serve(bench.wire.failure(status, "because of tuesday"))
    error = await failed(bench, kind)
    assert (error.transient, error.retry_after) == (transient, None)
    assert f"{status}" in error.why
    assert "because of tuesday" in error.why
    assert len(bench.server.asked) == 1


@pytest.mark.parametrize(
    ("headers", "least", "most"),
    [
        ({"retry-after": "7"}, 7, 7),
        ({"retry-after": "1.5"}, 1.5, 1.5),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25, 0.25),
        ({"retry-after": formatdate(time.time() + 7200, usegmt=True)}, 3600, 7201),
        ({"retry-after": formatdate(time.time() - 7200, usegmt=True)}, 0, 0),
    ],
)
async def test_the_provider_says_when_to_ask_again(bench, headers, least, most):
    await bench.serve(bench.wire.failure(429, "slow down", headers=headers))
    error = await failed(bench, RateLimited)
    assert least <= error.retry_after <= most


@pytest.mark.parametrize("text", ["soon", "-1", "nan", "inf", "Mon, 99 Foo"])
async def test_an_unreadable_time_to_ask_again_is_none(bench, text):
    await bench.serve(bench.wire.failure(429, "slow down", headers={"retry-after": text}))
    assert (await failed(bench, RateLimited)).retry_after is None


async def test_an_empty_account_is_no_passing_thing(bench):
    await bench.serve(bench.wire.failure(429, "You exceeded your quota", "insufficient_quota", {"retry-after": "1"}))
    error = await failed(bench, QuotaExceeded)
    assert (error.transient, error.retry_after) == (False, None)


async def test_the_provider_may_say_that_asking_again_is_useless(bench):
    await bench.serve(bench.wire.failure(500, "no", headers={"x-should-retry": "false"}))
    assert (await failed(bench, ModelUnavailable)).transient is False


async def test_a_conversation_that_does_not_fit_is_its_own_error(bench):
    words = "prompt is too long: 9 tokens. This model's maximum context length is 8 tokens"
    await bench.serve(bench.wire.failure(400, words, "context_length_exceeded"))
    assert (await failed(bench, ContextOverflow)).transient is False


@pytest.mark.parametrize("status", [401, 500])
async def test_the_key_is_in_no_error_even_if_the_provider_repeats_it(bench, status):
    await bench.serve(bench.wire.failure(status, f"Incorrect API key provided: {KEY}."))
    with pytest.raises(ModelUnavailable) as caught:
        await bench.ask()
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value) + repr(vars(caught.value))
    assert KEY not in shown
    assert "[key]" in shown
    assert KEY not in repr(bench.model) + str(vars(bench.model))


async def test_nobody_listening_may_pass(wire):
    model = wire.model("http://127.0.0.1:9")
    with pytest.raises(ModelUnavailable, match="cannot be reached") as caught:
        await model.complete(HELLO)
    assert caught.value.transient
    assert "127.0.0.1:9" in caught.value.why
    await model.aclose()


async def test_a_line_cut_before_the_answer_may_pass(bench):
    await bench.serve(Answer([Fault.CUT]))
    with pytest.raises(ModelError) as caught:
        await bench.ask()
    assert caught.value.transient


async def test_a_line_cut_within_the_answer_does_not(bench):
    await bench.serve(Answer([*bench.wire.begun("half"), Fault.CUT]))
    error = await failed(bench, ReplyError)
    assert not error.transient
    assert len(bench.server.asked) == 1


async def test_a_stream_that_ends_in_order_but_too_early_is_no_answer(bench):
    await bench.serve(Answer(bench.wire.begun("half")))
    assert not (await failed(bench, ReplyError)).transient


@pytest.mark.parametrize("body", ["<html>Log in to the hotel's network</html>", "", "\x00\xff\n\n", "data: {oops\n\n"])
async def test_garbage_is_no_answer(bench, body):
    await bench.serve(Answer([body.encode("latin-1")]))
    assert (await failed(bench, ReplyError)).transient


async def test_garbage_after_the_beginning_is_no_answer(bench):
    await bench.serve(Answer([*bench.wire.begun("half"), "data: {oops\n\n"]))
    assert not (await failed(bench, ReplyError)).transient


@pytest.mark.parametrize(("begun", "kind"), [((), ModelUnavailable), (("half",), ReplyError)])
async def test_an_error_event_may_pass_only_before_the_answer(bench, begun, kind):
    failure = bench.wire.failed_event("server_error", "overheated")
    await bench.serve(Answer([*bench.wire.begun(*begun), failure]))
    error = await failed(bench, kind)
    assert "overheated" in error.why
    assert error.transient is not bool(begun)


async def test_no_first_word_in_time(bench):
    await bench.serve(Answer([Fault.STALL]), timeouts=replace(QUICK, first=0.2))
    assert (await failed(bench, ModelUnavailable)).transient
    await asyncio.wait_for(bench.server.client_left.wait(), 2)


async def test_silence_within_the_answer(bench):
    answer = Answer([*bench.wire.begun("half"), Fault.STALL])
    await bench.serve(answer, timeouts=replace(QUICK, silence=0.2))
    error = await failed(bench, ReplyError)
    assert "0.2 s" in error.why
    assert not error.transient


async def test_a_stream_that_never_ends_is_ended_by_the_clock(bench):
    begun = bench.wire.begun("a")
    endless = itertools.chain(begun, itertools.cycle([": still here\n\n", begun[-1], 0.01]))
    await bench.serve(Answer(endless), timeouts=replace(QUICK, whole=0.4))
    assert "still writing" in (await failed(bench, ReplyError)).why
    await asyncio.wait_for(bench.server.client_left.wait(), 2)


async def test_a_stream_that_never_ends_is_ended_by_its_size(bench):
    endless = itertools.chain(bench.wire.begun(), itertools.repeat(bench.wire.begun("x" * 5000)[-1]))
    await bench.serve(Answer(endless))
    assert "longer than" in (await failed(bench, ReplyError, replace(HELLO, max_tokens=10))).why
    await asyncio.wait_for(bench.server.client_left.wait(), 2)


@pytest.mark.parametrize("pieces", [1, 100])
async def test_ten_megabytes_are_no_answer_to_a_short_question(bench, pieces):
    await bench.serve(Said(text=["x" * (10_000_000 // pieces)] * pieces))
    assert "longer than" in (await failed(bench, ReplyError)).why


async def test_a_listener_that_takes_its_time_is_no_silence(bench):
    async def slowly(piece):
        await asyncio.sleep(0.3)

    await bench.serve(Said(text=["a", "b"]), timeouts=replace(QUICK, silence=0.2))
    assert (await bench.ask(replace(HELLO, on_delta=slowly))).text == "ab"


async def test_cancelling_closes_the_stream_at_once(bench):
    begun = asyncio.Event()

    async def heard(piece):
        begun.set()

    await bench.serve(Answer([*bench.wire.begun("half"), Fault.STALL]))
    asking = asyncio.create_task(bench.ask(replace(HELLO, on_delta=heard)))
    await asyncio.wait_for(begun.wait(), 5)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await asyncio.wait_for(bench.server.client_left.wait(), 1)


async def test_cancelling_before_the_first_word_closes_the_connection(bench):
    await bench.serve(Answer([Fault.STALL]))
    asking = asyncio.create_task(bench.ask())
    while not bench.server.busy:
        await asyncio.sleep(0.01)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await asyncio.wait_for(bench.server.client_left.wait(), 1)


async def test_what_was_not_answered_is_asked_again_when_the_provider_wants_it(bench):
    busy = bench.wire.failure(429, "slow down", headers={"retry-after-ms": "200"})
    await bench.serve(busy, Said(text=["at last"]))
    began = time.monotonic()
    reply = await RetryingModel(bench.model, Retrier(RetryPolicy(first_wait=0.01))).complete(HELLO)
    assert reply.text == "at last"
    assert time.monotonic() - began >= 0.2
    assert len(bench.server.asked) == 2


async def test_an_answer_of_which_a_word_was_told_is_not_asked_for_again(bench):
    await bench.serve(Answer([*bench.wire.begun("half"), Fault.CUT]), Said(text=["whole"]))
    with pytest.raises(ReplyError):
        await RetryingModel(bench.model).complete(replace(HELLO, on_delta=bench.listen))
    assert "".join(piece.text for piece in bench.heard) == "half"
    assert len(bench.server.asked) == 1


async def test_where_a_provider_stays_down_the_next_of_the_chain_answers(bench_for, wire):
    down, up = bench_for(wire), bench_for(wire)
    await down.serve(*[wire.failure(529, "overloaded")] * 2)
    await up.serve(Said(text=["here"]))
    stubborn = RetryingModel(down.model, Retrier(RetryPolicy(tries=2, first_wait=0.01)))
    assert (await FallbackModel([stubborn, up.model]).complete(HELLO)).text == "here"
    assert (len(down.server.asked), len(up.server.asked)) == (2, 1)
