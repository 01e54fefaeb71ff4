"""SDK clients are bound to the event loop that used them first; scripts may run several loops one after another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from agentinfra.models.per_loop import PerLoop
from agentinfra.models.real_requests import require_real_requests


class Closable(Protocol):
    """What both SDKs' clients have in common."""

    def close(self) -> Awaitable[None]:
        """Release connections."""
        ...


C = TypeVar("C", bound=Closable)


@dataclass(slots=True)
class _Slot(Generic[C]):
    gate: asyncio.Semaphore
    making: asyncio.Lock = field(default_factory=asyncio.Lock)
    client: C | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    keeper: asyncio.Task[None] | None = None


class LoopClients(Generic[C]):
    """Makes one client per event loop, at first use, in a worker thread: importing an SDK takes a second.

    Args:
        make: Builds a client; may import.
        concurrency: How many may use it at once on a loop; the others queue.
        keep_alive: Whether clients keep connections open between requests; such a client is closed with its loop,
            because a connection that outlives its loop can be neither used nor closed.
    """

    def __init__(self, make: Callable[[], C], concurrency: int, *, keep_alive: bool = False) -> None:
        self._make = make
        self._keep_alive = keep_alive
        self._slots: PerLoop[_Slot[C]] = PerLoop(lambda: _Slot(asyncio.Semaphore(concurrency)))

    @asynccontextmanager
    async def use(self) -> AsyncGenerator[C, None]:
        """Wait for a turn, then lend the running loop's client.

        Raises:
            ModelUnavailable: Real requests are forbidden.
        """
        require_real_requests()
        slot = self._slots.get()
        async with slot.gate:
            async with slot.making:
                client = slot.client = slot.client or await asyncio.to_thread(self._make)
                if self._keep_alive and slot.keeper is None:
                    slot.keeper = asyncio.create_task(_close_at_the_end(client, slot.ended))
            yield client

    async def aclose(self) -> None:
        """Close the running loop's client."""
        slot = self._slots.pop()
        if slot is None or slot.client is None:
            return
        if slot.keeper is None:
            await slot.client.close()
        else:
            slot.ended.set()
            await slot.keeper


async def _close_at_the_end(client: Closable, ended: asyncio.Event) -> None:
    """Wait for ``aclose``, or for the cancellation with which a loop ends."""
    try:
        await ended.wait()
    finally:
        await client.close()
