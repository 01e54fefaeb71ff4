"""The verb ``spec check``: what is wrong with spec.md and tasks.md, without a model."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from agentinfra.cli import options as opt
from agentinfra.cli.exit_codes import ExitCode
from agentinfra.cli.session import opened
from agentinfra.cli.spec_findings import Checked, as_json, as_text
from agentinfra.core.errors import InputError
from agentinfra.spec.diagnostics import Diagnostic, Document, RunFacts, check_documents, with_fixes
from agentinfra.spec.spec_source import read_spec
from agentinfra.spec.tasks_source import read_tasks

_ROUNDS = 5  # a fix may bring another finding to light

Where = Annotated[
    Path | None,
    typer.Argument(metavar="[PATH]", help="A spec.md, or the folder that holds one; the workspace by default."),
]
Json = Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")]
Fix = Annotated[bool, typer.Option("--fix", help="Make the fixes that leave untouched what is asked for.")]


@dataclass(frozen=True, slots=True)
class _Texts:
    """The documents as they were read; ``tasks`` is None where there is no tasks.md beside the specification."""

    path: Path
    spec: str
    tasks: str | None

    @property
    def tasks_path(self) -> Path:
        return self.path.with_name("tasks.md")


def check(path: Where = None, *, json: Json = False, fix: Fix = False, workspace: opt.Workspace = opt.HERE) -> None:
    """Check a specification and its tasks, without a model.

    Exit codes: 0 nothing was found; 1 there are findings; 2 the documents cannot be read.
    """
    texts = _read(path or workspace)
    checked = _checked(texts)
    for _ in range(_ROUNDS if fix else 0):
        texts, before = _fixed(texts, checked.findings), texts
        if texts == before:
            break
        checked = _checked(texts)
    typer.echo(as_json(checked) if json else as_text(checked), nl=False)
    raise typer.Exit(ExitCode.UNFINISHED if checked.findings else ExitCode.DONE)


def _read(path: Path) -> _Texts:
    found = path / "spec.md" if path.is_dir() else path
    tasks = found.with_name("tasks.md")
    return _Texts(found, _text(found), _text(tasks) if tasks.exists() and tasks != found else None)


def _text(path: Path) -> str:
    """The text to the byte, line ends included."""
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError as error:
        raise InputError(
            f"There is no {path}", next_step="Name a spec.md, or a folder that holds one; `agentinfra plan` writes one"
        ) from error
    except UnicodeDecodeError as error:
        why = f"Byte {error.start + 1} is not UTF-8"
        raise InputError(f"{path} cannot be read", why=why, next_step="Save it as UTF-8") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read", why=error.strerror or str(error)) from error


def _checked(texts: _Texts) -> Checked:
    spec = read_spec(texts.spec)
    tasks = None if texts.tasks is None else read_tasks(texts.tasks)
    facts = asyncio.run(_facts(texts))
    lines = {"spec": spec.body} | ({"tasks": tasks.body} if tasks else {})
    paths = {"spec": str(texts.path), "tasks": str(texts.tasks_path)}
    findings = check_documents(spec, tasks, facts)
    return Checked(findings, lines, {name: paths[name] for name in lines}, facts.run if facts else "")


async def _facts(texts: _Texts) -> RunFacts | None:
    """What is on record; a folder in which nothing was ever run is left without one."""
    from agentinfra.core.config import workspace_folder  # noqa: PLC0415  (loads pydantic; --help must not wait for it)

    folder = texts.path.resolve().parent
    if not (workspace_folder(folder) / "events.db").exists():
        return None
    async with opened(folder) as app:
        return await app.spec_facts(texts.spec)


def _fixed(texts: _Texts, findings: Sequence[Diagnostic]) -> _Texts:
    """The documents with the safe fixes made, on the disk as well."""
    fixes = [one.fix for one in findings if one.fix and one.fix.safe]

    def written(path: Path, text: str, document: Document) -> str:
        new = with_fixes(text, document, fixes)
        if new != text:
            try:
                path.write_bytes(new.encode())
            except OSError as error:
                raise InputError(f"{path} cannot be written", why=error.strerror or str(error)) from error
        return new

    tasks = None if texts.tasks is None else written(texts.tasks_path, texts.tasks, "tasks")
    return _Texts(texts.path, written(texts.path, texts.spec, "spec"), tasks)
