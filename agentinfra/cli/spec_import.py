"""The verb ``spec import``: a specification of another tool becomes spec.md and tasks.md."""

from __future__ import annotations

import json as json_format
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from agentinfra.core.errors import InputError
from agentinfra.security.clean import clean_line
from agentinfra.spec.imports.format import Imported
from agentinfra.spec.imports.formats import import_spec as read

TASKS = "tasks.md"

Source = Annotated[
    Path, typer.Argument(metavar="PATH", help="A feature folder of spec-kit, a tasks.json, or the like.")
]
Format = Annotated[str | None, typer.Option("--format", help="spec-kit, task-master, or an installed package's.")]
Output = Annotated[Path, typer.Option("--output", "-o", help="Write here; the tasks go to tasks.md beside it.")]
Force = Annotated[bool, typer.Option("--force", help="Write over files that are there.")]
Json = Annotated[bool, typer.Option("--json", help="Print what was written and left out as JSON.")]


def import_spec(
    source: Source,
    *,
    name: Format = None,
    output: Output = Path("spec.md"),
    force: Force = False,
    json: Json = False,
) -> None:
    """Import a specification of another tool as a draft; what has no place in it is listed.

    Exit codes: 0 imported; 2 it cannot be read, or there is a spec.md already.
    """
    if output.name == TASKS:
        raise InputError(f"{TASKS} is where the tasks go", next_step="Name another file for the specification")
    name, imported = read(source, name)
    texts = {output: imported.spec_text, output.parent / TASKS: imported.tasks_text}
    texts = {path: text for path, text in texts.items() if text}
    there = [str(path) for path in texts if path.exists() or path.is_symlink()]
    if there and not force:
        raise InputError(f"{' and '.join(there)} would be overwritten", next_step="Say --output, or --force to replace")
    for path, text in texts.items():
        _write(path, text)
    if json:
        typer.echo(json_format.dumps(_data(name, imported, [str(path) for path in texts]), indent=2))
    else:
        typer.echo(_told(name, imported, [str(path) for path in texts]))


def _write(path: Path, text: str) -> None:
    """Put a file there, whole or not at all."""
    try:
        with TemporaryDirectory(prefix=".agentinfra-", dir=path.parent) as folder:
            new = Path(folder) / path.name
            new.write_text(text, encoding="utf-8", newline="\n")
            new.replace(path)
    except OSError as error:
        why = error.strerror or str(error)
        raise InputError(f"{path} cannot be written", why=why, next_step="Name another file") from error


def _data(name: str, imported: Imported, files: list[str]) -> dict[str, object]:
    left_out = [
        {"place": one.place, "path": one.path, "line": one.line, "what": one.what, "why": one.why}
        for one in imported.left_out
    ]
    return {"format": name, "files": files, **_counts(imported), "left_out": left_out}


def _counts(imported: Imported) -> dict[str, int]:
    spec = imported.spec
    return {"requirements": len(spec.requirements), "tasks": len(imported.tasks), "questions": len(spec.questions)}


def _told(name: str, imported: Imported, files: list[str]) -> str:
    counts = ", ".join(f"{what} {number}" for what, number in _counts(imported).items())
    lines = [f"Imported from {name} as a draft: {counts}; written to {' and '.join(files)}"]
    lines += [f"Left out ({len(imported.left_out)}):"] if imported.left_out else ["Nothing was left out"]
    lines += [
        f"  {clean_line(f'{one.place}  {clean_line(one.what, 80)}: {one.why}', 300)}" for one in imported.left_out
    ]
    return "\n".join(lines)
