"""What a run may use, and how it asks for more."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from agentinfra.core.errors import BudgetExceeded, InputError, RunStopped
from agentinfra.models.amounts import Amount
from agentinfra.models.budget import Budget
from agentinfra.spec.requirements import Question
from agentinfra.workflow.run_budget import STOP, run_budget
from agentinfra.workflow.run_options import RunOptions
from agentinfra.workflow.run_state import RunState, Totals
from agentinfra.workflow.unattended import Unattended


class Person(Unattended):
    """Gives one answer to everything: an option by its place, or words; an error is raised."""

    def __init__(self, answer: int | str | Exception) -> None:
        self.own = answer
        self.asked: list[Question] = []

    async def answer(self, question: Question) -> str:
        self.asked.append(question)
        await asyncio.sleep(0.01)
        if isinstance(self.own, Exception):
            raise self.own
        return question.options[self.own] if isinstance(self.own, int) else self.own


def budget_of(person: Unattended, *, earlier: RunState | None = None, told: list[str] | None = None, **options: Any):
    limits = RunOptions("an idea", Path(), **options)
    return run_budget(limits, earlier or RunState(), person, (told if told is not None else []).append)


async def ask_all(budget: Budget, amount: Amount) -> list[object]:
    return await asyncio.gather(*(budget.reserve(amount) for _ in range(10)), return_exceptions=True)


def test_what_the_run_has_used_before_counts() -> None:
    totals = Totals(calls=5, input_tokens=70, output_tokens=30, cost_usd=0.5, cached_replies=1)
    budget = budget_of(Person(0), earlier=RunState(totals=totals, elapsed=60.0), budget_minutes=2.0)
    assert (budget.requests, budget.tokens, budget.usd) == (4, 100, 0.5)
    assert 119 < budget.seconds_left + 60 <= 120
    unknown = budget_of(Person(0), earlier=RunState(totals=Totals(cost_usd=None)), budget_usd=1.0)
    with pytest.raises(BudgetExceeded, match="unknown"):
        unknown.check()


@pytest.mark.parametrize(
    ("limit", "amount", "offered"),
    [
        ({"budget_tokens": 1500}, Amount(1, 1600), "1,500 tokens"),
        ({"budget_usd": 0.5}, Amount(1, 1, 0.6), "$0.50"),
        ({"budget_requests": 3}, Amount(4), "3 model requests"),
    ],
)
async def test_a_person_may_grant_another_slice(limit: dict[str, Any], amount: Amount, offered: str) -> None:
    person, told = Person(1), list[str]()
    budget = budget_of(person, told=told, **limit)
    assert not budget.affords(amount)
    await budget.reserve(amount)
    assert [one.text for one in person.asked] == [f"The limit of {offered} is reached. Go on beyond it?"]
    assert told == [f"The budget grows by {offered}"]


async def test_a_second_slice_is_as_large_as_the_first_limit() -> None:
    person = Person(1)
    budget = budget_of(person, budget_tokens=100)
    await budget.reserve(Amount(1, 400))
    assert [one.options[1] for one in person.asked] == ["Go on with 100 tokens more"] * 3


async def test_more_time_is_granted_too() -> None:
    person = Person(1)
    budget = budget_of(person, earlier=RunState(elapsed=300.0), budget_minutes=2.0)
    await budget.require_time()
    assert budget.seconds_left == pytest.approx(120, abs=2)


@pytest.mark.parametrize("answer", [0, "well, maybe", InputError("Nobody can be asked")])
async def test_everything_but_a_clear_yes_is_a_no_and_is_asked_once(answer: int | str | Exception) -> None:
    person, told = Person(answer), list[str]()
    budget = budget_of(person, told=told, budget_tokens=100)
    outcomes = await ask_all(budget, Amount(1, 101))
    assert {type(one) for one in outcomes} == {BudgetExceeded}
    assert (len(person.asked), told) == (1, [])
    assert person.asked[0].recommended == STOP


async def test_nobody_is_asked_in_a_run_that_asks_nothing() -> None:
    for options in ({"yes": True}, {"mode": "unattended"}):
        person = Person(1)
        outcomes = await ask_all(budget_of(person, budget_tokens=100, **options), Amount(1, 101))
        assert {type(one) for one in outcomes} == {BudgetExceeded}
        assert person.asked == []
    with pytest.raises(BudgetExceeded):
        await budget_of(Unattended(), budget_tokens=100).reserve(Amount(1, 101))


async def test_a_person_who_goes_away_stops_the_run() -> None:
    with pytest.raises(RunStopped):
        await budget_of(Person(RunStopped("The input was closed")), budget_tokens=100).reserve(Amount(1, 101))
