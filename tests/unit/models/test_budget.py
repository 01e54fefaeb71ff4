import asyncio
import random
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentinfra.core.errors import BudgetExceeded, InputError
from agentinfra.core.messages import Usage
from agentinfra.models.amounts import Amount
from agentinfra.models.budget import Budget


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


class Buyer:
    """Answers the question for more with what is left of its answers, after a while; then with no."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []
        self.at_once = 0

    async def __call__(self, budget, kind):
        self.asked.append((budget.name, kind))
        self.at_once += 1
        assert self.at_once == 1
        try:
            await asyncio.sleep(0.01)
        finally:
            self.at_once -= 1
        return self.answers.pop(0) if self.answers else None


def tokens(number, usd=0.0):
    return Usage(number, 0, cost_usd=usd)


async def spend(budget, most, used):
    """One call that takes a moment."""
    reservation = await budget.reserve(Amount(1, most))
    await asyncio.sleep(0)
    reservation.settle(tokens(used))


def is_untouched(budget, limit=1000):
    return budget.affords(Amount(1, limit)) and not budget.affords(Amount(1, limit + 1))


def test_time_counts_from_what_was_spent_before():
    clock = Clock()
    budget = Budget(minutes=2, seconds_spent=60, clock=clock)
    assert (budget.seconds, budget.seconds_left) == (60, 60)
    clock.now += 59
    budget.check()
    clock.now += 2
    with pytest.raises(BudgetExceeded, match="2 minutes are over"):
        budget.check()
    assert budget.seconds_left == 0


def test_what_was_used_before_a_resume_counts():
    with pytest.raises(BudgetExceeded, match="5 of 5 model requests"):
        Budget(requests=5, requests_spent=5).check()
    with pytest.raises(BudgetExceeded, match=r"1,000 of 900 tokens are spent.* --budget-tokens"):
        Budget(tokens=900, tokens_spent=1000).check()
    with pytest.raises(BudgetExceeded, match=r"\$1.00 of \$1.00"):
        Budget(usd=1, usd_spent=1).check()
    with pytest.raises(BudgetExceeded, match="price of an earlier call is unknown"):
        Budget(usd=1, usd_spent=None).check()
    Budget(usd_spent=None).check()


async def test_a_call_that_may_not_fit_is_refused_before_it_is_made():
    budget = Budget(tokens=1000, usd=0.5)
    await spend(budget, 500, 400)
    with pytest.raises(BudgetExceeded, match="400 of 1,000 tokens are spent, and 601 may be needed"):
        await budget.reserve(Amount(1, 601))
    with pytest.raises(BudgetExceeded, match=r"\$0.00 of \$0.50 are spent, and \$0.51 may be needed"):
        await budget.reserve(Amount(1, 1, 0.51))
    await spend(budget, 600, 600)
    assert (budget.tokens, budget.requests) == (1000, 2)


async def test_a_reservation_counts_once():
    budget = Budget(tokens=1000)
    reservation = await budget.reserve(Amount(1, 300))
    assert not budget.affords(Amount(1, 701))
    reservation.settle(tokens(100))
    reservation.settle(tokens(100))
    reservation.release()
    assert (budget.requests, budget.tokens) == (1, 100)
    assert is_untouched(budget, 900)


async def test_a_request_too_many_is_refused_at_once_since_calls_in_flight_give_none_back():
    budget = Budget(requests=1)
    await budget.reserve()
    with pytest.raises(BudgetExceeded, match="0 of 1 model requests are spent, 1 are reserved"):
        await asyncio.wait_for(budget.reserve(), 1)


async def test_a_reply_from_the_cache_is_no_request():
    budget = Budget(requests=1)
    for _ in range(2):
        (await budget.reserve()).settle(Usage(cost_usd=0.0, cached_replies=1))
    assert budget.requests == 0


async def test_what_is_estimated_is_told_apart_and_counts_all_the_same():
    budget = Budget(tokens=1000)
    (await budget.reserve(Amount(1, 300))).settle(Usage(200, 50, cost_usd=0.5), estimated=True)
    assert (budget.requests, budget.tokens, budget.usd) == (1, 0, 0.0)
    assert budget.estimated == Usage(250, cost_usd=0.5)
    assert is_untouched(budget, 750)


async def test_calls_wait_for_those_in_flight_and_then_go_on_in_order():
    budget, order = Budget(tokens=1300), []

    async def call(number, most):
        reservation = await budget.reserve(Amount(1, most))
        order.append(number)
        await asyncio.sleep(0.001)
        reservation.settle(tokens(10))

    async with asyncio.timeout(5):
        await asyncio.gather(*(call(number, 900 if number % 2 else 20) for number in range(40)))
    assert order == list(range(40))  # no small one overtakes a large one
    assert (budget.tokens, budget.requests) == (400, 40)
    assert is_untouched(budget, 900)


async def test_a_hundred_in_flight_never_overrun_a_limit():
    budget, chance = Budget(tokens=10_000), random.Random(7)
    in_flight, most_in_flight, refused = 0, 0, 0

    async def call():
        nonlocal in_flight, most_in_flight, refused
        most = chance.randrange(1, 200)
        try:
            reservation = await budget.reserve(Amount(1, most))
        except BudgetExceeded:
            refused += 1
            return
        in_flight += 1
        most_in_flight = max(most_in_flight, in_flight)
        await asyncio.sleep(chance.random() / 1000)
        in_flight -= 1
        reservation.settle(tokens(chance.randrange(most + 1)))
        assert budget.tokens <= 10_000

    await asyncio.gather(*(call() for _ in range(400)))
    assert most_in_flight > 80
    assert 9_800 < budget.tokens <= 10_000
    assert refused > 0


async def test_the_overrun_is_no_more_than_the_error_of_one_estimate():
    budget = Budget(tokens=1000)
    with pytest.raises(BudgetExceeded, match="1,200 of 1,000 tokens are spent"):
        while True:
            await asyncio.gather(*(spend(budget, 100, 300) for _ in range(2)))


async def test_of_unknown_prices_only_one_call_is_in_flight_where_money_is_limited():
    budget, in_flight = Budget(usd=1.0), 0

    async def call():
        nonlocal in_flight
        reservation = await budget.reserve(Amount(1, 10, None))
        in_flight += 1
        assert in_flight == 1
        await asyncio.sleep(0)
        in_flight -= 1
        reservation.settle(tokens(1, usd=0.3))

    outcomes = await asyncio.gather(*(call() for _ in range(8)), return_exceptions=True)
    assert [type(one) for one in outcomes if one] == [BudgetExceeded] * 4
    assert budget.usd == pytest.approx(1.2)


async def test_a_thousand_tasks_that_end_anyhow_leave_an_exact_account():
    budget, chance = Budget(tokens=40_000, usd=3.0), random.Random(11)
    told, guessed, started = [], [], 0

    async def call(most, usd, fate):
        nonlocal started
        reservation = await budget.reserve(Amount(1, most, usd))
        started += 1
        usage = Usage(chance.randrange(most), 0, cost_usd=usd * chance.random())
        try:
            await asyncio.sleep(chance.random() / 100)
            if fate == "fails":
                raise RuntimeError
        except asyncio.CancelledError:
            guessed.append(usage)
            reservation.settle(usage, estimated=True)
            raise
        except RuntimeError:
            reservation.release()
            raise
        told.append(usage)
        reservation.settle(usage)

    fates = chance.choices(["answers", "fails", "is cancelled"], [6, 2, 2], k=1000)
    calls = [asyncio.create_task(call(chance.randrange(1, 120), chance.random() / 100, fate)) for fate in fates]
    for task, fate in zip(calls, fates, strict=True):
        if fate == "is cancelled":
            asyncio.get_running_loop().call_later(chance.random() / 10, task.cancel)
    async with asyncio.timeout(30):
        await asyncio.gather(*calls, return_exceptions=True)

    assert budget.requests == started < 1000
    assert guessed
    assert budget.tokens == sum(one.input_tokens for one in told)
    assert budget.estimated.input_tokens == sum(one.input_tokens for one in guessed)
    assert budget.usd == pytest.approx(sum(one.cost_usd for one in told), abs=1e-9)
    left = 40_000 - budget.tokens - budget.estimated.input_tokens
    assert left >= 0
    assert is_untouched(budget, left)  # nothing is held any longer


async def test_cancelled_while_waiting_it_leaves_nothing_behind():
    budget = Budget(tokens=100)
    first = await budget.reserve(Amount(1, 100))
    waiting = [asyncio.create_task(spend(budget, 50, 50)) for _ in range(5)]
    await asyncio.sleep(0)
    for task in waiting[:4]:
        task.cancel()
    await asyncio.sleep(0)
    first.settle(tokens(0))
    await asyncio.wait_for(waiting[4], 1)
    assert [task.cancelled() for task in waiting] == [True] * 4 + [False]
    assert (budget.requests, budget.tokens) == (2, 50)
    assert is_untouched(budget, 50)


async def test_cancelled_just_when_there_is_room_it_leaves_nothing_behind():
    budget = Budget(tokens=100)
    first = await budget.reserve(Amount(1, 100))
    waiting = asyncio.create_task(budget.reserve(Amount(1, 100)))
    await asyncio.sleep(0)
    first.settle(tokens(0))
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert is_untouched(budget, 100)


async def test_more_is_asked_for_once_and_then_all_go_on():
    buyer = Buyer(Amount(tokens=10_000))
    budget = Budget(tokens=100, on_exhausted=buyer)
    await asyncio.gather(*(spend(budget, 100, 100) for _ in range(50)))
    assert buyer.asked == [("The run", "tokens")]
    assert (budget.tokens, budget.limit("tokens")) == (5000, 10_100)


async def test_a_no_is_final_for_its_limit_alone():
    buyer = Buyer(None, Amount(requests=1))
    budget = Budget(tokens=100, requests=1, on_exhausted=buyer)
    for _ in range(2):
        outcomes = await asyncio.gather(*(spend(budget, 200, 1) for _ in range(20)), return_exceptions=True)
        assert {type(one) for one in outcomes} == {BudgetExceeded}
    assert buyer.asked == [("The run", "tokens")]
    await spend(budget, 10, 10)
    await spend(budget, 10, 10)
    assert buyer.asked[1:] == [("The run", "requests")]


async def test_more_of_something_else_is_a_no():
    buyer = Buyer(Amount(usd=5))
    with pytest.raises(BudgetExceeded):
        await Budget(tokens=100, on_exhausted=buyer).reserve(Amount(1, 101))
    assert len(buyer.asked) == 1


async def test_who_asks_may_be_cancelled_and_the_next_one_asks_again():
    buyer = Buyer(Amount(tokens=100))
    budget = Budget(tokens=10, on_exhausted=buyer)
    first, second = (asyncio.create_task(spend(budget, 100, 100)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait_for(second, 1)
    assert (len(buyer.asked), budget.tokens) == (2, 100)


async def test_more_time_counts_from_now():
    clock, buyer = Clock(), Buyer(Amount(minutes=5))
    budget = Budget(minutes=1, on_exhausted=buyer, clock=clock)
    await budget.require_time()
    assert buyer.asked == []
    clock.now += 600
    await budget.require_time()
    assert budget.seconds_left == 300


async def test_an_unknown_price_is_not_mended_by_more_money():
    buyer = Buyer(Amount(usd=100))
    budget = Budget(usd=1, on_exhausted=buyer)
    (await budget.reserve()).settle(Usage(1, 1), "openai:x")
    with pytest.raises(BudgetExceeded, match="price of openai:x is unknown"):
        await budget.reserve()
    assert (buyer.asked, budget.usd) == ([], None)


async def test_a_slice_is_set_aside_used_and_given_back():
    budget = Budget(tokens=1000)
    with budget.slice(tokens=600, name="The engineer") as part:
        assert is_untouched(budget, 400)
        await spend(part, 500, 450)
        assert is_untouched(budget, 400)
        with pytest.raises(BudgetExceeded, match="450 of 600 tokens are spent, and 200 may be needed") as caught:
            await part.reserve(Amount(1, 200))
        assert caught.value.what == "The engineer's budget is used up"
        assert "slice" in caught.value.next_step
    assert (part.tokens, part.requests, budget.tokens, budget.requests) == (450, 1, 450, 1)
    assert is_untouched(budget, 550)
    with pytest.raises(InputError, match="closed"):
        await part.reserve()
    part.close()
    assert is_untouched(budget, 550)


async def test_there_are_no_slices_beyond_what_is_left():
    budget = Budget(tokens=1000)
    with budget.slice(tokens=700), pytest.raises(BudgetExceeded, match="700 are reserved, and 301 may be needed"):
        budget.slice(tokens=301)
    budget.slice(tokens=1000).close()


async def test_slices_within_slices_share_what_is_not_limited_below():
    budget = Budget(tokens=1000, requests=10)
    with budget.slice(tokens=500) as agent:
        with agent.slice(requests=3) as micro:
            await spend(micro, 100, 80)
            assert is_untouched(budget, 500)
            assert not micro.affords(Amount(1, 421))
            assert not budget.affords(Amount(8))
        assert (agent.tokens, agent.requests, budget.requests) == (80, 1, 1)
        assert budget.affords(Amount(9))
    assert is_untouched(budget, 920)


async def test_what_is_in_flight_when_a_slice_ends_is_still_covered():
    budget = Budget(tokens=1000)
    with budget.slice(tokens=600) as part:
        reservation = await part.reserve(Amount(1, 200))
    assert is_untouched(budget, 800)
    reservation.settle(tokens(150))
    assert (budget.tokens, part.tokens) == (150, 150)
    assert is_untouched(budget, 850)


async def test_a_call_waits_for_calls_in_slices_but_not_for_idle_slices():
    budget = Budget(tokens=1000)
    with budget.slice(requests=5) as part:
        reservation = await part.reserve(Amount(1, 800))
        waiting = asyncio.create_task(spend(budget, 900, 1))
        await asyncio.sleep(0.01)
        assert not waiting.done()
        reservation.settle(tokens(10))
        await asyncio.wait_for(waiting, 1)
    with budget.slice(tokens=900), pytest.raises(BudgetExceeded, match="900 are reserved"):
        await asyncio.wait_for(budget.reserve(Amount(1, 500)), 1)


async def test_a_slice_grows_by_what_the_budget_above_has():
    buyer = Buyer(Amount(tokens=300), Amount(tokens=10_000))
    budget = Budget(tokens=1000)
    with budget.slice(tokens=100, on_exhausted=buyer, name="T-1") as part:
        await spend(part, 400, 400)
        assert is_untouched(budget, 600)
        with pytest.raises(BudgetExceeded, match="400 of 1,000 tokens are spent, and 10,000 may be needed"):
            await part.reserve(Amount(1, 1))
        with pytest.raises(BudgetExceeded, match="400 of 400"):
            await part.reserve(Amount(1, 1))
    assert buyer.asked == [("T-1", "tokens")] * 2
    assert is_untouched(budget, 600)


async def test_what_a_slice_grows_by_is_set_aside():
    budget = Budget(tokens=1000)
    with budget.slice(tokens=100) as part:
        part.extend(Amount(requests=5, tokens=300))
        assert (part.limit("tokens"), part.limit("requests")) == (400, None)
        assert is_untouched(budget, 600)
        with pytest.raises(BudgetExceeded, match="601 may be needed"):
            part.extend(Amount(tokens=601))
    assert is_untouched(budget, 1000)


async def test_who_waits_for_a_slice_that_ends_is_refused_and_nobody_is_asked():
    buyer = Buyer(Amount(tokens=100))
    budget = Budget(tokens=1000)
    with budget.slice(tokens=100, on_exhausted=buyer) as part:
        reservation = await part.reserve(Amount(1, 100))
        waiting = asyncio.create_task(part.reserve(Amount(1, 60)))
        await asyncio.sleep(0.01)
        assert not waiting.done()
    reservation.settle(tokens(10))
    with pytest.raises(BudgetExceeded, match="10 of 10 tokens"):
        await waiting
    assert buyer.asked == []
    assert is_untouched(budget, 990)


async def test_a_slice_ends_with_the_time_of_the_budget_above():
    clock = Clock()
    budget = Budget(minutes=1, clock=clock)
    part = budget.slice(minutes=5)
    assert part.seconds_left == 60
    clock.now += 61
    with pytest.raises(BudgetExceeded, match="1 minutes are over"):
        await part.reserve()
    assert Budget().slice(minutes=1).seconds_left == pytest.approx(60, abs=1)


@pytest.mark.parametrize(
    ("limits", "counts"), [({}, False), ({"requests": 1, "minutes": 1}, False), ({"usd": 1}, True)]
)
def test_it_is_known_whether_tokens_or_money_matter(limits, counts):
    budget = Budget(**limits)
    assert (budget.is_counting, budget.slice().is_counting) == (counts, counts)
    assert budget.slice(tokens=1).is_counting


class Tree:
    """A budget, slices of it and calls in them; every call stays within its estimate."""

    def __init__(self):
        self.budgets = [Budget(tokens=1000, requests=1000)]
        self.calls = []
        self.spent = 0

    async def slice(self, budget, number, flag):
        self.budgets.append(budget.slice(tokens=number) if flag else budget.slice(requests=number % 9 + 1))

    async def reserve(self, budget, number, _):
        if budget.affords(Amount(1, number)):  # else it might wait for ever: nobody else is at work
            self.calls.append((await budget.reserve(Amount(1, number)), number))

    async def settle(self, _, number, flag):
        if self.calls:
            reservation, most = self.calls.pop(number % len(self.calls))
            reservation.settle(tokens(min(number, most)), estimated=flag)
            self.spent += min(number, most)

    async def close(self, budget, *_):
        if budget is not self.budgets[0]:
            budget.close()

    def end(self):
        for reservation, _ in self.calls:
            reservation.release()
        for part in self.budgets[1:]:
            part.close()


def used(budget):
    return budget.tokens + budget.estimated.input_tokens


STEP = st.tuples(
    st.sampled_from([Tree.slice, Tree.reserve, Tree.reserve, Tree.settle, Tree.close]),
    st.integers(0, 9),
    st.integers(1, 300),
    st.booleans(),
)


@settings(deadline=None)
@given(st.lists(STEP, max_size=40))
def test_whatever_slices_and_calls_do_the_account_adds_up(steps):
    async def play():
        tree = Tree()
        for step, which, number, flag in steps:
            with suppress(BudgetExceeded, InputError):
                await step(tree, tree.budgets[which % len(tree.budgets)], number, flag)
            limits = [one.limit("tokens") for one in tree.budgets]
            assert all(
                used(one) <= (1000 if limit is None else limit) for one, limit in zip(tree.budgets, limits, strict=True)
            )
        tree.end()
        return tree

    tree = asyncio.run(play())
    whole = tree.budgets[0]
    assert used(whole) == tree.spent
    assert tree.spent == 1000 or is_untouched(whole, 1000 - tree.spent)
