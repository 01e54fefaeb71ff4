"""The verbs ``index`` and ``search``: what is in the workspace's files, found by words, by meaning and by name."""

from __future__ import annotations

import asyncio
import json as json_format
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from rich.console import Console
from rich.progress import Progress

from agentinfra.cli import options
from agentinfra.cli.exit_codes import ExitCode
from agentinfra.security.clean import clean_line, clean_text

if TYPE_CHECKING:
    from agentinfra.memory.index_report import IndexReport
    from agentinfra.memory.search import Hit
    from agentinfra.memory.workspace_memory import WorkspaceMemory

T = TypeVar("T")
_SHOWN_LINES = 3
_LONGEST_TROUBLE = 1_000
NICE = 10

Query = Annotated[str, typer.Argument(help="A question, a piece of code, or the name of a symbol or file.")]
Most = Annotated[int, typer.Option("-k", min=1, max=100, help="How many at most.")]
Paths = Annotated[str | None, typer.Option("--paths", help='Only files that fit a pattern, such as "src/*.py".')]
Skipped = Annotated[bool, typer.Option("--skipped", help="List the files that were left out, with the reason.")]
Forget = Annotated[bool, typer.Option("--forget", help="Forget all files instead, so that no byte of them is left.")]
Json = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]
Watch = Annotated[bool, typer.Option("--watch", help="Stay, and keep the index up to date until Ctrl-C.")]


def index(
    *,
    watch: Watch = False,
    skipped: Skipped = False,
    forget: Forget = False,
    json: Json = False,
    workspace: options.Workspace = options.HERE,
) -> None:
    """Bring the index of the workspace's files up to date; what did not change is not read."""
    if watch:
        _follow(workspace, json=json)
        return

    async def build(memory: WorkspaceMemory) -> tuple[IndexReport | None, dict[str, str]]:
        if forget:
            await memory.forget()
            return None, {}
        return await brought_up_to_date(memory), await memory.skipped() if skipped else {}

    report, left_out = with_memory(workspace, build)
    if report is None:
        typer.echo("Forgot the index of this workspace.")
    elif json:
        typer.echo(json_format.dumps({**asdict(report), "left_out": left_out}, indent=2))
    else:
        typer.echo("\n".join([_told(report), *(f"  {clean_line(f'{path}: {why}')}" for path, why in left_out.items())]))


async def brought_up_to_date(memory: WorkspaceMemory) -> IndexReport:
    """Bring an index up to date, with a bar on standard error where that is a terminal."""
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task("Indexing", total=None)
        return await memory.index(lambda done, total: progress.update(bar, completed=done, total=total))


def _follow(workspace: Path, *, json: bool) -> None:
    """Tell every look at the files in a line, until Ctrl-C."""

    def tell_vectors(done: int, total: int) -> None:
        if json:
            print(json_format.dumps({"better_vectors": done, "of": total}), flush=True)
        elif done == total:
            print(f"{done} better vectors", flush=True)

    async def follow(memory: WorkspaceMemory) -> None:
        async for report, polling in memory.follow(on_vectors=tell_vectors, on_trouble=tell_trouble):
            if json:
                print(json_format.dumps({**asdict(report), "polling": polling}), flush=True)
                continue
            if polling:
                print(f"Looking every few seconds: {polling}", flush=True)
            print(_told(report), flush=True)

    # To work on the files is more urgent than to know them.
    os.nice(NICE)
    with suppress(KeyboardInterrupt):
        with_memory(workspace, follow)


def tell_trouble(text: str) -> None:
    """Tell on standard error what is done without; "" for nothing."""
    if text:
        typer.echo(clean_text(text, _LONGEST_TROUBLE), err=True)


def _told(report: IndexReport) -> str:
    counts = f"{report.changed} anew, {report.removed} gone, {report.skipped} left out"
    return f"{report.files} files indexed: {counts}; {report.chunks} new pieces, {report.seconds:.1f} s"


def search(
    query: Query,
    *,
    k: Most = 10,
    paths: Paths = None,
    json: Json = False,
    workspace: options.Workspace = options.HERE,
) -> None:
    """Search the workspace's files; the index is brought up to date first.

    Exit codes: 0 something was found; 1 nothing was.
    """

    async def find(memory: WorkspaceMemory) -> list[Hit]:
        await brought_up_to_date(memory)
        hits = await memory.search(query, k, paths=paths)
        tell_trouble(memory.trouble)
        return hits

    hits = with_memory(workspace, find)
    if json:
        typer.echo(json_format.dumps([asdict(hit) for hit in hits], indent=2))
    else:
        for hit in hits:
            _print(hit)
    if not hits:
        typer.echo("Nothing fits.", err=True)
        raise typer.Exit(ExitCode.UNFINISHED)


def _print(hit: Hit) -> None:
    symbol = f" {hit.symbol}" if hit.symbol else ""
    typer.echo(clean_line(f"{hit.path}:{hit.start}-{hit.end}{symbol}"))
    lines = [line for line in hit.text.splitlines() if line.strip()]
    for line in lines[:_SHOWN_LINES]:
        typer.echo(f"    {clean_line(line, 110)}")


def with_memory(workspace: Path, use: Callable[[WorkspaceMemory], Awaitable[T]]) -> T:
    """What is done with a workspace's index, which is closed at the end; embedders are those of the settings."""

    async def carry() -> T:
        from agentinfra.core.config import load_settings  # noqa: PLC0415  (brings pydantic)
        from agentinfra.memory.workspace_memory import WorkspaceMemory  # noqa: PLC0415  (brings numpy and SQLite)

        memory = WorkspaceMemory.open(workspace, embedder=load_settings(workspace, own_planner=False).index.embedder)
        try:
            return await use(memory)
        finally:
            await memory.aclose()

    return asyncio.run(carry())
