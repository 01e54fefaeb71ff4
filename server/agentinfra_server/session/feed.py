"""The events of a run as they come: numbered, in order, a few times a second at most."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from agentinfra.core.events import Event
from agentinfra.workflow.event_log import SqliteEventLog, is_final

INTERVAL_SECONDS = 0.1
MOST_EVENTS = 500

OnEvents = Callable[[Sequence[Event]], Awaitable[None]]


async def follow(log: SqliteEventLog, run: str, since: int, on_events: OnEvents) -> None:
    """Hand over a run's events from ``since`` on, until it is done, failed or stopped.

    What comes within a tenth of a second is handed over together; more than 500 events in several pieces.
    """
    while True:
        events = await log.wait(run, since)
        if events:
            await on_events(events[:MOST_EVENTS])
            since = events[min(len(events), MOST_EVENTS) - 1].seq
            if any(is_final(event) for event in events) and not await asyncio.to_thread(log.read, run, since, 1):
                return
        await asyncio.sleep(INTERVAL_SECONDS)
