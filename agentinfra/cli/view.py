"""What every view of a running run shares: the state so far, and what is being waited for. Fed by events alone."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self

from rich.console import Console

from agentinfra.core.events import Event
from agentinfra.workflow.run_state import RunState, apply


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something that began and has not ended: a model call, a test run. ``since`` is Unix seconds."""

    title: str
    kind: str
    since: float


class RunView:
    """Follows one run and shows nothing; a context manager around the time in which the run goes.

    Views override what they show.

    Args:
        console: Where it shows it.
    """

    def __init__(self, console: Console) -> None:
        self.console = console
        self.state = RunState()
        self.waiting: dict[tuple[tuple[str, ...], str], Waiting] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the terminal as it was."""

    @property
    def seq(self) -> int:
        """Number of the last event that was taken in."""
        return self.state.seq

    @property
    def human_console(self) -> Console:
        """Where a person is asked."""
        return self.console

    def recall(self, events: Sequence[Event]) -> None:
        """Take in events without showing them."""
        for event in events:
            self._take(event)
        # What was under way when the run was stopped begins again now, without a new event.
        now = time.time()
        self.waiting = {key: replace(waiting, since=now) for key, waiting in self.waiting.items()}

    def show(self, event: Event) -> None:
        """Take in an event and show it; one that was taken in before is ignored."""
        if event.seq > self.seq:
            self._take(event)
            self.shown(event)

    def show_all(self, events: Iterable[Event]) -> None:
        """Show several events."""
        for event in events:
            self.show(event)

    def shown(self, event: Event) -> None:
        """Show an event that has just become part of the state."""

    def tick(self) -> None:
        """Called about four times a second; clocks go on."""

    def paused(self) -> AbstractContextManager[object]:
        """Keep the terminal free for a question while the context lasts."""
        return nullcontext()

    def finish(self) -> None:
        """Say how it ended."""

    def _take(self, event: Event) -> None:
        self.state = apply(self.state, event)
        key = (event.agent, str(event.data.get("id")))
        if event.kind == "tool_call":
            title, kind = str(event.data.get("title", "")), str(event.data.get("kind", ""))
            self.waiting[key] = Waiting(title, kind, event.time)
        elif event.kind == "tool_call_update":
            self.waiting.pop(key, None)
