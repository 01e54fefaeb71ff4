"""Standard output of a server whose client may be slow to read, or not read at all."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import BinaryIO

MOST_BYTES = 64 << 20
"""A client that has left so much unread does not live any more."""
CLOSE_SECONDS = 5.0


class PatientOutput:
    """Takes what is written at once; a thread hands it on.

    Whoever writes never waits, so that runs go on while an editor hangs.

    Args:
        output: Where it goes.
        on_lost: Called when a client that reads nothing counts as gone.
        most: Bytes that may wait.
    """

    def __init__(self, output: BinaryIO, on_lost: Callable[[], None], most: int = MOST_BYTES) -> None:
        self._output = output
        self._on_lost = on_lost
        self._most = most
        self._frames: deque[bytes] = deque()
        self._bytes = 0
        self._is_closed = False
        self._failure: OSError | None = None
        self._news = threading.Condition()
        self._thread = threading.Thread(target=self._hand_on, name="agentinfra-output", daemon=True)
        self._thread.start()

    def write(self, data: bytes) -> int:
        """Take bytes.

        Raises:
            BrokenPipeError: The client is gone, or has not read for so long that it counts as gone.
        """
        with self._news:
            if self._failure is not None:
                raise BrokenPipeError(str(self._failure)) from self._failure
            if self._bytes > self._most:
                self._on_lost()
                raise BrokenPipeError(f"the client leaves {self._bytes:,} bytes unread")
            self._frames.append(bytes(data))
            self._bytes += len(data)
            self._news.notify()
        return len(data)

    def flush(self) -> None:
        """Nothing: what was taken is on its way."""

    def close(self) -> None:
        """Hand on what is left, for five seconds at most, and close."""
        with self._news:
            self._is_closed = True
            self._news.notify()
        self._thread.join(CLOSE_SECONDS)
        if not self._thread.is_alive():
            with suppress(OSError):  # a client that is gone takes what is left with it
                self._output.close()

    def _hand_on(self) -> None:
        while (frame := self._next()) is not None:
            try:
                self._output.write(frame)
                self._output.flush()
            except (OSError, ValueError) as error:  # ValueError: it was closed meanwhile
                self._failure = OSError(str(error))
                return

    def _next(self) -> bytes | None:
        with self._news:
            while not self._frames and not self._is_closed:
                self._news.wait()
            if not self._frames:
                return None
            frame = b"".join(self._frames)
            self._frames.clear()
            self._bytes = 0
            return frame
