"""A model whose sampling seeds are shifted for a run: fresh runs differ, a resumed one does not."""

from __future__ import annotations

from dataclasses import replace

from agentinfra.core.interfaces import ChatModel, ModelProfile
from agentinfra.core.messages import ChatReply, ChatRequest

STRIDE = 1000


class SeededModel:
    """Wraps a model; a request's seed, which only counts tries, becomes ``seed * 1000 + own``.

    Args:
        inner: The model.
        seed: The run's seed.
    """

    def __init__(self, inner: ChatModel, seed: int) -> None:
        self._inner = inner
        self._seed = seed

    @property
    def name(self) -> str:
        """``provider:model`` of the wrapped model."""
        return self._inner.name

    @property
    def profile(self) -> ModelProfile:
        """What the wrapped model can do."""
        return self._inner.profile

    async def complete(self, request: ChatRequest) -> ChatReply:
        """Answer the request with the shifted seed."""
        own = request.seed or 0
        return await self._inner.complete(replace(request, seed=self._seed * STRIDE + own))

    async def aclose(self) -> None:
        """Nothing: the wrapped model belongs to the model manager."""
