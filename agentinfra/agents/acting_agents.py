"""Agents with code actions of their own: of installed packages, and a trusted workspace's own planner.

A package brings one as an entry point of the group ``agentinfra.code_actions``: something that is called without
arguments and gives an :class:`~agentinfra.agents.code_actions.ActingAgent`. All of it is foreign code: it is imported
here alone, in a process of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from agentinfra.agents.code_actions import ActingAgent, OfferedAction, acting_plugins
from agentinfra.agents.own_planner import load_planner
from agentinfra.agents.planner_agent import PlannerAgent
from agentinfra.core.errors import AgentInfraError, ConfigError

MOST_ACTIONS = 20  # of one agent


@dataclass(frozen=True, slots=True)
class ActingAgents:
    """What was found.

    Attributes:
        agents: By name.
        offers: What each offers, by its name.
        problems: What cannot be used, and why.
    """

    agents: dict[str, ActingAgent] = field(default_factory=dict[str, ActingAgent])
    offers: dict[str, tuple[OfferedAction, ...]] = field(default_factory=dict[str, tuple[OfferedAction, ...]])
    problems: list[str] = field(default_factory=list[str])


def load_acting_agents(workspace: Path, planner: str | None) -> ActingAgents:
    """Import all of them; one that is broken is told of and takes nothing from the others.

    Args:
        workspace: The folder.
        planner: ``module:Class`` of its own planner, where the person trusts it.
    """
    found = ActingAgents()
    for name, make in _makers(workspace, planner):
        try:
            _add(found, make())
        except Exception as error:  # whatever foreign code does
            reason = str(error) if isinstance(error, AgentInfraError) else f"{type(error).__name__}: {error}"
            found.problems.append(f"The code actions of {name} cannot be used: {reason}")
    return found


def _makers(workspace: Path, planner: str | None) -> Iterator[tuple[str, Callable[[], Any]]]:
    for entry in sorted(acting_plugins(), key=lambda one: one.name):
        yield entry.name, lambda entry=entry: entry.load()()
    if planner is not None:
        yield planner, lambda: load_planner(planner, workspace)


def _add(found: ActingAgents, agent: Any) -> None:
    lacking = [part for part in ("name", "code_actions", "perform") if not hasattr(agent, part)]
    if lacking and isinstance(agent, PlannerAgent):
        return  # a planner need not have any
    if lacking:
        raise ConfigError(f"Its {type(agent).__name__} has no {', '.join(lacking)}")
    if agent.name in found.agents:
        raise ConfigError(f"Another agent is called {agent.name}, too")
    offers = _checked(agent.code_actions())
    found.agents[agent.name] = agent
    found.offers[agent.name] = offers


def _checked(offers: Sequence[OfferedAction]) -> tuple[OfferedAction, ...]:
    try:
        # By their fields: pydantic takes an object of the class as it is.
        checked = TypeAdapter(tuple[OfferedAction, ...]).validate_python([asdict(one) for one in offers])
    except ValidationError as error:
        raise ConfigError("An action of it is wrong", why=str(error)) from error
    if len(checked) > MOST_ACTIONS or len({one.id for one in checked}) < len(checked):
        raise ConfigError(f"It offers more than {MOST_ACTIONS} actions, or two with one id")
    return checked
