import asyncio

import pytest

from agentinfra.core.errors import BudgetExceeded, ModelUnavailable
from agentinfra.core.messages import ChatReply, ChatRequest, Text, Usage, user
from agentinfra.models.budget import Budget, BudgetedModel
from agentinfra.models.scripted_model import ScriptedModel

ASK = ChatRequest((user("Hi"),), purpose="code")


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


class SlowModel(ScriptedModel):
    async def complete(self, request):
        await asyncio.sleep(30)
        return await super().complete(request)


def costing(usd):
    return ChatReply((Text("ok"),), "openai:x", Usage(1, 1, 0, usd))


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


async def test_time_counts_from_what_was_spent_before():
    clock = Clock()
    budget = Budget(minutes=2, seconds_spent=60, clock=clock)
    assert (budget.seconds, budget.seconds_left) == (60, 60)
    clock.now += 59
    budget.check()
    clock.now += 2
    with pytest.raises(BudgetExceeded, match="2 minutes are over"):
        await BudgetedModel(ScriptedModel(["x"]), budget).complete(ASK)
    assert budget.seconds_left == 0


async def test_a_call_is_cut_when_the_time_is_up():
    with pytest.raises(BudgetExceeded, match="minutes are over"):
        await BudgetedModel(SlowModel(["x"]), Budget(minutes=0.001)).complete(ASK)


async def test_a_failed_call_counts_as_a_request_and_costs_nothing():
    budget = Budget(usd_spent=1.0, requests_spent=4)
    with pytest.raises(ModelUnavailable):
        await BudgetedModel(ScriptedModel([ModelUnavailable("down")]), budget).complete(ASK)
    assert (budget.requests, budget.usd) == (5, 1.0)
