import asyncio
import threading

import pytest

from agentinfra.core.errors import StoreError
from agentinfra.memory.store_thread import StoreThread


class Store:
    """Knows the threads that it was used in."""

    def __init__(self) -> None:
        self.threads = {threading.get_ident()}
        self.open = 0
        self.most_open = 0
        self.closed = 0

    def use(self) -> int:
        self.threads.add(threading.get_ident())
        self.open += 1
        self.most_open = max(self.open, self.most_open)
        self.open -= 1
        return self.most_open

    def close(self) -> None:
        self.threads.add(threading.get_ident())
        self.closed += 1


async def test_a_store_is_opened_used_and_closed_in_one_thread_by_one_at_a_time() -> None:
    opened: list[Store] = []
    thread = StoreThread(lambda: opened.append(Store()) or opened[-1])
    assert opened == []
    assert await asyncio.gather(*(thread.run(lambda store: store.use()) for _ in range(50))) == [1] * 50
    await thread.aclose()
    await thread.aclose()
    [store] = opened
    assert len(store.threads) == 1
    assert threading.get_ident() not in store.threads
    assert store.closed == 1


async def test_what_was_begun_is_finished_before_it_is_closed() -> None:
    thread = StoreThread(Store)
    going, go_on = threading.Event(), threading.Event()

    def slow(store: Store) -> int:
        going.set()
        go_on.wait(10)
        return store.closed

    work = asyncio.create_task(thread.run(slow))
    await asyncio.to_thread(going.wait, 10)
    closing = asyncio.create_task(thread.aclose())
    await asyncio.sleep(0)
    with pytest.raises(StoreError, match="closed"):
        await thread.run(lambda store: store.use())
    go_on.set()
    await closing
    assert await work == 0


async def test_errors_reach_the_caller_and_the_store_stays_usable() -> None:
    thread = StoreThread(Store)
    with pytest.raises(ZeroDivisionError):
        await thread.run(lambda store: 1 // store.closed)
    assert await thread.run(lambda store: store.use()) == 1
    await thread.aclose()


async def test_a_store_that_cannot_be_opened_is_tried_again() -> None:
    tries: list[int] = []

    def open_store() -> Store:
        tries.append(1)
        if len(tries) == 1:
            raise StoreError("no room")
        return Store()

    thread = StoreThread(open_store)
    with pytest.raises(StoreError, match="no room"):
        await thread.run(lambda store: store.use())
    assert await thread.run(lambda store: store.use()) == 1
    await thread.aclose()


def test_it_serves_several_loops_one_after_the_other() -> None:
    thread = StoreThread(Store)
    assert [asyncio.run(thread.run(lambda store: len(store.threads))) for _ in range(2)] == [1, 1]
    asyncio.run(thread.aclose())
