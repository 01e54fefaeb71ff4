"""The verbs for the rest of a run's life: showing it, taking it over or not, undoing parts of it, stopping it."""

from __future__ import annotations

import asyncio
import json as json_format
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import typer
from rich.console import Console

from agentinfra.cli import options as opt
from agentinfra.cli.live_view import picture
from agentinfra.cli.session import opened, resume_run
from agentinfra.core.errors import InputError
from agentinfra.workflow.instructions import send as send_words
from agentinfra.workflow.report import build_report, report_json, report_text
from agentinfra.workflow.report_html import report_html
from agentinfra.workflow.retrying import Retry
from agentinfra.workflow.run_state import RunState

if TYPE_CHECKING:
    from agentinfra.app import App
    from agentinfra.workflow.delivery import Delivery
    from agentinfra.workflow.standing import Standing

T = TypeVar("T")
ALL_LINES = 10_000


def status(run: opt.RunArgument = None, *, workspace: opt.Workspace = opt.HERE) -> None:
    """Show where a run is: its task tree, tests, tokens, cost."""
    state, edited = _with_app(workspace, lambda app: _look(app, run))
    console = Console(highlight=False)
    console.print(picture(state, (), state.updated, ALL_LINES))
    if edited:
        console.print(f"spec.md is {edited}. Build it with: agentinfra plan --change", markup=False, soft_wrap=True)


def report(
    run: opt.RunArgument = None,
    *,
    html: opt.Html = None,
    json: opt.ReportJson = False,
    workspace: opt.Workspace = opt.HERE,
) -> None:
    """Report a run: which requirement is proven by which tests and commit, tries, tokens, cost, time."""
    state = _state(run, workspace)
    summed = build_report(state)
    if html is not None:
        _write(html, report_html(summed))
    if json:
        typer.echo(json_format.dumps(report_json(summed), indent=2))
    elif html is None:
        typer.echo(report_text(summed), nl=False)


def accept(tasks: opt.Tasks = None, *, run: opt.RunOption = None, workspace: opt.Workspace = opt.HERE) -> None:
    """Merge a run, or some of its tasks, into the branch it started from; refused on a dirty or moved base."""
    commit = _deliver(workspace, run, lambda delivery: delivery.accept(tasks or []))
    typer.echo(f"Accepted; the merge is {commit}")


def reject(tasks: opt.Tasks = None, *, run: opt.RunOption = None, workspace: opt.Workspace = opt.HERE) -> None:
    """Drop a run, or some of its tasks; its branch stays until it is forgotten."""
    rejected = _deliver(workspace, run, lambda delivery: delivery.reject(tasks or []))
    typer.echo(f"Rejected {rejected}")


def undo(tasks: opt.SomeTasks, *, run: opt.RunOption = None, workspace: opt.Workspace = opt.HERE) -> None:
    """Take merged tasks, and those that rest on them, off the run's branch again; all other work stays."""
    commit, undone = _deliver(workspace, run, lambda delivery: delivery.undo(tasks))
    typer.echo(f"Undid {', '.join(undone)}; the branch is at {commit}")
    typer.echo(f"Take it back with: agentinfra redo {' '.join(undone)}")


def redo(tasks: opt.UndoneTasks = None, *, run: opt.RunOption = None, workspace: opt.Workspace = opt.HERE) -> None:
    """Put undone tasks, and what they rest on, back on the run's branch."""
    commit, again = _deliver(workspace, run, lambda delivery: delivery.redo(tasks or []))
    typer.echo(f"Did {', '.join(again)} again; the branch is at {commit}")


def retry(
    task: opt.OneTask,
    *,
    note: opt.Note = "",
    run: opt.RunOption = None,
    workspace: opt.Workspace = opt.HERE,
    yes: opt.Yes = False,
    json: opt.Json = False,
) -> None:
    """Have a blocked or undone task done again, with all its tries, and what was skipped because of it."""
    wish = Retry(task, note)
    if _with_app(workspace, lambda app: _hand_over(app, run, wish)):
        typer.echo(f"{task} is done again by the process that works on the run, behind the other tasks")
        return
    raise typer.Exit(resume_run(run, workspace.resolve(), yes=yes, json=json, retry=wish))


def send(
    text: opt.Words,
    *,
    task: opt.TaskOption = "",
    now: opt.Now = False,
    run: opt.RunOption = None,
    workspace: opt.Workspace = opt.HERE,
) -> None:
    """Say something to the models of a run at work: it is put in front of their next requests."""

    async def say(app: App) -> str:
        state = app.state(run)
        send_words(app.log, state, text, task=task, when="now" if now else "next")
        return state.run

    found = _with_app(workspace, say)
    typer.echo(f"Sent to {task or 'all tasks'} of {found}")


def stop(run: opt.RunArgument = None, *, workspace: opt.Workspace = opt.HERE) -> None:
    """Stop a run; `agentinfra resume` goes on with it."""
    stopped = _with_app(workspace, lambda app: app.stop(run))
    typer.echo(f"Stopped {stopped}; go on with: agentinfra resume {stopped}")


def _with_app(workspace: Path, use: Callable[[App], Awaitable[T]]) -> T:
    async def carry() -> T:
        async with opened(folder) as app:
            return await use(app)

    folder = workspace.resolve()
    return asyncio.run(carry())


def _deliver(workspace: Path, run: str | None, use: Callable[[Delivery], Awaitable[T]]) -> T:
    async def carry(app: App) -> T:
        return await use(await app.delivery(run))

    return _with_app(workspace, carry)


async def _hand_over(app: App, run: str | None, wish: Retry) -> bool:
    return wish.is_handed_over(app.log, app.state(run), app.folder / "engine.db")


async def _look(app: App, run: str | None) -> tuple[RunState, Standing | None]:
    return app.state(run), await app.edited_since(run)


def _state(run: str | None, workspace: Path) -> RunState:
    async def look(app: App) -> RunState:
        return app.state(run)

    return _with_app(workspace, look)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path} cannot be written", why=error.strerror or str(error)) from error
