"""The worlds that agents act in: simulated, a folder on disk, and the user's git repository."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agentinfra.environment.base_environment import BaseEnvironment
    from agentinfra.environment.real_world_environment import RealWorldEnvironment
    from agentinfra.environment.simulated_environment import SimulatedEnvironment

__all__ = ["BaseEnvironment", "RealWorldEnvironment", "SimulatedEnvironment"]

_MODULES = {
    "BaseEnvironment": "base_environment",
    "RealWorldEnvironment": "real_world_environment",
    "SimulatedEnvironment": "simulated_environment",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
