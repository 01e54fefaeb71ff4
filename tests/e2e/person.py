"""A person at a terminal: sees what a command prints, and types."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import time
from types import TracebackType
from typing import Self

from tests.e2e.place import LIMIT_SECONDS, Outcome, Place, finish, kill

_PATIENCE_SECONDS = 1.0


class Person:
    """Starts a verb with a terminal as its standard input; a context manager, behind which it has ended.

    Args:
        place: Where.
        arguments: The verb and its arguments.
    """

    def __init__(self, place: Place, *arguments: str) -> None:
        self._keyboard, terminal = pty.openpty()
        try:
            self._process: subprocess.Popen[str] = place.start(*arguments, stdin=terminal)
        finally:
            os.close(terminal)
        self._seen = ""

    def sees(self, *words: str) -> str:
        """Wait until one of the words is printed; returns everything up to and with it, and forgets that."""
        deadline = time.monotonic() + LIMIT_SECONDS
        while not (found := [word for word in words if word in self._seen]):
            assert self._look(deadline - time.monotonic()), f"{words} was not printed: {self._seen}"
        end = min(self._seen.index(word) + len(word) for word in found)
        text, self._seen = self._seen[:end], self._seen[end:]
        return text

    def types(self, line: str) -> None:
        """Type a line; again when nothing comes of it, for what is typed before a question is thrown away."""
        self._seen = ""
        deadline = time.monotonic() + LIMIT_SECONDS
        while not self._seen.strip():
            assert time.monotonic() < deadline, "nothing came of it"
            os.write(self._keyboard, f"{line}\n".encode())
            self._look(_PATIENCE_SECONDS)

    def waits(self) -> Outcome:
        """Let the command come to its end."""
        return finish(self._process)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            kill(self._process)
        os.close(self._keyboard)

    def _look(self, seconds: float) -> bool:
        """Whether something new was printed within this time."""
        assert self._process.stdout is not None
        source = self._process.stdout.fileno()
        ready, _, _ = select.select([source], [], [], max(seconds, 0))
        new = os.read(source, 1 << 16).decode(errors="replace") if ready else ""
        self._seen += new
        return bool(new)
