"""The verb ``acp``: serve an editor that talks to agents by the Agent Client Protocol."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import fields
from pathlib import Path
from typing import NoReturn

from agentinfra.cli import options as opt
from agentinfra.workflow.run_options import DEFAULT_MINUTES, RunOptions

_OF_A_PROMPT = frozenset({"idea", "workspace", "change"})


def acp(
    *,
    init: opt.Init = False,
    model: opt.Model = None,
    base_url: opt.BaseUrl = None,
    mode: opt.Mode = "review",
    budget_usd: opt.BudgetUsd = None,
    budget_requests: opt.BudgetRequests = None,
    budget_tokens: opt.BudgetTokens = None,
    budget_minutes: opt.BudgetMinutes = DEFAULT_MINUTES,
    max_attempts: opt.MaxAttempts = None,
    record: opt.Record = None,
    replay: opt.Replay = None,
    cache: opt.Cache = False,
    seed: opt.Seed = None,
) -> None:
    """Serve an editor by the Agent Client Protocol (Zed, JetBrains, Neovim, Emacs); the options hold for every run."""
    options = RunOptions(
        idea="what the person will say",
        workspace=Path(),
        init=init,
        model=model,
        base_url=base_url,
        mode=mode,
        budget_usd=budget_usd,
        budget_requests=budget_requests,
        budget_tokens=budget_tokens,
        budget_minutes=budget_minutes,
        max_attempts=max_attempts,
        record=record.resolve() if record else None,
        replay=replay.resolve() if replay else None,
        cache=cache,
        seed=seed,
    )
    become_server("acp", given(options))


def become_server(protocol: str, *arguments: str) -> NoReturn:
    """Run the server of a protocol in the place of this process, so that nobody comes between it and its client.

    Args:
        protocol: Its name as a verb.
        arguments: Of the server's program.
    """
    if os.isatty(0):
        print(f"agentinfra {protocol}: an editor is to start this; it speaks over standard input", file=sys.stderr)
    command = [sys.executable, "-P", "-X", "utf8", "-m", f"agentinfra_server.{protocol}", *arguments]
    os.execv(sys.executable, command)  # noqa: S606  (no shell is what is wanted)


def given(options: RunOptions) -> str:
    """The fields as JSON, without what each prompt brings."""
    found = {one.name: getattr(options, one.name) for one in fields(options) if one.name not in _OF_A_PROMPT}
    return json.dumps({name: str(value) if isinstance(value, Path) else value for name, value in found.items()})
