"""Names of models: aliases, and chains such as ``a|b|c`` of which the next is asked where one cannot answer. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agentinfra.core.errors import ConfigError
from agentinfra.models.catalog import DEFAULT_MODEL

ALIASES_VARIABLE = "AGENTINFRA_MODEL_ALIASES"
OR = "|"


class ModelNames:
    """What names stand for.

    Args:
        aliases: Names that mean another model or chain.
        fallbacks: Who is asked where a model cannot answer, in order.

    Raises:
        ConfigError: The name of a fallback leads in a circle.
    """

    def __init__(self, aliases: Mapping[str, str], fallbacks: Mapping[str, Sequence[str]]) -> None:
        self._aliases = aliases
        self._behind = {self.resolve(name): tuple(others) for name, others in fallbacks.items()}

    @property
    def known(self) -> tuple[str, ...]:
        """The aliases' names."""
        return tuple(self._aliases)

    def resolve(self, name: str) -> str:
        """Follow the aliases from a name to the one that they end at.

        Raises:
            ConfigError: They run in a circle.
        """
        trail = [name]
        while (following := self._aliases.get(trail[-1])) is not None:
            if following in trail:
                raise _circle([*trail, following])
            trail.append(following)
        return trail[-1]

    def chain(self, name: str) -> tuple[str, ...]:
        """The models that a name stands for, each once, in the order in which they are asked.

        Raises:
            ConfigError: Aliases run in a circle, or a part of a chain has no name.
        """
        found: list[str] = []
        self._collect(name, found, ())
        return tuple(found)

    def _collect(self, name: str, found: list[str], trail: Sequence[str]) -> None:
        resolved = self.resolve(name)
        if resolved in trail:
            raise _circle([*trail, name, resolved])
        if OR in resolved:
            for part in resolved.split(OR):
                self._collect(_named(part.strip(), resolved), found, (*trail, resolved))
        elif resolved not in found:
            found.append(resolved)
            for other in self._behind.get(resolved, ()):
                self._collect(other, found, ())


def parse_aliases(text: str) -> dict[str, str]:
    """Read ``AGENTINFRA_MODEL_ALIASES``: ``name=model`` pairs, comma between them.

    Raises:
        ConfigError: A pair has no ``=``, or one side is empty.
    """
    aliases: dict[str, str] = {}
    for pair in filter(None, (pair.strip() for pair in text.split(","))):
        name, _, target = (side.strip() for side in pair.partition("="))
        if not name or not target:
            raise ConfigError(
                f"{ALIASES_VARIABLE} cannot be read",
                why=f"{pair!r} is not name=model",
                next_step=f'Write for example {ALIASES_VARIABLE}="openai:o1=local:{DEFAULT_MODEL}"',
            )
        aliases[name] = target
    return aliases


def _named(part: str, chain: str) -> str:
    if not part:
        raise ConfigError(
            f"{chain!r} is no chain of models",
            why="A part of it is empty",
            next_step=f"Write for example openai:gpt-5{OR}local:{DEFAULT_MODEL}",
        )
    return part


def _circle(trail: Sequence[str]) -> ConfigError:
    return ConfigError(
        f"The model aliases run in a circle: {' → '.join(trail)}",
        next_step=f"Correct [models.aliases] or {ALIASES_VARIABLE}",
    )
