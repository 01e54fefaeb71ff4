"""The verb ``mcp``: serve an assistant that uses tools by the Model Context Protocol."""

from __future__ import annotations

from agentinfra.cli import options as opt
from agentinfra.cli.acp import become_server, given
from agentinfra.workflow.run_options import DEFAULT_MINUTES, RunOptions


def mcp(
    *,
    workspace: opt.Workspace = opt.HERE,
    init: opt.Init = False,
    model: opt.Model = None,
    base_url: opt.BaseUrl = None,
    mode: opt.Mode = "review",
    budget_usd: opt.BudgetUsd = None,
    budget_minutes: opt.BudgetMinutes = DEFAULT_MINUTES,
    replay: opt.Replay = None,
) -> None:
    """Serve an assistant by the Model Context Protocol: tools that plan and follow runs; the options hold for each."""
    options = RunOptions(
        idea="what the person will say",
        workspace=workspace,
        init=init,
        model=model,
        base_url=base_url,
        mode=mode,
        budget_usd=budget_usd,
        budget_minutes=budget_minutes,
        replay=replay.resolve() if replay else None,
    )
    become_server("mcp", str(workspace.resolve()), given(options))
