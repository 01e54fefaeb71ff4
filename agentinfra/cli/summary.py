"""The last words of a run on the terminal: what was built, what was not, and what to do next."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from agentinfra.cli.task_tree import ICONS
from agentinfra.core.tasks import TaskState
from agentinfra.security.clean import clean_line
from agentinfra.workflow.figures import caching, cost, count, duration
from agentinfra.workflow.report import Proof, Report, info, proof_word, short
from agentinfra.workflow.run_state import RunState

MOST_FINDINGS = 5


def print_summary(console: Console, report: Report, here: Path) -> None:
    """Print what a person sees when a run is over.

    Args:
        console: Where to.
        report: The run.
        here: The folder in which the person works; commands name the workspace where it is another one.
    """
    console.print(Group(*_parts(report)))
    # Not wrapped here: a command must survive being copied.
    console.print(_next_steps(report, here), soft_wrap=True)


def _parts(report: Report) -> Iterator[RenderableType]:
    yield Text()
    yield Text.assemble(("✓ ", "bold green") if report.complete else ("✗ ", "bold red"), (report.outcome, "bold"))
    yield Padding(Text(_cost_line(report), "dim"), (0, 0, 0, 2))
    if report.proofs:
        yield Padding(_proof_table(report.proofs), (1, 0, 0, 2))
    if report.state.findings:
        yield Padding(_findings(report), (1, 0, 0, 2))


def _cost_line(report: Report) -> str:
    totals = report.state.totals
    used = totals.input_tokens + totals.output_tokens
    facts = [duration(report.state.elapsed), f"{used:,} tokens", cost(totals, report.model), caching(totals)]
    return " · ".join(fact for fact in facts if fact)


def _proof_table(proofs: tuple[Proof, ...]) -> Table:
    table = Table.grid(padding=(0, 1))
    for proof in proofs:
        icon, style = ICONS[TaskState.DONE if proof.proven else TaskState.BLOCKED]
        if proof.proven and not proof.kept:
            commits = " ".join(short(commit) for commit in proof.commits)
            why = f"{count(len(proof.tests), 'test')}, {commits}"
        else:
            why = proof_word(proof)
        what = Text.assemble(clean_line(proof.title), (f"  {why}", "dim"))
        table.add_row(Text(icon, style), Text(proof.id, "bold"), what)
    return table


def _findings(report: Report) -> Text:
    found = report.state.findings
    lines = [
        f"{one.severity} {clean_line(one.path)}:{one.line} {clean_line(one.message)}" for one in found[:MOST_FINDINGS]
    ]
    if len(found) > MOST_FINDINGS:
        lines.append(f"{len(found) - MOST_FINDINGS} more in the report")
    return Text("\n".join(["Review", *lines]), overflow="fold")


def _next_steps(report: Report, here: Path) -> Text:
    text = Text("\n  Next")
    for purpose, command in _commands(report, here):
        text.append(f"\n  {purpose:<12}", "dim").append(command, "cyan")
    return text


def _commands(report: Report, here: Path) -> Iterator[tuple[str, str]]:
    option = workspace_option(report.state, here, "--workspace")
    if report.done:
        where = workspace_option(report.state, here, "-C")
        yield "look at it", f"git{where} checkout {shlex.quote(clean_line(report.branch))}"
        yield "merge it", f"agentinfra accept{option}"
    yield "full report", f"agentinfra report{option} --html report.html"


def workspace_option(state: RunState, here: Path, name: str) -> str:
    """What a command needs to find the run's workspace from a folder: " --workspace PATH", or "" if it is there."""
    workspace = info(state, "workspace")
    place = Path(workspace)
    below = len(here.parts) > 1 and place.is_relative_to(here)
    shown = str(place.relative_to(here)) if below else workspace
    return f" {name} {shlex.quote(shown)}" if workspace and place != here else ""
