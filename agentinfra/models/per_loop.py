"""Values that belong to an event loop: locks, semaphores and clients work only on the loop that used them first."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class PerLoop(Generic[T]):
    """One value for each event loop, made at first use and forgotten with the loop; scripts may run several in turn.

    Args:
        make: Makes a value.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._values: dict[asyncio.AbstractEventLoop, T] = {}

    def get(self) -> T:
        """The running loop's value."""
        loop = asyncio.get_running_loop()
        if loop not in self._values:
            # Loops of other threads come and go meanwhile.
            for gone in [known for known in tuple(self._values) if known.is_closed()]:
                self._values.pop(gone, None)
            self._values[loop] = self._make()
        return self._values[loop]

    def pop(self) -> T | None:
        """Forget the running loop's value and return it; None where there is none."""
        return self._values.pop(asyncio.get_running_loop(), None)
