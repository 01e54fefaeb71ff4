"""Who is guilty, on made-up tasks of which it is known who breaks what; nothing is run."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentinfra.workflow.guilt import find_guilty


class World:
    """Tasks that break tests.

    Args:
        count: How many tasks there are; each has one test, ``own:<task>``; ``base:<n>`` are nobody's.
        breaks: The tests that each task breaks.
        fragile: Tasks whose own test fails beside any other task.
    """

    def __init__(self, count: int, breaks: Mapping[int, set[str]], fragile: frozenset[int] = frozenset()) -> None:
        self.tasks = tuple(f"T-{number}" for number in range(count))
        self.breaks = {f"T-{number}": frozenset(tests) for number, tests in breaks.items()}
        self.fragile = {f"T-{number}" for number in fragile}
        self.runs = 0

    def failing(self, tasks: tuple[str, ...]) -> frozenset[str]:
        broken = {test for task in tasks for test in self.breaks.get(task, ())}
        broken |= {f"own:{task}" for task in tasks if task in self.fragile and len(tasks) > 1}
        return frozenset(test for test in broken if self.owner(test) in (None, *tasks))

    def owner(self, test: str) -> str | None:
        return test.removeprefix("own:") if test.startswith("own:") else None

    async def fails(self, tasks: tuple[str, ...], tests: frozenset[str]) -> frozenset[str]:
        self.runs += 1
        return self.failing(tasks) & tests

    async def guilty(self) -> dict[str, frozenset[str]]:
        failing = self.failing(self.tasks)
        return await find_guilty(self.tasks, {test: self.owner(test) for test in failing}, self.fails)


async def test_one_alone_is_guilty_without_a_run() -> None:
    world = World(1, {0: {"base:1"}})
    assert await world.guilty() == {"T-0": {"base:1"}}
    assert world.runs == 0


async def test_nobody_is_guilty_of_nothing() -> None:
    assert await World(3, {}).guilty() == {}


@pytest.mark.parametrize("position", [0, 1, 25, 48, 49])
async def test_who_breaks_the_base_is_found_wherever_it_stands(position: int) -> None:
    world = World(50, {position: {"base:1"}})
    assert set(await world.guilty()) == {f"T-{position}"}
    assert world.runs <= math.ceil(math.log2(50)) + 1


@pytest.mark.parametrize(("culprit", "victim"), [(3, 40), (40, 3)])
async def test_a_task_whose_test_another_one_breaks_is_innocent_whoever_came_first(culprit: int, victim: int) -> None:
    world = World(50, {culprit: {f"own:T-{victim}"}})
    assert await world.guilty() == {f"T-{culprit}": {f"own:T-{victim}"}}


async def test_a_task_that_fails_its_own_test_is_guilty() -> None:
    assert await World(20, {7: {"own:T-7"}}).guilty() == {"T-7": {"own:T-7"}}


async def test_a_test_that_fits_beside_nobody_counts_against_its_own_task() -> None:
    world = World(50, {}, frozenset({12}))
    assert set(await world.guilty()) == {"T-12"}
    assert world.runs <= 4


async def test_who_breaks_the_base_takes_the_blame_for_what_else_it_breaks() -> None:
    world = World(20, {4: {"base:1", "own:T-9"}, 5: {"base:2", "own:T-9"}})
    assert set(await world.guilty()) == {"T-4", "T-5"}


async def test_what_two_tasks_break_only_together_counts_against_the_later_one() -> None:
    async def fails(tasks: tuple[str, ...], tests: frozenset[str]) -> frozenset[str]:
        return tests if {"T-2", "T-5"} <= set(tasks) else frozenset()

    assert set(await find_guilty(tuple(f"T-{n}" for n in range(9)), {"base:1": None}, fails)) == {"T-5"}


async def test_where_the_runs_contradict_each_other_somebody_is_still_sent_back() -> None:
    async def fails(_: tuple[str, ...], __: frozenset[str]) -> frozenset[str]:
        return frozenset()

    assert await find_guilty(("T-0", "T-1", "T-2"), {"own:T-1": "T-1", "base:1": None}, fails)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[World, set[str]]:
    """A world with some bad tasks, each breaking a test of the base, its own, or one of a good task of its own."""
    count = draw(st.integers(2, 60))
    order = draw(st.permutations(range(count)))
    bad = order[: draw(st.integers(0, max(1, count // 5)))]
    good = [number for number in order if number not in bad]
    breaks: dict[int, set[str]] = {}
    for place, number in enumerate(bad):
        own = [f"base:{place}", f"own:T-{number}", *([f"own:T-{good[place]}"] if place < len(good) else [])]
        breaks[number] = {draw(st.sampled_from(own))}
    return World(count, breaks), {f"T-{number}" for number in bad}


@given(worlds())
async def test_round_by_round_all_guilty_ones_are_found_and_no_other(made: tuple[World, set[str]]) -> None:
    world, bad = made
    found: set[str] = set()
    while world.failing(world.tasks):
        guilty = set(await world.guilty())
        assert guilty, "the search must not get stuck"
        assert guilty <= bad
        found |= guilty
        world.tasks = tuple(task for task in world.tasks if task not in guilty)
    assert found == bad


@given(worlds())
async def test_it_takes_fewer_runs_than_trying_every_task_where_few_are_bad(made: tuple[World, set[str]]) -> None:
    world, bad = made
    count = len(world.tasks)
    await world.guilty()
    assert world.runs <= 6 + len(bad) * (math.ceil(math.log2(count)) + 5)
