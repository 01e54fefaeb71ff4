"""A model that is a function: for tests of agents, simulations, and anything else that answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from agentinfra.core.interfaces import ModelProfile
from agentinfra.core.messages import ChatReply, ChatRequest, Text, Usage

Answer = str | ChatReply
Function = Callable[[ChatRequest], Answer | Awaitable[Answer]]
_PROFILE = ModelProfile()


class FunctionModel:
    """Answers with what the function returns; keeps nothing.

    Args:
        function: Plain or ``async``; a text is a reply that costs nothing.
        name: ``provider:model``.
        profile: What it claims to be able to do.
    """

    def __init__(self, function: Function, *, name: str = "function:model", profile: ModelProfile = _PROFILE) -> None:
        self._function = function
        self.name = name
        self.profile = profile

    async def complete(self, request: ChatRequest) -> ChatReply:
        """Call the function; what it raises passes through."""
        answer = self._function(request)
        if not isinstance(answer, (str, ChatReply)):
            answer = await answer
        return ChatReply((Text(answer),), self.name, Usage(cost_usd=0.0)) if isinstance(answer, str) else answer

    async def aclose(self) -> None:
        """Nothing is open."""
