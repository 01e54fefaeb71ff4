"""The live screen of a run at a terminal; redrawn about four times a second from the state alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from agentinfra.cli.summary import print_summary
from agentinfra.cli.task_tree import task_tree
from agentinfra.cli.view import RunView, Waiting
from agentinfra.core.events import Event
from agentinfra.security.clean import clean_line
from agentinfra.workflow.event_log import FINAL_RUN_STATES
from agentinfra.workflow.figures import cost, duration
from agentinfra.workflow.report import build_report, info, run_title
from agentinfra.workflow.run_state import Notice, RunState

MOST_WAITING = 3
MOST_NOTICES = 3
# Header, planner, QA, blank lines, what is waited for, notices.
_OTHER_LINES = 14
_NOTICE_STYLES = {"error": "bold red", "warning": "yellow"}
_VERBS = {"think": "model", "execute": "runs", "edit": "writes", "read": "reads", "fetch": "fetches"}


class LiveView(RunView):
    """Shows the task tree in place, and the summary at the end.

    Args:
        console: The terminal.
        now: The clock, in Unix seconds.
    """

    def __init__(self, console: Console, now: Callable[[], float] = time.time) -> None:
        super().__init__(console)
        self._now = now
        self._live = self._new_live()
        self._drawn = (-1, 0)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the last picture on the terminal."""
        self._stop()

    def shown(self, event: Event) -> None:
        """Nothing at once: the next tick draws it."""

    def tick(self) -> None:
        """Draw the present state, if there is news or a second has gone by."""
        moment = (self.seq, int(self._now()))
        if self._live.is_started and moment != self._drawn:
            self._drawn = moment
            self._live.update(self.screen(), refresh=True)

    def paused(self) -> AbstractContextManager[object]:
        """Take the picture away while a person is asked."""
        return self._away()

    def finish(self) -> None:
        """Print the summary."""
        print_summary(self.console, build_report(self.state), Path.cwd())

    def screen(self) -> RenderableType:
        """The whole picture."""
        waiting = sorted(self.waiting.values(), key=lambda one: one.since)
        return picture(self.state, waiting, self._now(), self.console.height)

    def _new_live(self) -> Live:
        # No refreshing thread: the session's ticks draw, in the thread that changes the state.
        return Live(console=self.console, auto_refresh=False, redirect_stderr=False)

    @contextmanager
    def _away(self) -> Generator[None]:
        self._live.transient = True
        self._live.stop()
        try:
            yield
        finally:
            self._live = self._new_live()
            self._live.start()
            self._drawn = (-1, 0)

    def _stop(self) -> None:
        self.waiting.clear()
        # Stopping draws once more.
        self._live.update(self.screen())
        self._live.stop()


def picture(state: RunState, waiting: Sequence[Waiting], now: float, height: int) -> RenderableType:
    """A run as it is at a moment.

    Args:
        state: The run.
        waiting: What is under way, oldest first.
        now: Unix seconds.
        height: Lines of the terminal.
    """
    parts: list[RenderableType] = [_header(state, now), Text(), task_tree(state, height - _OTHER_LINES)]
    lines = [_waiting_line(one, now) for one in waiting[:MOST_WAITING]]
    lines += [_notice_line(notice) for notice in state.notices[-MOST_NOTICES:]]
    return Group(*parts, *([Text()] if lines else []), *lines)


def _header(state: RunState, now: float) -> RenderableType:
    totals = state.totals
    used = totals.input_tokens + totals.output_tokens
    model = clean_line(info(state, "model"), 60)
    place = " · ".join(part for part in (state.run and f"run {state.run}", model) if part)
    figures = [_state_word(state), _clock(state, now)]
    figures += [f"{used:,} tokens", cost(totals, model)] if totals.calls else []
    lines = [_one_line((run_title(state), "bold")), _one_line((place, "dim")), _one_line(" · ".join(figures))]
    return Group(*(line for line in lines if line.plain))


def _state_word(state: RunState) -> str:
    return state.state.replace("_", " ") or "starting"


def _clock(state: RunState, now: float) -> str:
    elapsed = state.elapsed
    if state.run and state.state not in FINAL_RUN_STATES:
        elapsed += max(0.0, now - state.updated)
    minutes = _limit_minutes(state)
    return f"{duration(elapsed)} of {duration(minutes * 60)}" if minutes else duration(elapsed)


def _limit_minutes(state: RunState) -> float:
    limits = cast("Mapping[str, Any]", state.info.get("limits") or {})
    minutes = limits.get("minutes")
    return float(minutes) if isinstance(minutes, int | float) else 0.0


def _waiting_line(waiting: Waiting, now: float) -> Text:
    verb = _VERBS.get(waiting.kind, "waits for")
    since = (f", {duration(now - waiting.since)}", "dim")
    return _one_line(("▸ ", "cyan"), f"{verb}: {clean_line(waiting.title)}", since)


def _notice_line(notice: Notice) -> Text:
    mark = "· " if notice.level == "info" else "! "
    return _one_line((mark, _NOTICE_STYLES.get(notice.level, "dim")), clean_line(notice.text))


def _one_line(*parts: str | tuple[str, str]) -> Text:
    text = Text.assemble(*parts)
    text.no_wrap, text.overflow = True, "ellipsis"
    return text
