"""A project's own planner, found by its name."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from agentinfra.agents.planner_agent import PlannerAgent
from agentinfra.core.errors import ConfigError


def load_planner(name: str | None, workspace: Path) -> PlannerAgent:
    """The project's own planner, or ours.

    Raises:
        ConfigError: The module or class is not there, or is no planner.
    """
    if name is None:
        return PlannerAgent()
    module_name, _, class_name = name.partition(":")
    try:
        _make_importable(module_name, workspace)
        planner = getattr(import_module(module_name), class_name)()
    except (ImportError, AttributeError, TypeError) as error:
        raise ConfigError(
            f"The planner {name} cannot be made",
            why=str(error),
            next_step="Write it as module:Class, without arguments",
        ) from error
    if not isinstance(planner, PlannerAgent):
        raise ConfigError(f"{name} is no PlannerAgent", next_step="Derive it from agentinfra.agents.PlannerAgent")
    return planner


def _make_importable(module_name: str, workspace: Path) -> None:
    """Let a module of the workspace be found, and the modules beside it by their plain names, as scripts do."""
    if str(workspace) not in sys.path:
        sys.path.insert(0, str(workspace))
    found = find_spec(module_name)
    if found is not None and found.origin is not None:
        folder = str(Path(found.origin).parent)
        if folder not in sys.path:
            sys.path.insert(0, folder)
