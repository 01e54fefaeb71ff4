"""The last words of a run on the terminal: what was built, what was not, and what to do next."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from agentinfra.cli.task_tree import ICONS
from agentinfra.core.tasks import TaskState
from agentinfra.security.clean import clean_line
from agentinfra.workflow.figures import cost, count, duration
from agentinfra.workflow.report import Proof, Report, info, short

MOST_FINDINGS = 5


def summary(report: Report, here: Path) -> RenderableType:
    """What a person sees when a run is over.

    Args:
        report: The run.
        here: The folder in which the person works; commands name the workspace where it is another one.
    """
    return Group(*_parts(report, here))


def _parts(report: Report, here: Path) -> Iterator[RenderableType]:
    good = report.complete
    yield Text()
    yield Text.assemble(("✓ ", "bold green") if good else ("✗ ", "bold red"), (report.outcome, "bold"))
    yield Padding(Text(_cost_line(report), "dim"), (0, 0, 0, 2))
    if report.proofs:
        yield Padding(_proof_table(report.proofs), (1, 0, 0, 2))
    if report.state.findings:
        yield Padding(_findings(report), (1, 0, 0, 2))
    yield Text()
    yield _next_steps(report, here)


def _cost_line(report: Report) -> str:
    totals = report.state.totals
    used = totals.input_tokens + totals.output_tokens
    return f"{duration(report.state.elapsed)} · {used:,} tokens · {cost(totals, report.model)}"


def _proof_table(proofs: tuple[Proof, ...]) -> Table:
    table = Table.grid(padding=(0, 1))
    for proof in proofs:
        icon, style = ICONS[TaskState.DONE if proof.proven else TaskState.BLOCKED]
        if proof.proven:
            commits = " ".join(short(commit) for commit in proof.commits)
            why = f"{count(len(proof.tests), 'test')}, {commits}"
        else:
            why = f"not proven: {clean_line(proof.gap)}"
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
    # Never wrapped here: a command must survive being copied.
    text = Text("  Next", no_wrap=True, overflow="ignore")
    for purpose, command in _commands(report, here):
        text.append(f"\n  {purpose:<12}", "dim").append(command, "cyan")
    return text


def _commands(report: Report, here: Path) -> Iterator[tuple[str, str]]:
    workspace = info(report.state, "workspace")
    elsewhere = bool(workspace) and Path(workspace) != here
    option = f" --workspace {shlex.quote(workspace)}" if elsewhere else ""
    if report.done:
        where = f" -C {shlex.quote(workspace)}" if elsewhere else ""
        yield "look at it", f"git{where} checkout {shlex.quote(clean_line(report.branch))}"
        yield "merge it", f"agentinfra accept{option}"
    yield "full report", f"agentinfra report{option} --html report.html"
