"""Carry a run through from the terminal: show its events, let it be stopped, say how it ended."""

from __future__ import annotations

import asyncio
import functools
import signal
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from agentinfra.cli.console_human import ConsoleHuman
from agentinfra.cli.exit_codes import ExitCode, run_code
from agentinfra.cli.line_view import JsonView, LineView
from agentinfra.cli.live_view import LiveView
from agentinfra.cli.summary import workspace_option
from agentinfra.cli.terminal import terminal_reader
from agentinfra.cli.view import RunView
from agentinfra.core.errors import InputError, RunStopped
from agentinfra.core.events import Event
from agentinfra.workflow.retrying import Retry
from agentinfra.workflow.run_options import RunOptions
from agentinfra.workflow.run_state import RunState

if TYPE_CHECKING:
    from agentinfra.app import App

TICK_SECONDS = 0.25
STOP_SECONDS = 20.0

OnStart = Callable[[str], None]
Begin = Callable[[OnStart], Awaitable[str]]


def start_run(options: RunOptions, *, json: bool, change: bool = False) -> ExitCode:
    """Plan and build an idea, or what a person changed in the specification.

    Raises:
        AgentInfraError: What ended it; an InputError at once where it would have to ask and cannot.
    """
    quiet = options.yes or options.mode == "unattended"
    if not quiet and terminal_reader() is None:
        raise InputError(
            "Nobody can be asked: standard input is not a terminal",
            why="A run asks questions and needs the approval of its specification",
            next_step="Pass --yes (it takes recommended answers and approves the specification) or use a terminal",
        )

    async def carry() -> ExitCode:
        view = choose_view(json=json)
        async with opened(options.workspace, view, yes=quiet) as app:
            begin = app.change if change else app.plan
            return await drive(app, lambda on_start: begin(options, on_start), view)

    return asyncio.run(carry())


def resume_run(
    run: str | None, workspace: Path, *, yes: bool, cache: bool = False, json: bool, retry: Retry | None = None
) -> ExitCode:
    """Go on with a run, or have one of its tasks done again.

    Raises:
        AgentInfraError: What ended it; an InputError where there is no such run or task.
    """

    async def carry() -> ExitCode:
        view = choose_view(json=json)
        async with opened(workspace, view, yes=yes) as app:
            past = app.log.read(app.run_id(run))
            return await drive(
                app, lambda on_start: app.resume(run, on_start, cache=cache, retry=retry), view, past=past
            )

    return asyncio.run(carry())


def choose_view(*, json: bool) -> RunView:
    """The view that fits where standard output goes."""
    console = Console(highlight=False)
    if json:
        return JsonView(console.file)
    return LiveView(console) if console.is_terminal else LineView(console)


@asynccontextmanager
async def opened(workspace: Path, view: RunView | None = None, *, yes: bool = False) -> AsyncGenerator[App]:
    """Everything composed for a workspace, with the person at the terminal as its human; closed at the end."""
    from agentinfra.app import App  # noqa: PLC0415  (the whole library; --help must not wait for it)

    console = view.human_console if view else Console(stderr=True, highlight=False)
    human = ConsoleHuman(console, terminal_reader(), yes=yes, paused=view.paused if view else nullcontext)
    app = App(workspace, human)
    try:
        yield app
    finally:
        await app.aclose()


async def drive(app: App, begin: Begin, view: RunView, *, past: Sequence[Event] = ()) -> ExitCode:
    """Carry a run to its end, showing every event once and in order.

    Args:
        app: The application.
        begin: Starts the run and waits for its end.
        view: What shows the events.
        past: Events that a person has seen before; they count, but are not shown again.

    Raises:
        RunStopped: It was stopped from the keyboard, by a signal or by ``agentinfra stop``; it can be resumed.
        AgentInfraError: What ended the run.
    """
    known: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    work = asyncio.ensure_future(begin(functools.partial(_tell, known)))
    watch = asyncio.create_task(_watch(app, known, view))
    _stop_on_terminate()
    with view:
        view.recall(past)
        try:
            await _until_over(work, watch, view)
        except asyncio.CancelledError:
            await _stop(work)
            _catch_up(app, known, view)
            raise stopped(view.state, Path.cwd()) from None
        finally:
            await _end(work, watch)
            _catch_up(app, known, view)
    view.finish()
    return run_code(view.state)


def _tell(known: asyncio.Future[str], run: str) -> None:
    if not known.done():
        known.set_result(run)


async def _watch(app: App, known: asyncio.Future[str], view: RunView) -> None:
    # Shielded: the end of this watcher must not cancel what others read.
    async for event in app.log.follow(await asyncio.shield(known), view.seq):
        view.show(event)


def _catch_up(app: App, known: asyncio.Future[str], view: RunView) -> None:
    if known.done():
        view.show_all(app.log.read(known.result(), view.seq))


async def _until_over(work: asyncio.Future[str], watch: asyncio.Task[None], view: RunView) -> None:
    while not work.done():
        pending = [task for task in (work, watch) if not task.done()]
        await asyncio.wait(pending, timeout=TICK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if watch.done():
            # A view that failed (its pipe is closed) ends the run.
            watch.result()
        view.tick()
    work.result()


async def _stop(work: asyncio.Future[str]) -> None:
    work.cancel()
    # What does not end in time is left: what is on record is kept, and the run can be resumed all the same.
    await asyncio.wait((work,), timeout=STOP_SECONDS)


def stopped(state: RunState, here: Path) -> RunStopped:
    """The error of a run that was stopped from here: it says how to go on."""
    if not state.run:
        return RunStopped("Stopped before the run began", next_step="Start it again with agentinfra plan")
    option = workspace_option(state, here, "--workspace")
    return RunStopped(f"Run {state.run} is stopped", next_step=f"agentinfra resume {state.run}{option}")


async def _end(*tasks: asyncio.Future[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _stop_on_terminate() -> None:
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
