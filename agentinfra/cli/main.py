"""The ``agentinfra`` command: its verbs, and the one place where errors become messages and exit codes.

Nothing heavy is imported here, so that ``--help`` and ``--version`` answer at once.
"""

from __future__ import annotations

import io
import os
import sys
import tempfile
import traceback
from typing import Annotated, TextIO

import typer
from rich.console import Console

from agentinfra import __version__
from agentinfra.cli import acp, context, index, mcp, memory, models, patch, plan, proof, runs, spec
from agentinfra.cli.exit_codes import error_code
from agentinfra.core.errors import AgentInfraError
from agentinfra.security.clean import clean_text

_EPILOG = (
    "Exit codes: 0 done; 1 finished, but tasks are blocked or the review found errors; 2 bad input or refused; "
    "3 the environment does not allow it (sandbox, model); 130 stopped."
)

commands = typer.Typer(
    name="agentinfra",
    help="Turn an idea into working, tested code in a git repository.",
    epilog=_EPILOG,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"agentinfra {__version__}")
        raise typer.Exit


@commands.callback()
def _root(  # pyright: ignore[reportUnusedFunction]  (typer holds it)
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and leave.")
    ] = False,
) -> None:
    pass


for _verb in (plan.plan, plan.resume, plan.replay, runs.status, runs.report):
    commands.command()(_verb)
for _verb in (proof.proof, runs.retry, runs.send, runs.accept, runs.reject, runs.undo, runs.redo, runs.stop):
    commands.command()(_verb)
for _verb in (index.index, index.search, context.context, acp.acp, mcp.mcp):
    commands.command()(_verb)
commands.add_typer(models.commands, name="models")
commands.add_typer(patch.commands, name="patch")
commands.add_typer(memory.commands, name="memory")
commands.add_typer(spec.commands, name="spec")


def main() -> int:
    """Run the command line; the error boundary of the whole command.

    Returns:
        The exit code of an error. Everything else ends with SystemExit.
    """
    _replace_unprintable()
    try:
        commands()
    except Exception as error:
        return report_error(error)
    return 0


def _replace_unprintable() -> None:
    """Let a terminal that knows few characters show the rest as ?, instead of failing on them."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def report_error(error: Exception, stream: TextIO | None = None) -> int:
    """Tell a person what happened, why, and what to do next; never a traceback.

    Args:
        error: What ended the command.
        stream: Where to write instead of standard error.

    Returns:
        The exit code.
    """
    console = Console(file=stream, stderr=True, highlight=False, soft_wrap=True, markup=False)
    for label, text in _explain(error):
        console.print(label, style="bold red" if label == "✗" else "dim", end=" ")
        console.print(clean_text(text, 4_000))
    return error_code(error)


def _explain(error: Exception) -> list[tuple[str, str]]:
    if isinstance(error, AgentInfraError):
        lines = [("✗", error.what), ("  why: ", error.why), ("  next:", error.next_step)]
        return [(label, text) for label, text in lines if text]
    return [
        ("✗", f"Something unexpected happened: {error or type(error).__name__}"),
        ("  why: ", f"{type(error).__name__}; the traceback is in {_write_traceback(error)}"),
        ("  next:", "Run the command again; if it happens again, report it with that file"),
    ]


def _write_traceback(error: Exception) -> str:
    handle, path = tempfile.mkstemp(prefix="agentinfra-error-", suffix=".txt")
    with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.writelines(traceback.format_exception(error))
    return path
