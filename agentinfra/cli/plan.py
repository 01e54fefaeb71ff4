"""The verbs that make a run go: ``plan``, ``resume``, ``replay``."""

from __future__ import annotations

import codecs
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from agentinfra.cli.options import HERE, Json, RunArgument, Workspace, Yes
from agentinfra.cli.session import resume_run, start_run
from agentinfra.core.errors import InputError
from agentinfra.workflow.run_options import DEFAULT_MINUTES, IDEA_BYTES, RunOptions

# A little more than fits tells a too long idea from a fitting one without reading a whole disk; the rest is for a byte
# order mark and a character that is cut.
_MOST_BYTES = IDEA_BYTES + 8


def plan(
    idea: Annotated[str | None, typer.Argument(help="What to build, in your words.")] = None,
    *,
    idea_file: Annotated[
        Path | None, typer.Option("--idea-file", "-f", help="Read the idea from a file; - is standard input.")
    ] = None,
    workspace: Workspace = HERE,
    init: Annotated[bool, typer.Option("--init", help="Make the folder a git repository where it is none.")] = False,
    model: Annotated[
        str | None, typer.Option("--model", "-m", help="provider:name, such as local:qwen2.5-coder-1.5b.")
    ] = None,
    base_url: Annotated[str | None, typer.Option("--base-url", help="An OpenAI-compatible endpoint.")] = None,
    mode: Annotated[
        str, typer.Option("--mode", help="plan, review, auto-edit or unattended: how far it may go without asking.")
    ] = "review",
    yes: Yes = False,
    budget_usd: Annotated[float | None, typer.Option("--budget-usd", help="Most money to spend, in dollars.")] = None,
    budget_minutes: Annotated[float, typer.Option("--budget-minutes", help="Longest time.")] = DEFAULT_MINUTES,
    max_attempts: Annotated[int | None, typer.Option("--max-attempts", help="Tries per task.")] = None,
    planner: Annotated[str | None, typer.Option("--planner", help="Your own planner, as module:Class.")] = None,
    record: Annotated[Path | None, typer.Option("--record", help="Write the model traffic to this file.")] = None,
    replay: Annotated[Path | None, typer.Option("--replay", help="Answer model calls from this record.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Sampling seed.")] = None,
    unsandboxed: Annotated[
        bool, typer.Option("--unsandboxed", help="Run generated code without a sandbox. Dangerous.")
    ] = False,
    json: Json = False,
) -> None:
    """Build an idea: questions, spec.md, tests first, code, one commit a task on a branch of its own."""
    options = RunOptions(
        idea=read_idea(idea, idea_file),
        workspace=workspace.resolve(),
        model=model,
        mode=mode,
        yes=yes,
        init=init,
        budget_minutes=budget_minutes,
        budget_usd=budget_usd,
        base_url=base_url,
        record=record,
        replay=replay,
        planner=planner,
        unsandboxed=unsandboxed,
        seed=seed,
        max_attempts=max_attempts,
    )
    raise typer.Exit(start_run(options, json=json))


def resume(run: RunArgument = None, workspace: Workspace = HERE, yes: Yes = False, json: Json = False) -> None:
    """Go on with a run that was stopped or killed; nothing that is done is done again."""
    raise typer.Exit(resume_run(run, workspace.resolve(), yes=yes, json=json))


def replay(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A record made by plan --record.")],
    idea: Annotated[str | None, typer.Option("--idea", help="The idea of the recorded run.")] = None,
    workspace: Annotated[
        Path | None, typer.Option("--workspace", "-w", help="Where to build it.", show_default="a new folder")
    ] = None,
    json: Json = False,
) -> None:
    """Show a recorded run again, without a model: the same replies lead to the same commits."""
    if not file.is_file():
        raise InputError(f"There is no record {file}", next_step="Make one with agentinfra plan --record FILE")
    place = workspace or Path(tempfile.mkdtemp(prefix="agentinfra-replay-"))
    options = RunOptions(idea=idea or "", workspace=place.resolve(), replay=file, yes=True, init=True)
    raise typer.Exit(start_run(options, json=json))


def read_idea(idea: str | None, file: Path | None) -> str:
    """The idea from the one place where it was given.

    Args:
        idea: The argument.
        file: A file to read it from instead; ``-`` is standard input.

    Raises:
        InputError: It was given twice or not at all, or the file is not text that can be read.
    """
    if (idea is None) == (file is None):
        raise InputError(
            "No idea was given" if idea is None else "The idea was given twice",
            next_step='Pass one: agentinfra plan "…" or agentinfra plan --idea-file FILE',
        )
    if file is None:
        return idea or ""
    try:
        return _decode(_read(file))
    except OSError as error:
        raise InputError(f"The idea file {file} cannot be read", why=error.strerror or str(error)) from error
    except UnicodeDecodeError as error:
        raise InputError(f"The idea file {file} is not text", why=str(error), next_step="Save it as UTF-8") from error


def _decode(data: bytes) -> str:
    # A too long idea may be cut within a character; that must not be what it is refused for.
    return codecs.getincrementaldecoder("utf-8-sig")().decode(data, final=len(data) < _MOST_BYTES)


def _read(file: Path) -> bytes:
    if str(file) == "-":
        return sys.stdin.buffer.read(_MOST_BYTES)
    with file.open("rb") as stream:
        return stream.read(_MOST_BYTES)
