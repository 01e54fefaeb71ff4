import asyncio
import random

import pytest

from agentinfra.core.errors import BudgetExceeded, ModelUnavailable, ReplyError
from agentinfra.core.interfaces import ModelProfile
from agentinfra.core.messages import ChatReply, ChatRequest, Text, TextDelta, Usage, user
from agentinfra.models.amounts import Amount
from agentinfra.models.budget import Budget
from agentinfra.models.budgeted_model import BudgetedModel, most_of
from agentinfra.models.scripted_model import ScriptedModel
from agentinfra.models.token_estimate import input_tokens

ASK = ChatRequest((user("Hi"),), purpose="code", max_tokens=100)
READ = input_tokens(ASK)
KNOWN = "openai:gpt-4o"


class SlowModel(ScriptedModel):
    """Says a few words, takes its time, and then answers or breaks."""

    def __init__(self, replies, *, words=(), seconds=30.0, name="scripted:model"):
        super().__init__(replies, name=name)
        self.words = words
        self.seconds = seconds

    async def complete(self, request):
        for word in self.words if request.on_delta else ():
            await request.on_delta(TextDelta(word))
        await asyncio.sleep(self.seconds)
        return await super().complete(request)


async def ignore(piece):
    pass


HEARD = ChatRequest(ASK.messages, max_tokens=100, on_delta=ignore)


def costing(usd, read=1, written=1):
    return ChatReply((Text("ok"),), "openai:x", Usage(read, written, 0, usd))


async def test_calls_pass_through_and_are_reported():
    told = []
    inner = ScriptedModel(["hello"])
    model = BudgetedModel(inner, Budget(), lambda request, reply, seconds: told.append((request, reply, seconds)))
    reply = await model.complete(ASK)
    assert (reply.text, model.name, model.profile) == ("hello", inner.name, inner.profile)
    assert told[0][:2] == (ASK, reply)
    assert 0 <= told[0][2] < 5


async def test_the_limit_of_requests_is_checked_before_the_call():
    inner = ScriptedModel(["one", "two"])
    budget = Budget(requests=1)
    model = BudgetedModel(inner, budget)
    await model.complete(ASK)
    with pytest.raises(BudgetExceeded, match="1 model requests"):
        await model.complete(ASK)
    assert (len(inner.requests), budget.requests) == (1, 1)


async def test_the_limit_of_money_is_shared_by_models():
    budget = Budget(usd=0.03)
    models = [BudgetedModel(ScriptedModel([costing(0.02)] * 3), budget) for _ in range(2)]
    for model in models:
        await model.complete(ASK)
    with pytest.raises(BudgetExceeded, match=r"\$0.04 of \$0.03") as caught:
        await models[0].complete(ASK)
    assert "--budget-usd" in caught.value.next_step
    assert budget.usd == pytest.approx(0.04)


async def test_the_limit_of_tokens_is_checked_before_the_call():
    inner = ScriptedModel([costing(0, 40, 20)] * 9)
    budget = Budget(tokens=READ + 100 + 60)
    model = BudgetedModel(inner, budget)
    await model.complete(ASK)
    await model.complete(ASK)
    with pytest.raises(BudgetExceeded, match=r"120 of .* tokens are spent"):
        await model.complete(ASK)
    assert (len(inner.requests), budget.tokens) == (2, 120)


async def test_money_that_cannot_be_counted_stops_a_run_with_a_limit():
    budget = Budget(usd=5)
    model = BudgetedModel(ScriptedModel([costing(None)] * 2), budget)
    await model.complete(ASK)
    with pytest.raises(BudgetExceeded, match="price of openai:x is unknown"):
        await model.complete(ASK)
    assert budget.usd is None


async def test_unknown_prices_do_not_matter_without_a_limit():
    model = BudgetedModel(ScriptedModel([costing(None)] * 2), Budget())
    assert [(await model.complete(ASK)).text for _ in range(2)] == ["ok", "ok"]


async def test_no_call_begins_when_time_is_up():
    inner = ScriptedModel(["x"])
    with pytest.raises(BudgetExceeded, match="2 minutes are over"):
        await BudgetedModel(inner, Budget(minutes=2, seconds_spent=121)).complete(ASK)
    assert inner.requests == []


async def test_a_call_is_cut_when_the_time_is_up():
    budget = Budget(minutes=0.001)
    with pytest.raises(BudgetExceeded, match="minutes are over"):
        await BudgetedModel(SlowModel(["x"]), budget).complete(ASK)
    assert budget.estimated.input_tokens == READ


async def test_a_call_goes_on_while_more_time_is_asked_for_and_granted():
    asked = []

    async def grant(_, kind):
        asked.append(kind)
        await asyncio.sleep(0.05)
        return Amount(minutes=1)

    budget = Budget(minutes=0.0005, on_exhausted=grant)
    model = BudgetedModel(SlowModel(["x", "y"], seconds=0.2), budget)
    replies = await asyncio.gather(model.complete(ASK), model.complete(ASK))
    assert {reply.text for reply in replies} == {"x", "y"}
    assert asked == ["minutes"]


async def test_what_was_answered_while_a_person_thought_about_more_time_is_taken():
    async def refuse_late(*_):
        await asyncio.sleep(0.4)

    budget = Budget(minutes=0.002, on_exhausted=refuse_late)
    assert (await BudgetedModel(SlowModel(["x"], seconds=0.25), budget).complete(ASK)).text == "x"


async def test_a_failed_call_counts_as_a_request_and_costs_nothing():
    budget = Budget(usd=9, tokens=10_000, usd_spent=1.0, requests_spent=4)
    with pytest.raises(ModelUnavailable):
        await BudgetedModel(ScriptedModel([ModelUnavailable("down")]), budget).complete(ASK)
    assert (budget.requests, budget.usd, budget.tokens) == (5, 1.0, 0)
    assert budget.estimated == Usage(cost_usd=0.0)
    assert budget.affords(Amount(1, 10_000, 8.0))


async def test_of_a_stream_that_breaks_what_was_told_is_estimated():
    budget = Budget(tokens=1000)
    inner = SlowModel([ReplyError("cut")], words=["four", "and", "more"], seconds=0, name=KNOWN)
    with pytest.raises(ReplyError):
        await BudgetedModel(inner, budget).complete(HEARD)
    assert (budget.tokens, budget.estimated.input_tokens) == (0, READ + 4)  # eleven characters
    assert 0 < budget.estimated.cost_usd < most_of(ASK, inner).usd
    assert budget.usd == 0.0


@pytest.mark.parametrize(
    ("words", "error", "booked"),
    [
        ((), ReplyError("cut", transient=True), 0),  # before anything came
        ((), ReplyError("garbage"), READ),
        (("one",), ModelUnavailable("gone"), READ + 1),
        (("one",), RuntimeError("a bug"), READ + 1),
        ((), RuntimeError("a bug"), READ),
    ],
)
async def test_only_what_may_have_cost_something_is_estimated(words, error, booked):
    budget = Budget(tokens=1000)
    with pytest.raises(type(error)):
        await BudgetedModel(SlowModel([error], words=words, seconds=0), budget).complete(HEARD)
    assert (budget.estimated.input_tokens, budget.requests) == (booked, 1)


async def test_of_a_stream_that_is_cancelled_what_was_told_is_estimated():
    budget = Budget(tokens=1000)
    inner = SlowModel(["never"], words=["nine char"], name=KNOWN)
    call = asyncio.create_task(BudgetedModel(inner, budget).complete(HEARD))
    await asyncio.sleep(0.01)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert (budget.requests, budget.tokens, budget.estimated.input_tokens) == (1, 0, READ + 3)
    assert budget.affords(Amount(1, 1000 - READ - 3))


async def test_a_model_that_tells_no_usage_is_taken_to_have_used_all_it_might():
    inner = ScriptedModel([ChatReply((Text("ok"),), KNOWN)] * 2, name=KNOWN)
    for budget in (Budget(usd=1.0), Budget()):
        await BudgetedModel(inner, budget).complete(ASK)
        most = most_of(ASK, inner)
        assert (budget.tokens, budget.usd, budget.requests) == (0, 0.0, 1)
        assert (budget.estimated.input_tokens, budget.estimated.cost_usd) == (most.tokens, pytest.approx(most.usd))


async def test_a_silent_model_without_a_price_ends_a_run_with_a_limit_of_money():
    budget = Budget(usd=1.0)
    model = BudgetedModel(ScriptedModel([ChatReply((Text("ok"),), "their:own")] * 2, name="their:own"), budget)
    await model.complete(ASK)
    assert budget.estimated.cost_usd is None
    with pytest.raises(BudgetExceeded, match="price of their:own is unknown"):
        await model.complete(ASK)


def test_the_most_that_a_call_may_take_counts_what_is_thought():
    plain = ScriptedModel([], name=KNOWN)
    thinker = ScriptedModel([], name=KNOWN, profile=ModelProfile(thinking_tokens=900))
    assert most_of(ASK, plain) == Amount(1, READ + 100, pytest.approx(READ * 2.5e-6 + 100 * 10e-6))
    assert most_of(ASK, thinker).tokens == READ + 1000
    dearest = READ * 3.75e-6 + 100 * 15e-6  # all is put into the prompt cache
    assert most_of(ASK, ScriptedModel([], name="anthropic:claude-sonnet-4-5")).usd == pytest.approx(dearest)
    assert most_of(ASK, ScriptedModel([], name="local:x")).usd == 0.0
    assert most_of(ASK, ScriptedModel([], name="their:own")).usd is None


class Fateful:
    """Answers, fails or dawdles, as a seeded chance will have it, and keeps account of what it has told."""

    name = KNOWN
    profile = ModelProfile()

    def __init__(self, seed):
        self.chance = random.Random(seed)
        self.told = Usage(cost_usd=0.0)
        self.answered = 0

    async def complete(self, request):
        fate = self.chance.random()
        await asyncio.sleep(self.chance.random() / 50 if fate < 0.9 else 30)
        if fate < 0.1:
            raise ModelUnavailable("down")
        usage = Usage(self.chance.randrange(READ), self.chance.randrange(100), cost_usd=self.chance.random() / 2000)
        self.told += usage
        self.answered += 1
        return ChatReply((Text("ok"),), self.name, usage)

    async def aclose(self):
        pass


@pytest.mark.parametrize("limits", [{}, {"tokens": 10**6}, {"tokens": 30_000, "usd": 0.2}])
async def test_a_thousand_calls_that_end_anyhow_are_booked_to_the_token(limits):
    inner = Fateful(3)
    budget, booked = Budget(**limits), []
    model = BudgetedModel(inner, budget, lambda _, reply, __: booked.append(reply.usage))
    calls = [asyncio.create_task(model.complete(ASK)) for _ in range(1000)]
    _, late = await asyncio.wait(calls, timeout=1.5)
    for call in late:
        call.cancel()
    outcomes = await asyncio.gather(*calls, return_exceptions=True)

    total = sum(booked, Usage(cost_usd=0.0))
    assert total == inner.told
    assert len(booked) == inner.answered == sum(isinstance(one, ChatReply) for one in outcomes)
    assert budget.tokens == total.input_tokens + total.output_tokens
    assert budget.usd == pytest.approx(total.cost_usd, abs=1e-9)
    assert budget.estimated.input_tokens % READ == 0  # each cancelled one has read its prompt
    used = budget.tokens + budget.estimated.input_tokens
    assert used <= limits.get("tokens", used)
    if "tokens" in limits:
        left = limits["tokens"] - used
        assert left == 0 or budget.affords(Amount(1, left))
