"""Turns of tasks: how many at once, and with one at a time an order that does not depend on how long things take."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager

from agentinfra.core.tasks import Task


class Turns:
    """Says which task may work now.

    With several at once, whoever comes first. With one at a time the next task is chosen only when all engineers have
    handed in what they have: the first of the graph whose needs are settled. A replay, or the rest of a run that was
    killed, then merges in the same order, whatever the engineers' relative speed.

    Args:
        parallel: Tasks at once.
        place: A task's place in the graph.
    """

    def __init__(self, parallel: int, place: Callable[[str], int]) -> None:
        self._one_by_one = parallel == 1
        self._slots = asyncio.Semaphore(parallel)
        self._place = place
        self._busy: set[str] = set()
        self._open: dict[str, tuple[str, Task]] = {}
        self._settled: set[str] = set()
        self._granted: dict[str, asyncio.Event] = {}
        self._held: set[str] = set()
        self._working = ""

    def begin(self, worker: str) -> None:
        """An engineer starts to work; until it hands in tasks or ends, it may still have earlier ones."""
        self._busy.add(worker)

    def end(self, worker: str) -> None:
        """The engineer is done."""
        self._busy.discard(worker)
        self._choose()

    def hand_in(self, worker: str, tasks: Sequence[Task]) -> None:
        """The engineer wants these tasks done and waits for all of them."""
        new = [task for task in tasks if task.id not in self._settled]
        self._open.update({task.id: (worker, task) for task in new})
        if new:
            self._busy.discard(worker)
        self._choose()

    def settle(self, task: str) -> None:
        """The task is over; its engineer goes on once all that it handed in are."""
        self._settled.add(task)
        worker, _ = self._open.pop(task, ("", None))
        if self._working == task:
            self._working = ""
        if worker and all(other != worker for other, _ in self._open.values()):
            self._busy.add(worker)
        self._choose()

    @asynccontextmanager
    async def turn(self, task: str) -> AsyncGenerator[None]:
        """Work on the task; one that is over by the record only passes through its steps once more."""
        if self._one_by_one and task not in self._settled:
            await self._granted.setdefault(task, asyncio.Event()).wait()
        await self._take(task)
        try:
            yield
        finally:
            self._give(task)

    @asynccontextmanager
    async def pause(self, task: str) -> AsyncGenerator[None]:
        """Let others work while the task only waits; where the wait fails, its turn is not taken up again."""
        self._give(task)
        yield
        await self._take(task)

    async def _take(self, task: str) -> None:
        await self._slots.acquire()
        self._held.add(task)

    def _give(self, task: str) -> None:
        if task in self._held:
            self._held.remove(task)
            self._slots.release()

    def _choose(self) -> None:
        if self._working or self._busy:
            return
        ready = [name for name, (_, task) in self._open.items() if self._settled.issuperset(_needed(task))]
        if ready:
            self._working = min(ready, key=self._place)
            self._granted.setdefault(self._working, asyncio.Event()).set()


def _needed(task: Task) -> tuple[str, ...]:
    return (*task.depends_on, *task.after)
