"""Providers of models that installed packages bring: entry points of the group ``agentinfra.models``.

The entry point's name is the provider's, its object a factory from what stands after the colon to a model.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from agentinfra.core.errors import AgentInfraError, ConfigError
from agentinfra.core.interfaces import ChatModel

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint, EntryPoints

GROUP = "agentinfra.models"

ModelFactory = Callable[[str], ChatModel]
"""Builds a model from what stands after the colon; must not connect."""


def plugin_providers() -> tuple[str, ...]:
    """Names of the providers that installed packages bring; none is loaded."""
    return tuple(sorted(_installed().names))


def plugin_factory(provider: str) -> ModelFactory | None:
    """Load the factory of a provider; None where no package brings it.

    Args:
        provider: What stands before the colon.

    Raises:
        ConfigError: The package cannot be loaded, brings no factory, or is not the only one.
    """
    found = tuple(_installed().select(name=provider))
    packages = ", ".join(one.dist.name if one.dist else one.value for one in found)
    if len(found) > 1:
        raise _broken(provider, packages, "Several packages bring the same name")
    for entry in found:
        factory = _loaded(entry, packages)
        return lambda name: _made(factory, name, provider, packages)
    return None


def _loaded(entry: EntryPoint, packages: str) -> Callable[[str], Any]:
    try:
        factory = entry.load()
    except Exception as error:  # whatever foreign code does when it is imported
        raise _broken(entry.name, packages, f"{type(error).__name__}: {error}") from error
    if not callable(factory):
        raise _broken(entry.name, packages, f"{entry.value} cannot be called")
    return factory


def _made(factory: Callable[[str], Any], name: str, provider: str, packages: str) -> ChatModel:
    try:
        model = factory(name)
    except AgentInfraError:
        raise
    except Exception as error:  # foreign code again
        raise _broken(provider, packages, f"{type(error).__name__}: {error}") from error
    lacking = [part for part in ("name", "profile", "complete", "aclose") if not hasattr(model, part)]
    if lacking:
        raise _broken(provider, packages, f"Its {type(model).__name__} has no {', '.join(lacking)}")
    return model


def _installed() -> EntryPoints:
    from importlib.metadata import entry_points  # noqa: PLC0415  (as much CPU as all of this package's own)

    return entry_points(group=GROUP)


def _broken(provider: str, packages: str, why: str) -> ConfigError:
    return ConfigError(
        f"The provider {provider}: of the package {packages} cannot be used",
        why=why,
        next_step="Correct, update or uninstall the package",
    )
