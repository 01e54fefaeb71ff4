"""A model for tests and examples that says what it was told to say."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from agentinfra.core.errors import ReplyError
from agentinfra.core.interfaces import ModelProfile
from agentinfra.core.messages import ChatReply, ChatRequest, Text, Usage

Script = Sequence[str | ChatReply | Exception] | Callable[[ChatRequest], str | ChatReply]


class ScriptedModel:
    """Answers from a list, in order, or from a function; an exception in the list is raised.

    Args:
        replies: The list or the function.
        name: ``provider:model``.
        profile: What it claims to be able to do.

    Attributes:
        requests: Every request that came, oldest first.
    """

    def __init__(self, replies: Script, *, name: str = "scripted:model", profile: ModelProfile | None = None) -> None:
        self._replies = replies
        self._name = name
        self._profile = profile or ModelProfile()
        self.requests: list[ChatRequest] = []

    @property
    def name(self) -> str:
        """``provider:model``."""
        return self._name

    @property
    def profile(self) -> ModelProfile:
        """What it claims to be able to do."""
        return self._profile

    async def complete(self, request: ChatRequest) -> ChatReply:
        """Give the next reply; free of charge.

        Raises:
            ReplyError: The script is used up.
        """
        self.requests.append(request)
        reply = self._next(request)
        if isinstance(reply, str):
            return ChatReply((Text(reply),), self._name, Usage(cost_usd=0.0))
        return reply

    async def aclose(self) -> None:
        """Nothing is open."""

    def _next(self, request: ChatRequest) -> str | ChatReply:
        if callable(self._replies):
            return self._replies(request)
        position = len(self.requests) - 1
        if position >= len(self._replies):
            raise ReplyError(
                f"The script of {self._name} is used up",
                why=f"It has {len(self._replies)} replies, and this is request {position + 1} ({request.purpose}): "
                f"{request.messages[-1].text[:200]!r}",
                next_step="Add a reply to the script",
            )
        reply = self._replies[position]
        if isinstance(reply, Exception):
            raise reply
        return reply
