"""The event log on SQLite: the only truth about runs, for many threads and processes at once."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import threading
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, cast

from agentinfra.core.errors import EngineError
from agentinfra.core.events import Event, EventDraft, EventKind

FINAL_RUN_STATES = frozenset({"done", "failed", "stopped"})
PAGE = 500
_POLL_SECONDS = 0.2
_BUSY_SECONDS = 30.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS events (
    run TEXT NOT NULL, seq INTEGER NOT NULL, time REAL NOT NULL, kind TEXT NOT NULL,
    data TEXT NOT NULL, agent TEXT NOT NULL, key TEXT NOT NULL,
    PRIMARY KEY (run, seq)
) WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS events_key ON events (run, key) WHERE key <> '';
CREATE TABLE IF NOT EXISTS runs (id INTEGER PRIMARY KEY, run TEXT NOT NULL UNIQUE);
"""


class SqliteEventLog:
    """Implements :class:`agentinfra.core.interfaces.EventLog`.

    Every method may be called from any thread; a wait of one process sees what another appends within 0.2 s.

    Args:
        path: The file; made with mode 0600 in a folder that exists.

    Raises:
        EngineError: The file cannot be opened, or is something else.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._waiters: dict[str, set[_Waiter]] = defaultdict(set)
        self._connection: sqlite3.Connection | None = _open(path)

    def append(self, run: str, draft: EventDraft) -> Event | None:
        """Number and store the event.

        Returns:
            The event, or None if one with the same non-empty key is there already.

        Raises:
            EngineError: The data is no JSON, or the file cannot be written.
        """
        data, agent = _dump(draft.data), _dump(list(draft.agent))
        with self._transaction() as connection:
            if (
                draft.key
                and connection.execute("SELECT 1 FROM events WHERE run = ? AND key = ?", (run, draft.key)).fetchone()
            ):
                return None
            seq = connection.execute("SELECT coalesce(max(seq), 0) + 1 FROM events WHERE run = ?", (run,)).fetchone()[0]
            if seq == 1:
                connection.execute("INSERT INTO runs (run) VALUES (?)", (run,))
            row = (run, seq, time.time(), draft.kind, data, agent, draft.key)
            connection.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        self._wake(run)
        return _event(row)

    def read(self, run: str, since: int = 0, limit: int | None = None) -> Sequence[Event]:
        """Events of the run with seq > since, in order; at most ``limit``, if one is given."""
        query = "SELECT * FROM events WHERE run = ? AND seq > ? ORDER BY seq LIMIT ?"
        with self._cursor() as connection:
            rows = connection.execute(query, (run, since, -1 if limit is None else limit)).fetchall()
        return [_event(row) for row in rows]

    def runs(self) -> Sequence[str]:
        """Ids of all runs, oldest first."""
        with self._cursor() as connection:
            return [row[0] for row in connection.execute("SELECT run FROM runs ORDER BY id")]

    async def wait(self, run: str, since: int = 0, timeout: float = 60.0) -> Sequence[Event]:  # noqa: ASYNC109 (no error)
        """Wait for events of the run with seq > since.

        Args:
            run: The run.
            since: Number of the last event that is known.
            timeout: Longest wait, in seconds.

        Returns:
            At most 500 events, in order; none if nothing came in time.
        """
        deadline = time.monotonic() + timeout
        with self._waiting(run) as waiter:
            while True:
                waiter.news.clear()
                events = await asyncio.to_thread(self.read, run, since, PAGE)
                left = deadline - time.monotonic()
                if events or left <= 0:
                    return events
                await waiter.sleep(min(left, _POLL_SECONDS))

    async def follow(self, run: str, since: int = 0) -> AsyncIterator[Event]:
        """Yield the run's events as they come, up to the one with which the run is done, failed or stopped.

        A run that was stopped and goes on later is followed to its next end: pass the last number seen.
        """
        while True:
            for event in await self.wait(run, since):
                yield event
                since = event.seq
                if is_final(event):
                    return

    def close(self) -> None:
        """Close the file; safe to call twice."""
        with self._lock:
            connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    @contextmanager
    def _cursor(self) -> Generator[sqlite3.Connection]:
        with self._lock:
            if self._connection is None:
                raise EngineError("The event log is closed")
            try:
                yield self._connection
            except sqlite3.Error as error:
                raise EngineError(f"The event log {self._path} cannot be used", why=str(error)) from error

    @contextmanager
    def _transaction(self) -> Generator[sqlite3.Connection]:
        # The write lock is taken before the number is read, so no other process can take the same one.
        with self._cursor() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    @contextmanager
    def _waiting(self, run: str) -> Generator[_Waiter]:
        waiter = _Waiter()
        self._waiters[run].add(waiter)
        try:
            yield waiter
        finally:
            self._waiters[run].discard(waiter)
            if not self._waiters[run]:
                del self._waiters[run]

    def _wake(self, run: str) -> None:
        for waiter in tuple(self._waiters.get(run, ())):
            waiter.wake()


class _Waiter:
    """Somebody in this process who waits for news of a run."""

    def __init__(self) -> None:
        self.news = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def wake(self) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.news.set)

    async def sleep(self, seconds: float) -> None:
        """Return on news, and at the latest after the given time."""
        try:
            async with asyncio.timeout(seconds):
                await self.news.wait()
        except TimeoutError:
            return


def is_final(event: Event) -> bool:
    """Whether the run ends with this event: it is done or failed, or stopped until somebody resumes it."""
    return event.kind == "state_update" and event.data.get("state") in FINAL_RUN_STATES


def _open(path: Path) -> sqlite3.Connection:
    try:
        _create(path)
        connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    except (OSError, sqlite3.Error) as error:
        raise EngineError(f"The event log {path} cannot be opened", why=str(error)) from error
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        # With a write-ahead log this survives the death of the process; only power loss may cost the last events.
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.executescript(_SCHEMA)
    except sqlite3.Error as error:
        connection.close()
        raise EngineError(f"The event log {path} cannot be opened", why=str(error)) from error
    return connection


def _create(path: Path) -> None:
    # Only where there is none: closing a file lifts all of the process's locks on it, those of SQLite as well.
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))


def _dump(value: Any) -> str:
    try:
        return json.dumps(value if isinstance(value, list) else dict(value), ensure_ascii=False)
    except (TypeError, ValueError) as error:
        raise EngineError("The data of an event must be JSON", why=str(error)) from error


def _event(row: tuple[str, int, float, str, str, str, str]) -> Event:
    run, seq, seconds, kind, data, agent, key = row
    return Event(run, seq, seconds, cast("EventKind", kind), json.loads(data), tuple(json.loads(agent)), key)
