"""Which task works now: as many at once as allowed, and one at a time in an order that does not depend on speed."""

from __future__ import annotations

import asyncio
import random

import pytest

from agentinfra.core.tasks import Task
from agentinfra.workflow.turns import Turns

# Two engineers whose tasks need each other's, as a planner numbers them.
GRAPH = {
    "T-1": Task("T-1", "", (), (), engineer="back"),
    "T-2": Task("T-2", "", (), (), engineer="front"),
    "T-3": Task("T-3", "", (), (), depends_on=("T-2",), engineer="back"),
    "T-4": Task("T-4", "", (), (), depends_on=("T-1",), engineer="front"),
    "T-5": Task("T-5", "", (), (), after=("T-4",), engineer="back"),
    "T-6": Task("T-6", "", (), (), engineer="front"),
}


async def play(parallel: int, seed: int, done: frozenset[str] = frozenset(), *, at_once: bool = True) -> list[str]:
    """The order in which tasks came to an end, where everything takes a random time."""
    chance = random.Random(seed)
    turns = Turns(parallel, [*GRAPH].index)
    settled = {name: asyncio.Event() for name in GRAPH}
    order: list[str] = []

    def settle(name: str) -> None:
        settled[name].set()
        turns.settle(name)

    async def task(name: str) -> None:
        for needed in (*GRAPH[name].depends_on, *GRAPH[name].after):
            await settled[needed].wait()
        async with turns.turn(name):
            await asyncio.sleep(chance.uniform(0, 0.002))
        order.append(name)
        settle(name)

    async def engineer(who: str) -> None:
        await asyncio.sleep(chance.uniform(0, 0.005))
        own = [one for one in GRAPH.values() if one.engineer == who]
        for part in [own] if at_once else [own[:1], own[1:]]:
            turns.hand_in(who, part)
            await asyncio.gather(*(task(one.id) for one in part if one.id not in done))
            await asyncio.sleep(chance.uniform(0, 0.003))
        turns.end(who)

    for name in done:
        settle(name)
    for who in ("back", "front"):
        turns.begin(who)
    async with asyncio.timeout(5):
        await asyncio.gather(engineer("back"), engineer("front"))
    return order


@pytest.mark.parametrize("at_once", [True, False], ids=["all at once", "in two parts"])
async def test_one_at_a_time_the_order_does_not_depend_on_time(at_once: bool) -> None:
    orders = {tuple(await play(1, seed, at_once=at_once)) for seed in range(25)}
    assert orders == {("T-1", "T-2", "T-3", "T-4", "T-5", "T-6")}


@pytest.mark.parametrize("count", range(len(GRAPH)))
async def test_after_an_interruption_the_rest_comes_in_the_same_order(count: int) -> None:
    whole = await play(1, 0, at_once=False)
    assert [*whole[:count], *await play(1, count, frozenset(whole[:count]), at_once=False)] == whole


async def test_several_at_once_wait_for_nothing_but_their_needs() -> None:
    assert len({tuple(await play(3, seed)) for seed in range(10)}) > 1


async def test_no_more_work_at_once_than_allowed() -> None:
    turns, working, most = Turns(2, [*GRAPH].index), 0, 0

    async def work(name: str) -> None:
        nonlocal working, most
        async with turns.turn(name):
            working += 1
            most = max(most, working)
            await asyncio.sleep(0.001)
            working -= 1

    await asyncio.gather(*(work(name) for name in GRAPH))
    assert most == 2


async def test_who_waits_to_be_merged_lets_another_work_and_takes_its_turn_up_again() -> None:
    turns, heard = Turns(1, [*GRAPH].index), asyncio.Event()

    async def waits() -> None:
        async with turns.turn("T-1"):
            async with turns.pause("T-1"):
                await heard.wait()
            assert working == []

    working: list[str] = []

    async def works() -> None:
        async with turns.turn("T-2"):
            working.append("T-2")
            heard.set()
            await asyncio.sleep(0.001)
            working.clear()

    turns.hand_in("", [GRAPH["T-1"]])
    turns.settle("T-2")  # by the record: it only passes through
    async with asyncio.timeout(5):
        await asyncio.gather(waits(), works())


async def test_a_wait_that_fails_gives_the_turn_away_once() -> None:
    turns = Turns(2, [*GRAPH].index)
    for name in ("T-1", "T-2"):
        with pytest.raises(KeyError):
            async with turns.turn(name), turns.pause(name):
                raise KeyError
    taken = [turns.turn(name) for name in ("T-3", "T-4")]
    async with asyncio.timeout(1):
        for one in taken:
            await one.__aenter__()
    third = asyncio.create_task(turns.turn("T-5").__aenter__())
    assert await asyncio.wait([third], timeout=0.02) == (set(), {third})
    third.cancel()
