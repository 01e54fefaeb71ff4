"""Carrying runs through, over a real event log; the application is a small one that plays events."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from rich.console import Console

from agentinfra.cli.exit_codes import ExitCode
from agentinfra.cli.line_view import JsonView, LineView
from agentinfra.cli.live_view import LiveView
from agentinfra.cli.session import choose_view, drive
from agentinfra.cli.view import RunView
from agentinfra.core.errors import ModelUnavailable, RunStopped
from agentinfra.core.events import Event, EventDraft
from agentinfra.workflow.event_log import SqliteEventLog
from tests.unit.run_events import RUN, building, finished

PROGRAM = Path(__file__).with_name("slow_run_program.py")


class Player:
    """An application whose runs are played from a list; then it ends, fails or goes on for ever."""

    def __init__(self, folder: Path, events: Sequence[Event], *, end: Exception | None = None, endless: bool = False):
        self.log = SqliteEventLog(folder / "events.db")
        self.events = events
        self.end = end
        self.endless = endless
        self.cancelled = False

    def append(self, events: Sequence[Event]) -> None:
        for event in events:
            self.log.append(RUN, EventDraft(event.kind, event.data, event.agent))

    async def plan(self, on_start: Callable[[str], None]) -> str:
        self.append(self.events[:1])
        on_start(RUN)
        self.append(self.events[1:])
        try:
            await asyncio.sleep(3600 if self.endless else 0.05)
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        if self.end is not None:
            raise self.end
        return RUN


class Shown(RunView):
    """Remembers what it was to show."""

    def __init__(self, fail_at: int = 0) -> None:
        super().__init__(Console(stderr=True))
        self.seen: list[int] = []
        self.fail_at = fail_at
        self.ended = False

    def shown(self, event: Event) -> None:
        self.seen.append(event.seq)
        if event.seq == self.fail_at:
            raise BrokenPipeError(32, "Broken pipe")

    def finish(self) -> None:
        self.ended = True


async def test_every_event_is_shown_once_and_in_order(tmp_path: Path) -> None:
    run, view = finished(), Shown()
    player = Player(tmp_path, run.events)
    assert await drive(player, player.plan, view) is ExitCode.DONE
    assert view.seen == list(range(1, len(run.events) + 1))
    assert view.ended


async def test_a_run_with_blocked_tasks_is_unfinished(tmp_path: Path) -> None:
    player = Player(tmp_path, finished(blocked=True).events)
    assert await drive(player, player.plan, Shown()) is ExitCode.UNFINISHED


async def test_what_was_seen_before_counts_and_is_not_shown_again(tmp_path: Path) -> None:
    run, view = finished(), Shown()
    player = Player(tmp_path, run.events[10:])
    player.append(run.events[:10])
    assert await drive(player, player.plan, view, past=player.log.read(RUN)) is ExitCode.DONE
    assert view.seen == list(range(11, len(run.events) + 1))


async def test_an_error_comes_through_after_the_last_event_was_shown(tmp_path: Path) -> None:
    run, view = building().add("state_update", state="failed", reason="No model"), Shown()
    player = Player(tmp_path, run.events, end=ModelUnavailable("No model"))
    with pytest.raises(ModelUnavailable):
        await drive(player, player.plan, view)
    assert view.seen[-1] == len(run.events)
    assert not view.ended


async def test_an_error_before_the_run_began_comes_through(tmp_path: Path) -> None:
    async def refuse(on_start: Callable[[str], None]) -> str:
        raise ModelUnavailable("No model")

    with pytest.raises(ModelUnavailable):
        await drive(Player(tmp_path, []), refuse, Shown())


async def test_a_cancelled_run_is_stopped_and_says_how_to_go_on(tmp_path: Path) -> None:
    player = Player(tmp_path, building().events, endless=True)
    driving = asyncio.create_task(drive(player, player.plan, Shown()))
    await asyncio.sleep(0.3)
    driving.cancel()
    with pytest.raises(RunStopped) as caught:
        await driving
    assert player.cancelled
    assert caught.value.next_step == f"agentinfra resume {RUN} --workspace /home/ada/hikes"


async def test_a_view_that_fails_ends_the_run(tmp_path: Path) -> None:
    player = Player(tmp_path, building().events, endless=True)
    with pytest.raises(BrokenPipeError):
        await drive(player, player.plan, Shown(fail_at=3))
    assert player.cancelled


async def test_the_live_view_draws_a_whole_run(tmp_path: Path) -> None:
    with (tmp_path / "screen").open("w+") as screen:
        view = LiveView(Console(file=screen, width=80, height=30, force_terminal=True))
        player = Player(tmp_path, finished().events)
        await drive(player, player.plan, view)
        screen.seek(0)
        assert "Finished: 4 of 4 tasks done" in screen.read()


def test_the_view_fits_where_the_output_goes(capsys: pytest.CaptureFixture[str]) -> None:
    assert isinstance(choose_view(json=True), JsonView)
    assert isinstance(choose_view(json=False), LineView)
    assert choose_view(json=True).human_console.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_run_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    process = subprocess.Popen(
        [sys.executable, PROGRAM, tmp_path],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    )
    assert process.stdout is not None
    assert '"seq": 1' in process.stdout.readline()
    process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert f"✗ Run {RUN} is stopped\n  next: agentinfra resume {RUN}\n" in errors
    assert "Traceback" not in errors


def test_a_closed_pipe_ends_the_command_quietly(tmp_path: Path) -> None:
    command = f"'{sys.executable}' '{PROGRAM}' '{tmp_path}' many | head -n 1"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    result = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, env=environment, timeout=60, check=False
    )
    assert '"seq": 1' in result.stdout
    assert "Traceback" not in result.stderr
