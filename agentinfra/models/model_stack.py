"""What stands between an agent and a provider, from the outside in, in one order for every run.

1. :class:`~agentinfra.models.budgeted_model.BudgetedModel`: nothing is asked that the run cannot pay.
2. :class:`~agentinfra.models.recorded_model.RecordingModel`, where a record is wanted: what the agents asked.
3. :class:`~agentinfra.models.seeded_model.SeededModel`: the run's own chance.
4. :class:`~agentinfra.models.cached_model.CachedModel`, where the person wants it: what is known is not asked.
5. :class:`~agentinfra.models.tracing.TracedModel`: one span for the whole call.
6. :class:`~agentinfra.models.fallback.FallbackModel`, for a chain: the next model, once a member has tried in vain.
7. :class:`~agentinfra.models.retry.RetryingModel`: the same model again; while it waits it holds nobody up.
8. :class:`~agentinfra.models.rate_limit.RateLimitedModel`: every single request waits for its turn.
9. The provider's own model, with the timeouts of one request.

From 6 on it is the :class:`~agentinfra.models.model_manager.ModelManager` that builds; a model that was handed in
stands in their place as it is.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from agentinfra.core.config import ModelSettings
from agentinfra.core.errors import InputError
from agentinfra.core.interfaces import ChatModel
from agentinfra.models.budget import Budget
from agentinfra.models.budgeted_model import BudgetedModel
from agentinfra.models.cached_model import CachedModel
from agentinfra.models.fallback import OnFall
from agentinfra.models.local_servers import LocalServer
from agentinfra.models.model_manager import ModelManager, default_model_name
from agentinfra.models.provider_plugins import ModelFactory
from agentinfra.models.rate_limit import RateLimiter
from agentinfra.models.ready_made import NamedModel
from agentinfra.models.recorded_model import RecordingModel
from agentinfra.models.reply_cache import ReplyCache
from agentinfra.models.seeded_model import SeededModel
from agentinfra.models.tracing import TracedModel

if TYPE_CHECKING:
    from opentelemetry.context import Context

_ENDPOINTS = ("OPENAI_BASE_URL", "ANTHROPIC_BASE_URL", "AZURE_OPENAI_ENDPOINT")


def manager_from(
    settings: ModelSettings,
    *,
    base_url: str | None = None,
    on_fall: OnFall | None = None,
    on_fetch: Callable[[str], None] | None = None,
    providers: Mapping[str, ModelFactory] | None = None,
) -> ModelManager:
    """The manager that a person's settings ask for.

    Args:
        settings: Aliases, fallbacks and limits.
        base_url: Endpoint of ``openai:`` and ``openai-compatible:`` models.
        on_fall: Told when another model of a chain is asked.
        on_fetch: Told in sentences how far the download of an embedded model is; may be called from a worker thread.
        providers: Factories of more providers by name.

    Raises:
        ConfigError: Aliases cannot be read or run in a circle, or there is no provider for a limit.
    """
    return ModelManager(
        aliases=settings.aliases,
        fallbacks=settings.fallbacks,
        limiters={provider: RateLimiter(**dict(limits)) for provider, limits in settings.limits.items()},
        base_url=base_url,
        on_fall=on_fall,
        on_fetch=on_fetch,
        providers=providers,
    )


class ModelStack:
    """The models of one run, each built once.

    Args:
        manager: Finds models by name.
        budget: Of the run.
        default: ``provider:model`` for agents that name none; None chooses by what there is.
        servers: Model servers of this machine, for that choice.
        replay: Answers everything, in the place of all others.
        cache: Keeps replies, for all of them.
        base_url: Endpoint that the person asked for; what another one has answered is not taken from the cache.
        record: File that the requests and replies go into.
        idea: What the run builds; goes into the record.
        seed: The run's own.
        parent: What spans belong to.
    """

    def __init__(
        self,
        manager: ModelManager,
        budget: Budget,
        *,
        default: str | None = None,
        servers: Sequence[LocalServer] = (),
        replay: ChatModel | None = None,
        cache: ReplyCache | None = None,
        base_url: str | None = None,
        record: Path | None = None,
        idea: str = "",
        seed: int = 0,
        parent: Context | None = None,
    ) -> None:
        self._manager = manager
        self._budget = budget
        self._default = default
        self._servers = servers
        self._replay = replay
        self._cache, self._base_url = cache, base_url
        self._record, self._idea = record, idea
        self._seed = seed
        self._parent = parent
        self._built: dict[int, ChatModel] = {}

    def model_for(self, own: ChatModel | None) -> ChatModel:
        """The model that an agent asks.

        Args:
            own: The one that the agent brings; None for the run's.

        Raises:
            ConfigError: Nothing is known by its name.
            ModelUnavailable: The run has none, and there is nothing to choose from.
            InputError: A record cannot hold it beside the others.
        """
        if self._replay is not None:
            return BudgetedModel(self._replay, self._budget)
        inner = self._found(own)
        if id(inner) not in self._built:
            self._built[id(inner)] = self._dressed(inner)
        return self._built[id(inner)]

    def _found(self, own: ChatModel | None) -> ChatModel:
        if own is None:
            return self._manager.get_model(self._default or default_model_name(servers=self._servers))
        if isinstance(own, NamedModel):
            own.use(self._manager)
            return self._manager.get_model(own.asked_name)
        return own

    def _dressed(self, inner: ChatModel) -> ChatModel:
        traced = TracedModel(inner, parent=self._parent)
        return BudgetedModel(self._recorded(SeededModel(self._cached(traced), self._seed)), self._budget)

    def _cached(self, model: ChatModel) -> ChatModel:
        if self._cache is None:
            return model
        endpoints = [self._base_url, *(os.environ.get(variable) for variable in _ENDPOINTS)]
        return CachedModel(model, self._cache, scope=json.dumps(endpoints))

    def _recorded(self, model: ChatModel) -> ChatModel:
        if self._record is None:
            return model
        others = {known.name for known in self._built.values()} - {model.name}
        if others:
            raise InputError(
                f"The run uses {model.name} beside {', '.join(others)}, and a record holds one model",
                next_step="Map the names to one model with AGENTINFRA_MODEL_ALIASES, or leave --record out",
            )
        return RecordingModel(model, self._record, idea=self._idea)
