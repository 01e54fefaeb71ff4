"""One thread that owns a store: it is opened, used and closed there, one piece of work after the other."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, Protocol, TypeVar

from agentinfra.core.errors import StoreError


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
    """

    def __init__(self, open_store: Callable[[], S]) -> None:
        self._open = open_store
        self._store: S | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="agentinfra-memory")
        self._guard = threading.Lock()
        self._closed = False

    async def run(self, work: Callable[[S], T]) -> T:
        """The result of the work, done on the store in its thread.

        Raises:
            StoreError: It cannot be opened, or is closed.
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
        if self._store is None:
            self._store = self._open()
        return work(self._store)

    def _close(self) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None
