"""The verbs that make a run go: ``plan``, ``resume``, ``replay``."""

from __future__ import annotations

import codecs
import json as json_format
import sys
import tempfile
from pathlib import Path
from typing import Any, cast

import typer

from agentinfra.cli import options as opt
from agentinfra.cli.session import resume_run, start_run
from agentinfra.core.errors import InputError
from agentinfra.workflow.run_options import DEFAULT_MINUTES, IDEA_BYTES, RunOptions

# A little more than fits tells a too long idea from a fitting one without reading a whole disk; the rest is for a byte
# order mark and a character that is cut.
_MOST_BYTES = IDEA_BYTES + 8
CHANGE = "The edited spec.md"


def plan(
    idea: opt.Idea = None,
    *,
    idea_file: opt.IdeaFile = None,
    change: opt.Change = False,
    workspace: opt.Workspace = opt.HERE,
    init: opt.Init = False,
    model: opt.Model = None,
    base_url: opt.BaseUrl = None,
    mode: opt.Mode = "review",
    yes: opt.Yes = False,
    budget_usd: opt.BudgetUsd = None,
    budget_requests: opt.BudgetRequests = None,
    budget_tokens: opt.BudgetTokens = None,
    budget_minutes: opt.BudgetMinutes = DEFAULT_MINUTES,
    max_attempts: opt.MaxAttempts = None,
    planner: opt.Planner = None,
    record: opt.Record = None,
    replay: opt.Replay = None,
    cache: opt.Cache = False,
    seed: opt.Seed = None,
    unsandboxed: opt.Unsandboxed = False,
    json: opt.Json = False,
) -> None:
    """Build an idea: questions, spec.md, tests first, code, one commit a task on a branch of its own."""
    options = RunOptions(
        idea=CHANGE if change and idea is idea_file is None else read_idea(idea, idea_file),
        workspace=workspace.resolve(),
        model=model,
        mode=mode,
        yes=yes,
        init=init,
        budget_minutes=budget_minutes,
        budget_usd=budget_usd,
        budget_requests=budget_requests,
        budget_tokens=budget_tokens,
        base_url=base_url,
        record=record.resolve() if record else None,
        replay=replay.resolve() if replay else None,
        planner=planner,
        unsandboxed=unsandboxed,
        seed=seed,
        max_attempts=max_attempts,
        cache=cache,
    )
    _refuse_beside_change(change, idea, idea_file, planner)
    raise typer.Exit(start_run(options, json=json, change=change))


def resume(
    run: opt.RunArgument = None,
    *,
    workspace: opt.Workspace = opt.HERE,
    yes: opt.Yes = False,
    cache: opt.Cache = False,
    json: opt.Json = False,
) -> None:
    """Go on with a run that was stopped or killed; nothing that is done is done again."""
    raise typer.Exit(resume_run(run, workspace.resolve(), yes=yes, cache=cache, json=json))


def replay(
    file: opt.RecordFile,
    idea: opt.RecordIdea = None,
    *,
    idea_file: opt.IdeaFile = None,
    workspace: opt.NewWorkspace = None,
    json: opt.Json = False,
) -> None:
    """Show a recorded run again, without a model: the same replies lead to the same commits."""
    text = recorded_idea(file) if idea is None and idea_file is None else read_idea(idea, idea_file)
    place = workspace or Path(tempfile.mkdtemp(prefix="agentinfra-replay-"))
    options = RunOptions(idea=text, workspace=place.resolve(), replay=file.resolve(), yes=True, init=True)
    raise typer.Exit(start_run(options, json=json))


def recorded_idea(file: Path) -> str:
    """The idea that a record was made from.

    Raises:
        InputError: The file is no record, or does not hold it.
    """
    try:
        with file.open(encoding="utf-8") as lines:
            header = cast("object", json_format.loads(lines.readline()))
    except OSError as error:
        why = error.strerror or str(error)
        raise InputError(
            f"The record {file} cannot be read", why=why, next_step="Make one with agentinfra plan --record FILE"
        ) from error
    except ValueError as error:
        raise InputError(f"{file} is no record", next_step="Make one with agentinfra plan --record FILE") from error
    idea = cast("dict[str, Any]", header).get("idea") if isinstance(header, dict) else None
    if not isinstance(idea, str):
        raise InputError(f"{file} does not hold the idea", next_step="Pass it: agentinfra replay FILE --idea-file IDEA")
    return idea


def _refuse_beside_change(change: bool, *others: object) -> None:
    if change and any(other is not None for other in others):
        raise InputError(
            "--change takes no idea and no --planner",
            why="What is to be built is what spec.md says now",
            next_step="Edit spec.md and give `agentinfra plan --change` alone",
        )


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
