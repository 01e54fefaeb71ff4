"""Arguments and options that several verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Workspace = Annotated[
    Path, typer.Option("--workspace", "-w", help="Folder of the git repository.", show_default="this folder")
]
RunArgument = Annotated[str | None, typer.Argument(metavar="[RUN]", help="Id of a run; the newest one by default.")]
RunOption = Annotated[str | None, typer.Option("--run", help="Id of a run; the newest one by default.")]
Tasks = Annotated[list[str] | None, typer.Argument(metavar="[TASK]...", help="Task ids such as T-2; all by default.")]
Yes = Annotated[
    bool, typer.Option("--yes", "-y", help="Take recommended answers and approve the spec; never grants permissions.")
]
Json = Annotated[bool, typer.Option("--json", help="Print events as JSON, one a line, and nothing else.")]

HERE = Path()
