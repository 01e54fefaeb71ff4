import asyncio

import pytest

from agentinfra.core.errors import (
    BudgetExceeded,
    ContextOverflow,
    ModelError,
    ModelNotFound,
    ModelUnavailable,
    NoPermission,
    NotSupported,
    QuotaExceeded,
    RateLimited,
    RecordingMismatch,
    ReplyError,
)
from agentinfra.core.interfaces import ModelProfile
from agentinfra.core.messages import ChatReply, ChatRequest, TextDelta, ToolSpec, user
from agentinfra.models.fallback import FallbackModel
from agentinfra.models.tracing import TracedModel
from tests.fakes.spans import Spans

ASK = ChatRequest((user("Hi"),))
DOWN = ModelUnavailable("It is down", why="No network", next_step="Look at it", transient=True)


class Member:
    """Answers, or fails with what it was given last.

    Attributes:
        error: Set to let it fail.
        says: A piece that it tells its listener before it does either.
        asked: How often it was.
    """

    def __init__(self, name, error=None, *, says="", tools=True):
        self.name, self.error, self.says = name, error, says
        self.profile = ModelProfile(tools=tools)
        self.asked = self.closed = 0

    async def complete(self, request):
        self.asked += 1
        if self.says and request.on_delta is not None:
            await request.on_delta(TextDelta(self.says))
        if self.error is not None:
            raise self.error
        return ChatReply((), self.name)

    async def aclose(self):
        self.closed += 1


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


async def test_the_first_one_answers_and_gives_the_chain_its_name_and_profile():
    one, two = Member("m:1"), Member("m:2", tools=False)
    chain = FallbackModel([one, two])
    assert (chain.name, chain.profile) == ("m:1", one.profile)
    assert (await chain.complete(ASK)).model == "m:1"
    assert two.asked == 0


@pytest.mark.parametrize(
    "kind",
    [
        *(ModelUnavailable, NoPermission, ModelNotFound, RateLimited, QuotaExceeded),
        *(NotSupported, ContextOverflow, ReplyError, ModelError),
    ],
)
async def test_where_one_fails_the_next_is_asked_and_the_fall_is_told(kind):
    falls = []
    one, two = Member("m:1", kind("It cannot")), Member("m:2")
    chain = FallbackModel([one, two], on_fall=lambda *fall: falls.append(fall))
    assert (await chain.complete(ASK)).model == "m:2"
    assert falls == [(one, one.error, two)]


@pytest.mark.parametrize("error", [BudgetExceeded("Spent"), RecordingMismatch("Not on record"), ValueError("A bug")])
async def test_what_is_not_the_models_failure_ends_the_call(error):
    two = Member("m:2")
    with pytest.raises(type(error)) as caught:
        await FallbackModel([Member("m:1", error), two]).complete(ASK)
    assert caught.value is error
    assert two.asked == 0


async def test_where_a_piece_was_told_nobody_else_is_asked():
    told = []

    async def listen(piece):
        told.append(piece.text)

    one, two = Member("m:1", ReplyError("Broke off", transient=True), says="half"), Member("m:2", says="whole")
    with pytest.raises(ReplyError, match="Broke off"):
        await FallbackModel([one, two]).complete(ChatRequest((user("Hi"),), on_delta=listen))
    assert (told, two.asked) == (["half"], 0)
    # Nobody heard it here.
    assert (await FallbackModel([one, two]).complete(ASK)).model == "m:2"


async def test_a_model_without_tools_is_passed_over_where_they_are_needed():
    chain = FallbackModel([Member("m:1", DOWN), small := Member("m:2", tools=False), Member("m:3")])
    tool = ToolSpec("add", "Add.", {"type": "object"})
    assert (await chain.complete(ChatRequest((user("Hi"),), tools=(tool,)))).model == "m:3"
    assert small.asked == 0
    assert (await chain.complete(ASK)).model == "m:2"


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (DOWN, 60),
        (RateLimited("Busy", transient=True, retry_after=7), 7),
        (RateLimited("Busy", transient=True, retry_after=86_400), 600),
        (ModelUnavailable("No key"), 600),
        (NoPermission("No"), 600),
        (QuotaExceeded("Spent"), 600),
        (ModelNotFound("Gone"), 600),
    ],
)
async def test_who_cannot_be_asked_rests_and_comes_back(error, seconds):
    clock = Clock()
    one, two = Member("m:1", error), Member("m:2")
    chain = FallbackModel([one, two], clock=clock)
    for _ in range(3):
        assert (await chain.complete(ASK)).model == "m:2"
    assert one.asked == 1
    clock.now, one.error = seconds - 0.1, None
    assert (await chain.complete(ASK)).model == "m:2"
    clock.now = seconds + 0.1
    assert (await chain.complete(ASK)).model == "m:1"


@pytest.mark.parametrize("error", [ContextOverflow("Too long"), NotSupported("No"), ReplyError("?"), ModelError("400")])
async def test_who_cannot_take_one_request_is_asked_the_next(error):
    one = Member("m:1", error)
    chain = FallbackModel([one, Member("m:2")])
    await chain.complete(ASK)
    one.error = None
    assert (await chain.complete(ASK)).model == "m:1"


async def test_who_rests_is_asked_at_last_and_rests_no_more_when_it_answers():
    one, two = Member("m:1", DOWN), Member("m:2")
    chain = FallbackModel([one, two], clock=Clock())
    await chain.complete(ASK)
    one.error, two.error = None, ReplyError("Broke off")
    assert [(await chain.complete(ASK)).model for _ in range(2)] == ["m:1", "m:1"]
    assert (one.asked, two.asked) == (3, 2)


async def test_where_nobody_can_answer_all_are_named():
    members = [
        Member("m:1", DOWN),
        Member("m:2", RateLimited("Busy", why="It said 429", transient=True, retry_after=9)),
        Member("m:3", NoPermission("It refused the key")),
    ]
    falls = []
    with pytest.raises(ModelUnavailable) as caught:
        await FallbackModel(members, on_fall=lambda *fall: falls.append(fall)).complete(ASK)
    error = caught.value
    assert type(error) is ModelUnavailable
    assert str(error) == (
        "None of m:1, m:2, m:3 can answer. m:1: No network; m:2: It said 429; m:3: It refused the key. Look at it."
    )
    assert (error.transient, error.retry_after) == (True, 9)
    assert len(falls) == 2


async def test_what_all_have_in_common_stays_what_it_is():
    members = [Member(name, ContextOverflow(f"Too long for {name}")) for name in ("m:1", "m:2")]
    with pytest.raises(ContextOverflow, match="m:1: Too long for m:1; m:2: Too long for m:2"):
        await FallbackModel(members).complete(ASK)
    with pytest.raises(ModelUnavailable) as caught:
        await FallbackModel([Member("m:1", DOWN)]).complete(ASK)
    assert caught.value is DOWN


async def test_cancelling_asks_nobody_else():
    class Slow(Member):
        async def complete(self, request):
            self.asked += 1
            await asyncio.sleep(60)

    one, two = Slow("m:1"), Member("m:2")
    asking = asyncio.create_task(FallbackModel([one, two]).complete(ASK))
    while not one.asked:
        await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert two.asked == 0


async def test_closing_closes_all():
    members = [Member("m:1"), Member("m:2")]
    await FallbackModel(members).aclose()
    assert [member.closed for member in members] == [1, 1]


async def test_the_span_around_tells_of_the_fall_and_of_who_answered():
    spans = Spans()
    chain = FallbackModel([Member("m:1", DOWN), Member("m:2")])
    await TracedModel(chain, provider=spans.provider).complete(ASK)
    (span,) = spans.ended.values()
    assert [(event.name, dict(event.attributes)) for event in span.events] == [
        ("agentinfra.fallback", {"from": "m:1", "to": "m:2", "error.type": "ModelUnavailable"})
    ]
    assert span.attributes["gen_ai.response.model"] == "2"
