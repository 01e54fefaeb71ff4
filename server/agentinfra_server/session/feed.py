"""The events of a run as they come: numbered, in order, a few times a second at most."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from agentinfra.core.events import Event
from agentinfra.workflow.event_log import SqliteEventLog, is_final

INTERVAL_SECONDS = 0.1
MOST_EVENTS = 5000

OnEvents = Callable[[Sequence[Event]], Awaitable[None]]


async def follow(log: SqliteEventLog, run: str, since: int, on_events: OnEvents) -> None:
    """Hand over a run's events from ``since`` on, until it is done, failed or stopped.

    What comes within a tenth of a second is handed over together, at most 5,000 events.
    """
    while True:
        if await log.wait(run, since):
            events = await asyncio.to_thread(log.read, run, since, MOST_EVENTS)
            await on_events(events)
            since = events[-1].seq
            if is_final(events[-1]):
                return
        await asyncio.sleep(INTERVAL_SECONDS)
