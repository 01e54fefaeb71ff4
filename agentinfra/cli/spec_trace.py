"""The verb ``spec trace``: from a requirement to its tasks, tests, commits and lines, and back."""

from __future__ import annotations

import asyncio
import json as json_format
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from agentinfra.cli import options as opt
from agentinfra.cli.session import opened
from agentinfra.core.errors import InputError
from agentinfra.spec.trace import Trace
from agentinfra.workflow.trace_export import FORMATS, exported

Name = Annotated[
    str | None, typer.Argument(metavar="[ID]", help="FR-1, T-1, a test, a commit, a file or file:line; all by default.")
]
Format = Annotated[str, typer.Option("--format", help=f"One of {', '.join(FORMATS)}.")]
Output = Annotated[Path | None, typer.Option("--output", "-o", help="Write to this file.")]
Ref = Annotated[str, typer.Option("--ref", help="The commit to trace, such as the branch of a run.")]
Json = Annotated[bool, typer.Option("--json", help="Print the links as JSON.")]


def trace(
    name: Name = None,
    *,
    form: Format = "text",
    output: Output = None,
    ref: Ref = "HEAD",
    json: Json = False,
    workspace: opt.Workspace = opt.HERE,
) -> None:
    """Trace requirements to tasks, tests, commits and lines, and any of these back to its requirement.

    Exit codes: 0 traced; 2 there is nothing of that name.
    """
    if form not in FORMATS:
        raise InputError(f"There is no format {form!r}", next_step=f"Use one of {', '.join(FORMATS)}")
    found = asyncio.run(_trace(workspace.resolve(), ref))
    links = found.links if name is None else found.of(name)
    if json:
        proven, every = found.coverage
        data = {"coverage": {"proven": proven, "requirements": every}, "links": [asdict(link) for link in links]}
        text = json_format.dumps(data, indent=2) + "\n"
    else:
        text = exported(links, found.coverage, form)
    _write(text, output)


def _write(text: str, output: Path | None) -> None:
    if output is None:
        typer.echo(text, nl=False)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        why = error.strerror or str(error)
        raise InputError(f"{output} cannot be written", why=why, next_step="Name another file") from error


async def _trace(workspace: Path, ref: str) -> Trace:
    async with opened(workspace) as app:
        return await app.trace(ref)
