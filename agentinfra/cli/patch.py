"""``agentinfra patch``: apply a patch as a model, git or diff wrote it; all its files, or none."""

from __future__ import annotations

import asyncio
import json as json_format
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from agentinfra.cli import options
from agentinfra.core.errors import InputError, NotAPatch, PatchError
from agentinfra.patching.apply_patch import PatchResult, apply_patch
from agentinfra.patching.draft import FileResult
from agentinfra.patching.patch import Format
from agentinfra.patching.read_patch import read_patch
from agentinfra.security.clean import clean_line, clean_text

APPLIED, REFUSED, NOT_A_PATCH = 0, 1, 2
_LONGEST = 20_000  # characters of a message
_LARGEST = 64 << 20  # bytes of a patch

commands = typer.Typer(help="Apply patches: all files of one, or none.", no_args_is_help=True)


@commands.callback()
def _patch() -> None:  # pyright: ignore[reportUnusedFunction]  (typer holds it; without it `apply` would be the verb)
    pass


@commands.command()
def apply(
    file: Annotated[str, typer.Argument(metavar="[FILE|-]", help="The patch; - is standard input.")] = "-",
    *,
    root: Annotated[Path, typer.Option("--root", help="The tree.", show_default="this folder")] = options.HERE,
    format: Annotated[Format, typer.Option("--format", help="The only format to look for.")] = Format.AUTO,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Do everything but write.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Apply a patch in any format: whole files, search/replace blocks, V4A, unified diff; prose around it is no matter.

    Exit codes: 0 applied; 1 refused, and the tree is as it was; 2 not a patch.
    """
    text = _read(file)
    try:
        result = asyncio.run(apply_patch(root, read_patch(text, format), dry_run=dry_run))
    except PatchError as error:
        _tell_error(error, json)
        raise typer.Exit(NOT_A_PATCH if isinstance(error, NotAPatch) else REFUSED) from error
    typer.echo(json_format.dumps(_data(result), indent=2) if json else clean_text("\n".join(_lines(result)), _LONGEST))


def _read(file: str) -> str:
    try:
        content = sys.stdin.buffer.read(_LARGEST + 1) if file == "-" else Path(file).read_bytes()
        if len(content) > _LARGEST:
            raise InputError("The patch is too large", why=f"it has more than {_LARGEST} bytes", next_step="Split it")
        return content.decode("utf-8")
    except OSError as error:
        raise InputError(f"{file} cannot be read", why=error.strerror or str(error)) from error
    except UnicodeDecodeError as error:
        raise InputError(f"{file} is no UTF-8 text", why=str(error)) from error


def _lines(result: PatchResult) -> list[str]:
    lines = [_line(file) for file in result.files] + [f"note: {note}" for note in result.notes]
    return [*lines, "nothing was written: this was a dry run"] if result.dry_run else lines


def _line(file: FileResult) -> str:
    source = f" from {file.moved_from}" if file.moved_from else ""
    hunks = ", ".join(f"line {hunk.line} ({hunk.step})" for hunk in file.hunks)
    return clean_line(f"{file.change} {file.path}{source}{': ' if hunks else ''}{hunks}", 1_000)


def _data(result: PatchResult) -> dict[str, Any]:
    return {"applied": not result.dry_run, **asdict(result)}


def _tell_error(error: PatchError, json: bool) -> None:
    if json:
        data = {"applied": False, "what": error.what, "why": error.why, "next_step": error.next_step}
        typer.echo(json_format.dumps({**data, "is_patch": not isinstance(error, NotAPatch)}, indent=2))
        return
    told = [f"✗ {error.what}", f"  why:  {error.why}" * bool(error.why), f"  next: {error.next_step}"]
    typer.echo(clean_text("\n".join(line for line in told if line), _LONGEST), err=True)
