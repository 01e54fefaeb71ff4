"""The verb ``context``: what somebody should read before a task or question, under a token budget."""

from __future__ import annotations

import json as json_format
import re
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agentinfra.cli import options
from agentinfra.cli.exit_codes import ExitCode
from agentinfra.cli.index import Json, brought_up_to_date, tell_trouble, with_memory
from agentinfra.cli.session import opened
from agentinfra.core.errors import InputError
from agentinfra.security.clean import clean_text

if TYPE_CHECKING:
    from agentinfra.memory.context import Context, ContextRequest
    from agentinfra.memory.context_pieces import Piece
    from agentinfra.memory.records import MemoryRecord
    from agentinfra.memory.workspace_memory import WorkspaceMemory

LESSONS = 6
"""How many of what was learnt may be shown."""
_TASK = re.compile(r"T-\d+")

Asked = Annotated[str, typer.Argument(metavar="TASK|QUERY", help="A task such as T-2, or a question in your words.")]
Tokens = Annotated[int, typer.Option("--tokens", min=1, help="The most that the text may take, estimated.")]


def context(
    asked: Asked,
    *,
    tokens: Tokens = 4_000,
    run: options.RunOption = None,
    json: Json = False,
    workspace: options.Workspace = options.HERE,
) -> None:
    """Print what a model or person should read before a task or question: pieces, each with its source and reason.

    For a task: its part of the specification, the files that it claims, definitions that they use, similar code, and
    what was learnt. For a question: code that fits, definitions that it uses, and what was learnt. The index is brought
    up to date first. Exit codes: 0 something was found; 1 nothing was, or nothing fits into the tokens.
    """
    folder = workspace.resolve()

    async def build(memory: WorkspaceMemory) -> Context:
        request = await _request(asked, run, folder)
        await brought_up_to_date(memory)
        context = await memory.context(request, tokens)
        tell_trouble(memory.trouble)
        return context

    built = with_memory(workspace, build)
    if json:
        pieces = [_facts(piece) for piece in built.pieces]
        typer.echo(json_format.dumps({"asked": asked, "tokens": built.tokens, "pieces": pieces}, indent=2))
    elif built.pieces:
        typer.echo(clean_text(built.text, len(built.text)), nl=False)
    if not built.pieces:
        typer.echo(f"Nothing fits into {tokens} tokens.", err=True)
        raise typer.Exit(ExitCode.UNFINISHED)


async def _request(asked: str, run: str | None, workspace: Path) -> ContextRequest:
    from agentinfra.memory.context import ContextRequest  # noqa: PLC0415  (brings numpy)

    if _TASK.fullmatch(asked):
        return await _task_request(asked, run, workspace)
    if run is not None:
        raise InputError("--run goes with a task", next_step="Name one such as T-2, or leave --run out")
    return ContextRequest(asked, lessons=await _lessons(asked, workspace))


async def _task_request(name: str, run: str | None, workspace: Path) -> ContextRequest:
    from agentinfra.memory.task_context import request_for  # noqa: PLC0415  (brings numpy)
    from agentinfra.workflow.run_files import RunFiles  # noqa: PLC0415  (not for questions)
    from agentinfra.workflow.task_data import task_of  # noqa: PLC0415

    async with opened(workspace) as app:
        state = app.state(run)
        draft = RunFiles(app.folder / "runs" / state.run).spec_path
    view = state.task(name)
    if view is None:
        known = ", ".join(one.id for one in state.tasks)
        raise InputError(
            f"{name} is no task of run {state.run}",
            why=f"Its tasks are {known}" if known else "It has no tasks yet",
            next_step="Name one of them, another --run, or ask in words",
        )
    lessons = await _lessons(" ".join((view.title, *view.files)), workspace)
    return request_for(task_of(view), _text(draft) or _text(workspace / "spec.md"), lessons)


async def _lessons(query: str, workspace: Path) -> tuple[MemoryRecord, ...]:
    from agentinfra.memory.long_term_memory import project_memory  # noqa: PLC0415  (brings numpy and SQLite)

    memory = project_memory(workspace)
    try:
        return tuple([one.record for one in await memory.recall(query, LESSONS)])
    finally:
        await memory.aclose()


def _text(path: Path) -> str:
    """A specification; "" where there is none."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        step = "Mend the file, or ask in words"
        raise InputError(f"{path} cannot be read", why=str(error), next_step=step) from error


def _facts(piece: Piece) -> dict[str, Any]:
    return {"source": piece.source, **asdict(piece), "tokens": piece.tokens}
