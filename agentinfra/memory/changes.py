"""Changed paths, gathered until there is quiet."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import suppress

QUIET_SECONDS = 0.05
"""After the last change: a file that is being written may change again at once."""
SETTLED_SECONDS = 0.02
"""After the last change where that was the end of a write: nothing more is to come but of other files."""
LONGEST_SECONDS = 0.5
"""Steady writing is told of that often, too."""
POLL_SECONDS = 5.0
POLL_SHARE = 20
"""Looking at everything may take one part of so many of the time."""
RESCAN_SECONDS = 300.0
"""However it is watched, everything is looked at that often: the system may drop events without telling."""
MOST_PATHS = 2_000
"""With more changed paths it is quicker to look at everything."""

Paths = frozenset[str]


class Changes:
    """Takes paths from any thread, and gives them to the event loop that it was made in, many at a time.

    Args:
        quiet: Seconds without a change after which they are given.
        settled: The same where the last change was the end of a write.
        longest: Seconds after which they are given in any case.
        rescan: Seconds without any change after which everything is to be looked at.
        poll: The same where changes are not told; more where looking at everything takes long.
    """

    def __init__(
        self,
        quiet: float = QUIET_SECONDS,
        settled: float = SETTLED_SECONDS,
        longest: float = LONGEST_SECONDS,
        rescan: float = RESCAN_SECONDS,
        poll: float = POLL_SECONDS,
    ) -> None:
        self.polling = ""
        """Why changes are looked for from time to time; "" where the system tells of them."""
        self._quiet, self._settled = quiet, min(settled, quiet)
        self._longest, self._rescan, self._poll = longest, rescan, poll
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self._guard = threading.Lock()
        self._paths: set[str] = set()
        self._everything = False
        self._first = self._due = 0.0
        self._given = time.monotonic()

    def note(self, path: str | None, *, is_settled: bool = False) -> None:
        """Take a path relative to the workspace, or None for everything; called from any thread.

        Args:
            path: What changed.
            is_settled: Whether this was the end of a write.
        """
        with self._guard:
            now = time.monotonic()
            self._due = now + (self._settled if is_settled else self._quiet)
            if not self._paths and not self._everything:
                self._first = now
                with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                    self._loop.call_soon_threadsafe(self._news.set)
            if path is None or len(self._paths) >= MOST_PATHS:
                self._everything = True
                self._paths.clear()
            elif not self._everything:
                self._paths.add(path)

    async def next(self) -> Paths | None:
        """Wait for changes, and for quiet after them; None stands for everything."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._patience()):
                await self._news.wait()
        while (pause := self._pause()) > 0:  # noqa: ASYNC110  (how long is seen anew after each)
            await asyncio.sleep(min(pause, self._settled or pause))  # it may become shorter meanwhile
        paths = self._take()
        self._given = time.monotonic()
        return paths

    def _patience(self) -> float:
        """How long to wait for changes before everything is looked at."""
        worked = time.monotonic() - self._given
        return min(max(self._poll, POLL_SHARE * worked), self._rescan) if self.polling else self._rescan

    def _pause(self) -> float:
        with self._guard:
            if not self._paths and not self._everything:
                return 0.0
            return min(self._due, self._first + self._longest) - time.monotonic()

    def _take(self) -> Paths | None:
        with self._guard:
            paths = frozenset(self._paths)
            is_all = self._everything or not paths
            self._paths.clear()
            self._everything = False
            self._news.clear()
        return None if is_all else paths
