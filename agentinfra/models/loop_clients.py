"""SDK clients are bound to the event loop that used them first; scripts may run several loops one after another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from agentinfra.models.real_requests import require_real_requests


class Closable(Protocol):
    """What both SDKs' clients have in common."""

    def close(self) -> Awaitable[None]:
        """Release connections."""
        ...


C = TypeVar("C", bound=Closable)


@dataclass(slots=True)
class _Slot(Generic[C]):
    loop: asyncio.AbstractEventLoop
    gate: asyncio.Semaphore
    making: asyncio.Lock = field(default_factory=asyncio.Lock)
    client: C | None = None


class LoopClients(Generic[C]):
    """Makes one client per event loop, at first use, in a worker thread: importing an SDK takes a second.

    Args:
        make: Builds a client; may import.
        concurrency: How many may use it at once; the others queue.
    """

    def __init__(self, make: Callable[[], C], concurrency: int) -> None:
        self._make = make
        self._concurrency = concurrency
        self._slot: _Slot[C] | None = None

    @asynccontextmanager
    async def use(self) -> AsyncGenerator[C, None]:
        """Wait for a turn, then lend the running loop's client.

        Raises:
            ModelUnavailable: Real requests are forbidden.
        """
        require_real_requests()
        slot = self._current()
        async with slot.gate:
            async with slot.making:
                client = slot.client = slot.client or await asyncio.to_thread(self._make)
            yield client

    async def aclose(self) -> None:
        """Close the running loop's client; one of a loop that is gone holds no connection (none is kept alive)."""
        slot, self._slot = self._slot, None
        if slot and slot.client and slot.loop is asyncio.get_running_loop():
            await slot.client.close()

    def _current(self) -> _Slot[C]:
        loop = asyncio.get_running_loop()
        if self._slot is None or self._slot.loop is not loop:
            self._slot = _Slot(loop, asyncio.Semaphore(self._concurrency))
        return self._slot
