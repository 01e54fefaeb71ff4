"""What agents of packages and of the workspace offer as code actions: asked once a folder, in their own process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from agentinfra.agents.code_actions import OfferedAction, acting_plugins
from agentinfra.core.config import load_settings
from agentinfra.core.errors import AgentInfraError, ConfigError
from agentinfra_server.session.code_agents import CodeAgents

Offers = Sequence[tuple[str, tuple[OfferedAction, ...]]]


class CodeOffers:
    """Knows what was offered; whoever asks first starts the question and gets nothing yet.

    Args:
        agents: Who is asked.
        tell: Told what cannot be used.
    """

    def __init__(self, agents: CodeAgents, tell: Callable[[str], None]) -> None:
        self._agents = agents
        self._tell = tell
        self._found: dict[Path, Offers] = {}
        self._asking: set[asyncio.Task[None]] = set()

    def of(self, folder: Path, *, trusted: bool) -> Offers:
        """The agents' names and actions; nothing of what is not trusted is imported."""
        if trusted and folder not in self._found:
            self._found[folder] = ()
            task = asyncio.create_task(self._ask(folder))
            self._asking.add(task)
            task.add_done_callback(self._asking.discard)
        return self._found.get(folder, ()) if trusted else ()

    async def aclose(self) -> None:
        """Stop asking."""
        for task in tuple(self._asking):
            task.cancel()
        await asyncio.gather(*self._asking, return_exceptions=True)

    async def _ask(self, folder: Path) -> None:
        if not await asyncio.to_thread(_may_have, folder):
            return  # no process for nothing
        try:
            told = await self._agents.offers(folder)
        except AgentInfraError as error:
            self._tell(f"What other agents offer is not known: {error}")
            return
        for problem in told["problems"]:
            self._tell(problem)
        self._found[folder] = [(agent, tuple(map(_offered, some))) for agent, some in told["offers"].items()]


def _offered(told: Mapping[str, Any]) -> OfferedAction:
    made = OfferedAction(**told)
    return replace(made, files=tuple(made.files))


def _may_have(folder: Path) -> bool:
    try:
        return bool(acting_plugins()) or load_settings(folder).planner is not None
    except ConfigError:
        return False  # a planner that the person's settings do not trust, or settings that a run will tell of
