"""A model whose sampling seeds are shifted for a run: fresh runs differ, a resumed one does not."""

from __future__ import annotations

from dataclasses import replace

from agentinfra.core.interfaces import ChatModel
from agentinfra.core.messages import ChatReply, ChatRequest
from agentinfra.models.wrapper_model import WrapperModel

STRIDE = 1000


class SeededModel(WrapperModel):
    """Wraps a model; a request's seed, which only counts tries, becomes ``seed * 1000 + own``.

    Args:
        inner: The model.
        seed: The run's seed.
    """

    def __init__(self, inner: ChatModel, seed: int) -> None:
        super().__init__(inner)
        self._seed = seed

    async def complete(self, request: ChatRequest) -> ChatReply:
        """Answer the request with the shifted seed."""
        own = request.seed or 0
        return await self._inner.complete(replace(request, seed=self._seed * STRIDE + own))
