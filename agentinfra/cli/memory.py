"""``agentinfra memory``: what was learnt in this workspace, and what its user had remembered anywhere."""

from __future__ import annotations

import asyncio
import json as json_format
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from agentinfra.cli import options
from agentinfra.cli.exit_codes import ExitCode
from agentinfra.core.errors import InputError
from agentinfra.memory.statement import MemoryKind, Statement
from agentinfra.security.clean import clean_line

if TYPE_CHECKING:
    from agentinfra.memory.long_term_memory import LongTermMemory
    from agentinfra.memory.records import MemoryRecord

T = TypeVar("T")

commands = typer.Typer(help="What was learnt in this workspace, and by its user anywhere.", no_args_is_help=True)

_Id = Annotated[str, typer.Argument(metavar="ID", help="An id from `agentinfra memory list`, or an end of it.")]
_Ids = Annotated[list[str], typer.Argument(metavar="ID...", help="Ids from `agentinfra memory list`, or ends of them.")]
_Text = Annotated[str, typer.Argument(help="What is to be remembered, in a sentence or two.")]
_Kind = Annotated[MemoryKind, typer.Option("--kind", help="What it is; only rules are instructions to the agents.")]
_OnlyKind = Annotated[MemoryKind | None, typer.Option("--kind", help="Only this kind.")]
_Subject = Annotated[
    str, typer.Option("--subject", help="What it is about: a newer statement on one subject supersedes the older.")
]
_Why = Annotated[str, typer.Option("--why", help="Why it is so.")]
_OfUser = Annotated[bool, typer.Option("--user", help="For all your projects instead of this one.")]
_Superseded = Annotated[bool, typer.Option("--all", help="Also what a newer statement has superseded.")]
_Json = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]


@commands.command("list")
def list_memories(
    *,
    kind: _OnlyKind = None,
    all: _Superseded = False,
    json: _Json = False,
    workspace: options.Workspace = options.HERE,
) -> None:
    """List what is remembered here, oldest first."""
    held = _with_memory(workspace, lambda memory: _records(memory, superseded=all))
    shown = [one for one in held if kind in (None, one.kind)]
    if json:
        typer.echo(json_format.dumps([asdict(one) for one in shown], indent=2))
    else:
        Console(highlight=False).print(_table(shown) if shown else "Nothing is remembered here yet.")


@commands.command()
def show(id: _Id, *, json: _Json = False, workspace: options.Workspace = options.HERE) -> None:
    """Show one memory with all that is known of it."""
    held = _with_memory(workspace, lambda memory: _records(memory, superseded=True))
    record = _one(held, id)
    if json:
        typer.echo(json_format.dumps(asdict(record), indent=2))
        return
    for name, value in asdict(record).items():
        if value not in ("", None):
            typer.echo(f"{name.replace('_', ' '):>13}  {clean_line(_told(name, value), 10_000)}")


@commands.command()
def add(
    text: _Text,
    *,
    kind: _Kind = "fact",
    subject: _Subject = "",
    why: _Why = "",
    user: _OfUser = False,
    workspace: options.Workspace = options.HERE,
) -> None:
    """Remember something; what you say counts more than what agents found out."""

    async def remember(memory: LongTermMemory) -> str:
        place = memory.above if user and memory.above is not None else memory
        return (await place.remember(Statement(kind, text, subject, why))).id

    typer.echo(f"Remembered as {_with_memory(workspace, remember)}")


@commands.command()
def forget(ids: _Ids, *, workspace: options.Workspace = options.HERE) -> None:
    """Remove memories, so that no byte of them is left in the files."""

    async def remove(memory: LongTermMemory) -> int:
        held = await _records(memory, superseded=True)
        chosen = {_one(held, one).id for one in ids}
        above = await memory.above.forget(chosen) if memory.above is not None else 0
        return above + await memory.forget(chosen)

    typer.echo(f"Forgot {_with_memory(workspace, remove)}")


@commands.command()
def check(*, workspace: options.Workspace = options.HERE) -> None:
    """Look at every page of this workspace's memory, its index included, and of yours; mend what is damaged.

    A damaged file is moved aside: what was learnt comes back from its copy, the index is made again from the files.
    Exit codes: 0 all is whole; 1 something was damaged.
    """

    async def look(memory: LongTermMemory) -> bool:
        from agentinfra.memory.workspace_memory import WorkspaceMemory  # noqa: PLC0415  (brings numpy and SQLite)

        index = WorkspaceMemory.open(workspace)
        try:
            return all([await index.check(), await memory.check()])
        finally:
            await index.aclose()

    if not _with_memory(workspace, look):
        typer.echo("What was damaged is moved aside and made again.")
        raise typer.Exit(ExitCode.UNFINISHED)
    typer.echo("All is whole.")


async def _records(memory: LongTermMemory, *, superseded: bool) -> list[MemoryRecord]:
    own = await memory.records(superseded=superseded)
    above = await memory.above.records(superseded=superseded) if memory.above is not None else []
    return sorted((*above, *own), key=lambda one: one.id)


def _one(held: list[MemoryRecord], id: str) -> MemoryRecord:
    # The ends of ids are random; their beginnings are times, and near each other.
    fitting = [one for one in held if one.id == id] or [one for one in held if id and one.id.endswith(id)]
    if len(fitting) != 1:
        what = "There is no memory" if not fitting else f"{len(fitting)} memories have an id"
        raise InputError(f"{what} that ends in {id!r}", next_step="See `agentinfra memory list --all`")
    return fitting[0]


def _table(records: list[MemoryRecord]) -> Table:
    table = Table("Id", "Of", "Kind", "What", box=None, pad_edge=False, header_style="bold")
    table.columns[0].no_wrap = True
    for one in records:
        marks = ["untrusted"] * one.tainted + ["disputed"] * bool(one.disputed_by) + ["superseded"] * (not one.holds)
        told = clean_line(one.text if one.text.startswith(one.subject) else f"{one.subject}: {one.text}", 300)
        table.add_row(one.id, one.scope, one.kind, f"{told} ({', '.join(marks)})" if marks else told)
    return table


def _told(name: str, value: object) -> str:
    if name in ("created", "used") and isinstance(value, float):
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(value))
    return value if isinstance(value, str) else json_format.dumps(value, ensure_ascii=False)


def _with_memory(workspace: Path, use: Callable[[LongTermMemory], Awaitable[T]]) -> T:
    async def carry() -> T:
        from agentinfra.memory.long_term_memory import project_memory  # noqa: PLC0415  (brings numpy and SQLite)

        memory = project_memory(workspace)
        try:
            return await use(memory)
        finally:
            await memory.aclose()

    return asyncio.run(carry())
