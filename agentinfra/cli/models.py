"""``agentinfra models``: what runs on this machine, and what any model can really do."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.table import Table

from agentinfra.cli import options
from agentinfra.cli.exit_codes import ExitCode
from agentinfra.core.errors import InputError
from agentinfra.memory.embedders.minilm_file import minilm_file
from agentinfra.models.catalog import CATALOG, MINILM, CatalogEntry, installed_models, models_folder
from agentinfra.models.local_servers import LocalServer, find_local_servers
from agentinfra.security.clean import clean_line

commands = typer.Typer(help="The models on this machine, and what any model can really do.", no_args_is_help=True)

_Name = Annotated[str, typer.Argument(metavar="NAME", help="A name from `agentinfra models list`.")]
_AnyName = Annotated[str, typer.Argument(metavar="NAME", help="provider:model, an alias, or a name of the catalogue.")]
_Clear = Annotated[bool, typer.Option("--clear", help="Remove all kept replies.")]
_COLOURS = {"works": "green", "fails": "red", "not claimed": "dim"}


@commands.command("list")
def list_models() -> None:
    """List the models that run here: the catalogue's files, and those of servers such as Ollama that answer."""
    console = Console(highlight=False)
    console.print(_catalogue_table())
    for server in asyncio.run(find_local_servers()):
        console.print(_server_table(server))


@commands.command("test")
def test_model(name: _AnyName, base_url: options.BaseUrl = None) -> None:
    """Try a model out: an answer and its speed, a tool call, a structured reply, a picture if it claims to see.

    The exit code is 1 when something fails that the model claims.
    """
    raise typer.Exit(asyncio.run(_try_out(name, base_url)))


@commands.command()
def pull(name: _Name) -> None:
    """Fetch a model file, check its hash, and print its path; goes on where an earlier download was cut."""
    typer.echo(str(asyncio.run(build_minilm() if name == MINILM.name else fetch(_entry(name)))))


@commands.command()
def path(name: _Name) -> None:
    """Print the path of a model file that is here."""
    entry = MINILM if name == MINILM.name else _entry(name)
    if not _is_here(entry):
        raise InputError(f"{entry.name} is not on this machine", next_step=f"agentinfra models pull {entry.name}")
    typer.echo(str(minilm_file() if entry is MINILM else models_folder() / entry.file))


@commands.command()
def cache(clear: _Clear = False) -> None:
    """Show what `--cache` has kept and how often it helped, or empty it."""
    from agentinfra.models.reply_cache import ReplyCache  # noqa: PLC0415  (needed by this verb alone)

    kept = ReplyCache(tell=lambda what: typer.echo(clean_line(what, 400), err=True))
    if clear:
        typer.echo(f"Replies removed: {kept.clear():,}")
        return
    figures = kept.figures()
    asked = figures.hits + figures.misses
    typer.echo(f"Replies kept: {figures.replies:,} ({figures.bytes / 1e6:,.1f} MB) in {kept.path}")
    if asked:
        typer.echo(f"Known when asked: {figures.hits:,} of {asked:,} ({figures.hit_rate:.0%})")


def _entry(name: str) -> CatalogEntry:
    entry = CATALOG.get(name.removeprefix("local:"))
    if entry is None:
        names = ", ".join((*CATALOG, MINILM.name))
        raise InputError(f"There is no model {name!r} in the catalogue", next_step=f"Use one of {names}")
    return entry


def _is_here(entry: CatalogEntry) -> bool:
    return minilm_file().is_file() if entry is MINILM else entry.name in installed_models()


def _catalogue_table() -> Table:
    table = Table("Model", "Size", "Licence", "On this machine", box=None, pad_edge=False, header_style="bold")
    for entry in (*CATALOG.values(), MINILM):
        state = "yes" if _is_here(entry) else f"no: agentinfra models pull {entry.name}"
        title = "minilm (search)" if entry is MINILM else f"local:{entry.name}"
        table.add_row(title, f"{entry.size / 1e6:,.0f} MB", entry.licence, state)
    return table


def _server_table(server: LocalServer) -> Table:
    title = f"{server.provider} at {server.url}"
    table = Table(title, box=None, pad_edge=False, header_style="bold")
    for name in server.names:
        table.add_row(clean_line(name))
    return table


async def _try_out(name: str, base_url: str | None) -> ExitCode:
    from agentinfra.core.config import load_settings  # noqa: PLC0415  (heavy, needed by this verb alone)
    from agentinfra.models.model_stack import manager_from  # noqa: PLC0415
    from agentinfra.models.trial import try_model  # noqa: PLC0415

    manager = manager_from(load_settings(options.HERE, own_planner=False).models, base_url=base_url)
    model = manager.get_model(f"local:{name}" if name in CATALOG else name)
    console, failed = Console(highlight=False), False
    console.print(model.name, markup=False)
    try:
        async for check in try_model(model):
            failed = failed or check.verdict == "fails"
            console.print(f"  {check.name:<18}", end="", markup=False)
            console.print(f"{check.verdict:<12}", style=_COLOURS[check.verdict], end="")
            console.print(clean_line(f"{check.seconds:5.1f} s  {check.detail}" if check.seconds else ""), markup=False)
    finally:
        await manager.aclose()
    return ExitCode.UNFINISHED if failed else ExitCode.DONE


async def fetch(entry: CatalogEntry) -> Path:
    """Fetch a model file with a progress bar on standard error.

    Raises:
        ModelUnavailable: No source gave it, or there is no room.
    """
    from agentinfra.models.download import ensure_model  # noqa: PLC0415  (heavy, needed by this verb alone)

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    # On standard error, so that the path alone stands on standard output.
    with Progress(*columns, console=Console(stderr=True)) as bar:
        line = bar.add_task(entry.name, total=entry.size, visible=False)

        def told(what: str, done: int, total: int) -> None:
            bar.update(line, description=what, completed=done, total=total, visible=True)

        return await ensure_model(entry, progress=told)


async def build_minilm(entry: CatalogEntry = MINILM) -> Path:
    """Fetch MiniLM's weights and build the embedder's file of them, unless it is there; the weights go again.

    Raises:
        ModelUnavailable: No source gave the weights, there is no room, or the libraries for building are missing.
    """
    from agentinfra.memory.embedders.minilm_export import export_minilm  # noqa: PLC0415  (heavy)

    target = minilm_file()
    if not target.is_file():
        weights = await fetch(entry)
        await asyncio.to_thread(export_minilm, weights, target)
        await asyncio.to_thread(weights.unlink, missing_ok=True)
    return target
