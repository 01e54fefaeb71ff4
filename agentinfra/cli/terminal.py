"""Read lines from a person at a terminal without blocking the event loop."""

from __future__ import annotations

import asyncio
import os
import sys
import termios
from collections.abc import Awaitable, Callable

ReadLine = Callable[[], Awaitable[str]]
"""Waits for a line and returns it without its end; raises EOFError when the person closes the input."""

_LINE_BYTES = 1 << 16


def terminal_reader() -> ReadLine | None:
    """The reader of standard input, or None where no person sits at it."""
    return read_line if sys.stdin.isatty() else None


async def read_line() -> str:
    """Wait for the next line that a person types at standard input; cancellable at any moment.

    What was typed before the question could be seen is thrown away: it cannot be an answer to it.

    Raises:
        EOFError: The person pressed Ctrl-D.
    """
    source = sys.stdin.fileno()
    termios.tcflush(source, termios.TCIFLUSH)
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(source, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(source)
    # A terminal in line mode is readable when a whole line is there, and gives one line at a time.
    data = os.read(source, _LINE_BYTES)
    if not data:
        raise EOFError
    return data.decode(errors="replace").rstrip("\r\n")
