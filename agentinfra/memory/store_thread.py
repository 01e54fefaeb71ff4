"""One thread that owns a store: it is opened, used and closed there, one piece of work after the other."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from agentinfra.core.errors import DamagedStore, StoreError
from agentinfra.memory.damage import FileIdentity, identity, set_aside
from agentinfra.memory.database import reporting


class Closable(Protocol):
    """What is closed."""

    def close(self) -> None:
        """Release what it holds."""
        ...


S = TypeVar("S", bound=Closable)
T = TypeVar("T")


class StoreThread(Generic[S]):
    """Runs work on a store that belongs to one thread, for asynchronous callers of any loop.

    Args:
        open_store: Opens it, in the thread, when it is first needed.
        path: Its file. If it proves damaged it is moved aside, and the next work finds a new one in its place.
    """

    def __init__(self, open_store: Callable[[], S], path: Path | None = None) -> None:
        self._open_store = open_store
        self._path = path
        self._store: S | None = None
        self._file: FileIdentity | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="agentinfra-memory")
        self._guard = threading.Lock()
        self._closed = False

    async def run(self, work: Callable[[S], T]) -> T:
        """The result of the work, done on the store in its thread.

        Raises:
            StoreError: It cannot be opened, or is closed.
            DamagedStore: It was damaged, or another process has replaced it; the next work is done on the new one.
        """
        with self._guard:
            if self._closed:
                raise StoreError("The memory is closed", next_step="Open it again")
            future = self._thread.submit(self._work, work)
        return await asyncio.wrap_future(future)

    async def aclose(self) -> None:
        """Finish what was begun and close the store; safe to call twice."""
        with self._guard:
            if self._closed:
                return
            self._closed = True
            future = self._thread.submit(self._close)
        self._thread.shutdown(wait=False)
        await asyncio.shield(asyncio.wrap_future(future))

    def _work(self, work: Callable[[S], T]) -> T:
        file = self._file
        try:
            if self._store is None:
                file = identity(self._path) if self._path else None
                self._store = self._open_store()
                self._file = file or (identity(self._path) if self._path else None)
            elif self._path is not None and identity(self._path) != file:
                raise DamagedStore(f"The memory in {self._path} was replaced", next_step="Do it again, on the new file")
            return work(self._store)
        except DamagedStore:
            with suppress(StoreError):
                self._close()
            self._set_aside(file)
            raise

    def _set_aside(self, file: FileIdentity | None) -> None:
        """Move the file aside that proved damaged; where another lies there by now, that stays."""
        if self._path is not None:
            with reporting(self._path):
                set_aside(self._path, file)

    def _close(self) -> None:
        if self._store is not None:
            store, self._store = self._store, None
            store.close()
