"""From names to models: providers, one instance per name, and the choice when nothing is configured."""

from __future__ import annotations

import asyncio
import difflib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import cast

from agentinfra.core.errors import ConfigError, ModelUnavailable
from agentinfra.core.interfaces import ChatModel
from agentinfra.models.catalog import DEFAULT_MODEL, installed_models
from agentinfra.models.fallback import FallbackModel, OnFall
from agentinfra.models.local_servers import SERVERS, LocalServer
from agentinfra.models.model_names import ALIASES_VARIABLE, ModelNames, parse_aliases
from agentinfra.models.openai_providers import NO_KEY, chat_completions, openai_providers
from agentinfra.models.provider_plugins import ModelFactory, plugin_factory, plugin_providers
from agentinfra.models.rate_limit import RateLimitedModel, RateLimiter
from agentinfra.models.retry import Retrier, RetryingModel, RetryPolicy

LOCAL = "local"
CLAUDE = "anthropic:claude-sonnet-5-5"


class ModelManager:
    """Finds models by name and keeps one of each; nothing is imported, started or asked before the first request.

    A model that it makes keeps to its provider's limits and tries again what may pass by itself. A name such as
    ``a|b|c`` is a chain: where one cannot answer, the next is asked.

    Args:
        models: Models that are there already, by their own name or under the given one; they are left as they are.
        aliases: Names that mean another model or chain; those of ``AGENTINFRA_MODEL_ALIASES`` come on top.
        fallbacks: Who is asked where a model cannot answer, in order, by the model's name.
        limiters: Limits by provider, shared by all its models.
        base_url: Endpoint of ``openai:`` and ``openai-compatible:`` models, instead of ``OPENAI_BASE_URL``.
        providers: Factories of more providers by name; they come before those that AgentInfra and plugins bring.
        retry: How often and how long to go on trying.
        on_fall: Told when another model of a chain is asked.
        on_fetch: Told in sentences how far the download of an embedded model is; may be called from a worker thread.
        env: Instead of the process's environment.

    Raises:
        ConfigError: Aliases cannot be read or run in a circle, or there is no provider for a limit.
    """

    def __init__(
        self,
        models: Mapping[str, ChatModel] | Iterable[ChatModel] = (),
        *,
        aliases: Mapping[str, str] | None = None,
        fallbacks: Mapping[str, Sequence[str]] | None = None,
        limiters: Mapping[str, RateLimiter] | None = None,
        base_url: str | None = None,
        providers: Mapping[str, ModelFactory] | None = None,
        retry: RetryPolicy | None = None,
        on_fall: OnFall | None = None,
        on_fetch: Callable[[str], None] | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self._env = os.environ if env is None else env
        self._models = _by_name(models)
        self._chains: dict[tuple[str, ...], ChatModel] = {}
        in_environment = parse_aliases(self._env.get(ALIASES_VARIABLE, ""))
        self._names = ModelNames({**(aliases or {}), **in_environment}, fallbacks or {})
        self._on_fetch = on_fetch
        self._base_url = base_url or self._env.get("OPENAI_BASE_URL")
        self._providers: dict[str, ModelFactory] = {**self._built_in(), **(providers or {})}
        self._limiters = dict(limiters or {})
        self._retrier = Retrier(retry)
        self._on_fall = on_fall
        self._check_limits()

    def get_model(self, name: str) -> ChatModel:
        """The model or chain of that name, always the same instance.

        Args:
            name: ``provider:model``, several with ``|`` between them, an alias, or the name of a model that was
                handed in.

        Raises:
            ConfigError: Nothing is known by that name, aliases run in a circle, or a plugin is broken.
        """
        names = self._names.chain(name)
        members = [self._single(one) for one in names]
        if len(members) == 1:
            return members[0]
        if names not in self._chains:
            self._chains[names] = FallbackModel(members, on_fall=self._on_fall)
        return self._chains[names]

    def resolve(self, name: str) -> str:
        """Follow the aliases from a name to the one that they end at.

        Raises:
            ConfigError: They run in a circle.
        """
        return self._names.resolve(name)

    async def aclose(self) -> None:
        """Close every model; safe to call twice."""
        models, self._models = tuple(self._models.values()), {}
        self._chains.clear()
        await asyncio.gather(*(model.aclose() for model in models))

    def _single(self, name: str) -> ChatModel:
        if name not in self._models:
            self._models[name] = self._build(name)
        return self._models[name]

    def _build(self, name: str) -> ChatModel:
        provider, colon, rest = name.partition(":")
        if not colon or not rest:
            raise self._unknown(name)
        factory = self._providers.get(provider) or plugin_factory(provider)
        if factory is None:
            raise self._unknown(name)
        model = factory(rest)
        if provider in self._limiters:
            model = RateLimitedModel(model, self._limiters[provider])
        # A child process of ours is started again by its own model; nothing else of it passes by itself.
        return model if provider == LOCAL else RetryingModel(model, self._retrier)

    def _check_limits(self) -> None:
        wrong = set(self._limiters) - set(self._providers)
        wrong = wrong and wrong - set(plugin_providers())
        if wrong:
            raise ConfigError(
                f"models.limits.{min(wrong)} is wrong",
                why=f"There is no such provider; they are {', '.join(self._all_providers())}",
                next_step="Correct it",
            )

    def _all_providers(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self._providers, *plugin_providers())))

    def _built_in(self) -> dict[str, ModelFactory]:
        return {
            **openai_providers(self._base_url, self._env),
            "anthropic": _claude,
            LOCAL: partial(_local, self._on_fetch),
            **{provider: partial(_on_this_machine, provider, url) for provider, url in SERVERS.items()},
        }

    def _unknown(self, name: str) -> ConfigError:
        provider = name.partition(":")[0]
        providers = self._all_providers()
        known = [*self._models, *self._names.known, *providers]
        close = difflib.get_close_matches(name, known, n=1) or difflib.get_close_matches(provider, known, n=1)
        hint = f"Did you mean {close[0]}? " if close else ""
        return ConfigError(
            f"There is no model {name!r}",
            why=f"A name is provider:model, and the providers are {', '.join(providers)}",
            next_step=f"{hint}Write for example openai:gpt-5, {CLAUDE} or local:{DEFAULT_MODEL}",
        )


def default_model_name(
    env: Mapping[str, str] | None = None,
    installed: Sequence[str] | None = None,
    servers: Sequence[LocalServer] = (),
) -> str:
    """Choose a model when none is configured: the first of :func:`model_choices`.

    Returns:
        ``provider:model``.

    Raises:
        ModelUnavailable: There is nothing to choose from; names all the ways and what they cost.
    """
    choices = model_choices(env, installed, servers)
    if choices:
        return choices[0]
    raise ModelUnavailable(
        "No model is configured",
        why="There is no key in the environment and no model file on this machine",
        next_step=f"Choose one way: --model local:{DEFAULT_MODEL} (free, no account, downloads 1.1 GB once); "
        "OPENAI_API_KEY or ANTHROPIC_API_KEY (better, billed by the token); "
        "OPENAI_BASE_URL with OPENAI_MODEL, or --base-url with --model openai-compatible:NAME (a server of your own)",
    )


def model_choices(
    env: Mapping[str, str] | None = None,
    installed: Sequence[str] | None = None,
    servers: Sequence[LocalServer] = (),
) -> list[str]:
    """The models that can be asked here without further ado, the preferred ones first.

    The order: a key or server of the environment, a model server of this machine that answers, the embedded models
    whose files are present.

    Args:
        env: Instead of the process's environment.
        installed: Names of the catalogue whose files are there; None looks.
        servers: What :func:`~agentinfra.models.local_servers.find_local_servers` found.

    Returns:
        ``provider:model`` of each.
    """
    present = installed_models() if installed is None else installed
    embedded = sorted(present, key=lambda name: name != DEFAULT_MODEL)
    named = [name for server in servers for name in server.names]
    return [*_configured(os.environ if env is None else env), *named, *(f"{LOCAL}:{name}" for name in embedded)]


def _configured(env: Mapping[str, str]) -> Iterator[str]:
    if env.get("OPENAI_BASE_URL") and env.get("OPENAI_MODEL"):
        yield f"openai-compatible:{env['OPENAI_MODEL']}"
    if env.get("OPENAI_API_KEY") and not env.get("OPENAI_BASE_URL"):
        yield f"openai:{env.get('OPENAI_MODEL') or 'gpt-5'}"
    if env.get("ANTHROPIC_API_KEY"):
        yield CLAUDE


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


def _local(on_fetch: Callable[[str], None] | None, name: str) -> ChatModel:
    from agentinfra.models.local_model import LocalModel  # noqa: PLC0415

    return LocalModel(name, tell=on_fetch)
