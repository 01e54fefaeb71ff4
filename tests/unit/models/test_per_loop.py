import asyncio
import threading

import pytest

from agentinfra.models.per_loop import PerLoop


async def got(values):
    return values.get()


async def test_a_loop_has_one_value_until_it_is_taken_away():
    values = PerLoop(object)
    first = values.get()
    assert values.get() is first
    assert values.pop() is first
    assert values.pop() is None
    assert values.get() is not first


def test_loops_in_turn_have_their_own_and_leave_nothing_behind():
    made = []
    values = PerLoop(lambda: made.append(object()) or made[-1])
    assert [asyncio.run(got(values)) for _ in range(3)] == made
    assert len(made) == len(set(made)) == 3
    assert len(values._values) == 1


def test_loops_at_the_same_time_have_their_own():
    values, both, found = PerLoop(object), threading.Barrier(2), []

    async def use():
        mine = values.get()
        both.wait(5)
        assert values.get() is mine
        found.append(mine)

    threads = [threading.Thread(target=lambda: asyncio.run(use())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert len(set(found)) == 2


def test_without_a_loop_there_is_no_value():
    with pytest.raises(RuntimeError, match="no running event loop"):
        PerLoop(object).get()
