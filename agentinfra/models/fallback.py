"""A chain of models: where one cannot answer, the next is asked."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence

from agentinfra.core.errors import ModelError, ModelUnavailable, RecordingMismatch
from agentinfra.core.interfaces import ChatModel
from agentinfra.core.messages import ChatReply, ChatRequest
from agentinfra.models.failures import not_supported
from agentinfra.models.heard import Heard
from agentinfra.models.tracing import add_event
from agentinfra.models.wrapper_model import WrapperModel

REST_SECONDS = 60.0
LONG_REST_SECONDS = 600.0

OnFall = Callable[[ChatModel, ModelError, ChatModel], None]
"""Told who could not answer, why, and who is asked instead."""


class FallbackModel(WrapperModel):
    """Asks its members in order until one answers; ``ChatReply.model`` names that one.

    The next one is asked when a member fails in any way and nothing of its reply was told yet. What is not the model's
    failure, such as a budget that is used up, ends the call. A member that cannot be asked at all is asked last for a
    while.

    Args:
        members: The models, the preferred one first; its name and profile are those of the chain.
        rest: Seconds for which a member that is out of order is left alone. Where it said how long itself, it is that;
            where it does not pass by itself, ten minutes.
        on_fall: Told each time that the next one is asked.
        clock: Seconds that never go back.
    """

    def __init__(
        self,
        members: Sequence[ChatModel],
        *,
        rest: float = REST_SECONDS,
        on_fall: OnFall | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(members[0])
        self._members = tuple(members)
        self._rest = rest
        self._on_fall = on_fall
        self._clock = clock
        self._rests_until: dict[str, float] = {}

    async def complete(self, request: ChatRequest) -> ChatReply:
        """Answer the request, whoever can.

        Raises:
            ModelUnavailable: Nobody can; it says why of each.
            ModelError: Of a member, when asking another one cannot help or would say things twice.
        """
        heard = Heard(request)
        errors: dict[str, ModelError] = {}
        order = self._in_order()
        for member, following in zip(order, [*order[1:], None], strict=True):
            try:
                reply = await _asked(member, heard.request)
            except ModelError as error:
                if heard.anything or isinstance(error, RecordingMismatch):
                    raise
                errors[member.name] = error
                self._note(member, error, following)
            else:
                self._rests_until.pop(member.name, None)
                return reply
        raise _nobody(errors)

    async def aclose(self) -> None:
        """Close all members."""
        await asyncio.gather(*(member.aclose() for member in self._members))

    def _in_order(self) -> list[ChatModel]:
        """Those that rest come last: better asked too soon than not at all."""
        now = self._clock()
        return sorted(self._members, key=lambda member: self._rests_until.get(member.name, 0.0) > now)

    def _note(self, member: ChatModel, error: ModelError, following: ChatModel | None) -> None:
        if isinstance(error, ModelUnavailable):
            self._rests_until[member.name] = self._clock() + self._rest_after(error)
        if following is None:
            return
        fall = {"from": member.name, "to": following.name, "error.type": type(error).__name__}
        add_event("agentinfra.fallback", fall)
        if self._on_fall is not None:
            self._on_fall(member, error, following)

    def _rest_after(self, error: ModelUnavailable) -> float:
        if not error.transient:  # a missing key, a used-up account: only a person can mend it
            return LONG_REST_SECONDS
        return self._rest if error.retry_after is None else min(error.retry_after, LONG_REST_SECONDS)


async def _asked(member: ChatModel, request: ChatRequest) -> ChatReply:
    # The request was made for the first one, which may have tools where this one has none.
    if request.tools and not member.profile.tools:
        raise not_supported(member.name, "call tools", "Choose a model that can")
    return await member.complete(request)


def _nobody(errors: Mapping[str, ModelError]) -> ModelError:
    """One error for all, of the kind that all have in common."""
    first, *others = errors.values()
    if not others:
        return first
    kind = type(first) if all(type(error) is type(first) for error in others) else ModelUnavailable
    waits = [error.retry_after for error in errors.values() if error.retry_after is not None]
    return kind(
        f"None of {', '.join(errors)} can answer",
        why="; ".join(f"{name}: {error.why or error.what}" for name, error in errors.items()),
        next_step=first.next_step,
        transient=any(error.transient for error in errors.values()),
        retry_after=min(waits, default=None),
    )
