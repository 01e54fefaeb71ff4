"""``agentinfra models``: the model files that run on this machine."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.table import Table

from agentinfra.core.errors import InputError
from agentinfra.models.catalog import CATALOG, CatalogEntry, installed_models, models_folder

commands = typer.Typer(help="The model files that run on this machine.", no_args_is_help=True)

_Name = Annotated[str, typer.Argument(metavar="NAME", help="A name from `agentinfra models list`.")]


@commands.command("list")
def list_models() -> None:
    """List the models of the catalogue: size, licence, and whether the file is here."""
    Console(highlight=False).print(_catalogue_table())


@commands.command()
def pull(name: _Name) -> None:
    """Fetch a model file, check its hash, and print its path; goes on where an earlier download was cut."""
    entry = _entry(name)
    typer.echo(str(asyncio.run(fetch(entry))))


@commands.command()
def path(name: _Name) -> None:
    """Print the path of a model file that is here."""
    entry = _entry(name)
    if entry.name not in installed_models():
        raise InputError(f"{entry.name} is not on this machine", next_step=f"agentinfra models pull {entry.name}")
    typer.echo(str(models_folder() / entry.file))


def _entry(name: str) -> CatalogEntry:
    entry = CATALOG.get(name.removeprefix("local:"))
    if entry is None:
        raise InputError(f"There is no model {name!r} in the catalogue", next_step=f"Use one of {', '.join(CATALOG)}")
    return entry


def _catalogue_table() -> Table:
    here = installed_models()
    table = Table("Model", "Size", "Licence", "On this machine", box=None, pad_edge=False, header_style="bold")
    for entry in CATALOG.values():
        state = "yes" if entry.name in here else f"no: agentinfra models pull {entry.name}"
        table.add_row(f"local:{entry.name}", f"{entry.size / 1e6:,.0f} MB", entry.licence, state)
    return table


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
