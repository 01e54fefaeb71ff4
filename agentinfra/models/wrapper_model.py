"""The base of models that add something to another one."""

from __future__ import annotations

from agentinfra.core.interfaces import ChatModel, ModelProfile


class WrapperModel:
    """Has the name and profile of the model inside; a subclass adds ``complete``.

    Args:
        inner: The model that is asked in the end.
    """

    def __init__(self, inner: ChatModel) -> None:
        self._inner = inner

    @property
    def name(self) -> str:
        """``provider:model`` of the inner model."""
        return self._inner.name

    @property
    def profile(self) -> ModelProfile:
        """What the inner model can do."""
        return self._inner.profile

    async def aclose(self) -> None:
        """Close the inner model; safe to call twice, as that one's is."""
        await self._inner.aclose()
