"""``O1Model()`` and ``ClaudeModel()``: models by name that need nothing until they are asked."""

from __future__ import annotations

from agentinfra.core.interfaces import ChatModel, ModelProfile
from agentinfra.core.messages import ChatReply, ChatRequest
from agentinfra.models.model_manager import CLAUDE, ModelManager


class NamedModel:
    """A model that is only a name until it is needed; which model that is, the aliases decide.

    Without a manager of the application it follows the environment alone (``AGENTINFRA_MODEL_ALIASES``).

    Args:
        name: ``provider:model`` or an alias.
        manager: Where the name is looked up.
    """

    def __init__(self, name: str, manager: ModelManager | None = None) -> None:
        self.asked_name = name
        self._manager = manager
        self._own: ModelManager | None = None

    def use(self, manager: ModelManager) -> None:
        """Look the name up there from now on; an application hands in its configured manager."""
        self._manager = manager

    @property
    def name(self) -> str:
        """``provider:model`` that really answers."""
        return self._model().name

    @property
    def profile(self) -> ModelProfile:
        """What that model can do."""
        return self._model().profile

    async def complete(self, request: ChatRequest) -> ChatReply:
        """Answer the request.

        Raises:
            ConfigError: The name is unknown.
            ModelError: As of the model that the name stands for.
        """
        return await self._model().complete(request)

    async def aclose(self) -> None:
        """Close the model if it is this object's own; a manager closes its own models."""
        own, self._own = self._own, None
        if own is not None:
            await own.aclose()

    def _model(self) -> ChatModel:
        if self._manager is None and self._own is None:
            self._own = ModelManager()
        manager = self._manager or self._own
        assert manager is not None
        return manager.get_model(self.asked_name)


class O1Model(NamedModel):
    """OpenAI's o1."""

    def __init__(self) -> None:
        super().__init__("openai:o1")


class ClaudeModel(NamedModel):
    """A current Claude."""

    def __init__(self) -> None:
        super().__init__(CLAUDE)
