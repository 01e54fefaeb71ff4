"""From names to models: aliases, providers, one instance per name, and the choice when nothing is configured."""

from __future__ import annotations

import asyncio
import difflib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import cast

from agentinfra.core.errors import ConfigError, ModelUnavailable
from agentinfra.core.interfaces import ChatModel
from agentinfra.models.catalog import DEFAULT_MODEL, installed_models
from agentinfra.models.local_servers import SERVERS, LocalServer
from agentinfra.models.openai_providers import NO_KEY, chat_completions, openai_providers

ALIASES_VARIABLE = "AGENTINFRA_MODEL_ALIASES"
CLAUDE = "anthropic:claude-sonnet-5-5"

ModelFactory = Callable[[str], ChatModel]
"""Builds a model from what stands after the colon; must not connect."""


class ModelManager:
    """Finds models by name and keeps one of each; nothing is imported, started or asked before the first request.

    Args:
        models: Models that are there already, by their own name or under the given one.
        aliases: Names that mean another model; those of ``AGENTINFRA_MODEL_ALIASES`` come on top.
        base_url: Endpoint of ``openai:`` and ``openai-compatible:`` models, instead of ``OPENAI_BASE_URL``.
        providers: Factories of more providers by name, such as those of plugins.
        env: Instead of the process's environment.

    Raises:
        ConfigError: The environment's aliases cannot be read.
    """

    def __init__(
        self,
        models: Mapping[str, ChatModel] | Iterable[ChatModel] = (),
        *,
        aliases: Mapping[str, str] | None = None,
        base_url: str | None = None,
        providers: Mapping[str, ModelFactory] | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self._env = os.environ if env is None else env
        self._models = _by_name(models)
        self._aliases = {**(aliases or {}), **parse_aliases(self._env.get(ALIASES_VARIABLE, ""))}
        self._base_url = base_url or self._env.get("OPENAI_BASE_URL")
        self._providers: dict[str, ModelFactory] = {**self._built_in(), **(providers or {})}

    def get_model(self, name: str) -> ChatModel:
        """The model of that name, always the same instance.

        Args:
            name: ``provider:model``, an alias, or the name of a model that was handed in.

        Raises:
            ConfigError: Nothing is known by that name, or aliases run in a circle.
        """
        resolved = self.resolve(name)
        if resolved not in self._models:
            self._models[resolved] = self._build(resolved)
        return self._models[resolved]

    def resolve(self, name: str) -> str:
        """Follow the aliases from a name to the one that they end at.

        Raises:
            ConfigError: They run in a circle.
        """
        trail = [name]
        while (following := self._aliases.get(trail[-1])) is not None:
            if following in trail:
                raise ConfigError(
                    f"The model aliases run in a circle: {' → '.join([*trail, following])}",
                    next_step=f"Correct [models.aliases] or {ALIASES_VARIABLE}",
                )
            trail.append(following)
        return trail[-1]

    async def aclose(self) -> None:
        """Close every model; safe to call twice."""
        models, self._models = tuple(self._models.values()), {}
        await asyncio.gather(*(model.aclose() for model in models))

    def _build(self, name: str) -> ChatModel:
        provider, colon, rest = name.partition(":")
        factory = self._providers.get(provider)
        if not colon or not rest or factory is None:
            raise self._unknown(name)
        return factory(rest)

    def _built_in(self) -> dict[str, ModelFactory]:
        return {
            **openai_providers(self._base_url, self._env),
            "anthropic": _claude,
            "local": _local,
            **{provider: partial(_on_this_machine, provider, url) for provider, url in SERVERS.items()},
        }

    def _unknown(self, name: str) -> ConfigError:
        provider = name.partition(":")[0]
        known = [*self._models, *self._aliases, *self._providers]
        close = difflib.get_close_matches(name, known, n=1) or difflib.get_close_matches(provider, known, n=1)
        hint = f"Did you mean {close[0]}? " if close else ""
        return ConfigError(
            f"There is no model {name!r}",
            why=f"A name is provider:model, and the providers are {', '.join(self._providers)}",
            next_step=f"{hint}Write for example openai:gpt-5, {CLAUDE} or local:{DEFAULT_MODEL}",
        )


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


def default_model_name(
    env: Mapping[str, str] | None = None,
    installed: Sequence[str] | None = None,
    servers: Sequence[LocalServer] = (),
) -> str:
    """Choose a model when none is configured.

    The order: a key or server of the environment, a model server of this machine that answers, the embedded model if
    its file is present.

    Args:
        env: Instead of the process's environment.
        installed: Names of the catalogue whose files are there; None looks.
        servers: What :func:`~agentinfra.models.local_servers.find_local_servers` found.

    Returns:
        ``provider:model``.

    Raises:
        ModelUnavailable: There is nothing to choose from; names all the ways and what they cost.
    """
    env = os.environ if env is None else env
    if env.get("OPENAI_BASE_URL") and env.get("OPENAI_MODEL"):
        return f"openai-compatible:{env['OPENAI_MODEL']}"
    if env.get("OPENAI_API_KEY") and not env.get("OPENAI_BASE_URL"):
        return f"openai:{env.get('OPENAI_MODEL') or 'gpt-5'}"
    if env.get("ANTHROPIC_API_KEY"):
        return CLAUDE
    if servers:
        return servers[0].names[0]
    present = installed_models() if installed is None else installed
    if present:
        return f"local:{DEFAULT_MODEL if DEFAULT_MODEL in present else present[0]}"
    raise ModelUnavailable(
        "No model is configured",
        why="There is no key in the environment and no model file on this machine",
        next_step=f"Choose one way: --model local:{DEFAULT_MODEL} (free, no account, downloads 1.1 GB once); "
        "OPENAI_API_KEY or ANTHROPIC_API_KEY (better, billed by the token); "
        "OPENAI_BASE_URL with OPENAI_MODEL, or --base-url with --model openai-compatible:NAME (a server of your own)",
    )


def _by_name(models: Mapping[str, ChatModel] | Iterable[ChatModel]) -> dict[str, ChatModel]:
    if isinstance(models, Mapping):
        return dict(cast("Mapping[str, ChatModel]", models))
    return {model.name: model for model in models}


def _on_this_machine(provider: str, url: str, name: str) -> ChatModel:
    # The key of OpenAI is none of a local server's business.
    return chat_completions(f"{provider}:{name}", url, api_key=NO_KEY)


def _claude(name: str) -> ChatModel:
    from agentinfra.models.anthropic_model import AnthropicModel  # noqa: PLC0415  (providers load when chosen)

    return AnthropicModel(f"anthropic:{name}")


def _local(name: str) -> ChatModel:
    from agentinfra.models.local_model import LocalModel  # noqa: PLC0415

    return LocalModel(name)
