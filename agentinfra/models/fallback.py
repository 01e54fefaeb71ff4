"""A chain of models: where one cannot answer, the next is asked."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence

from agentinfra.core.errors import (
    ContextOverflow,
    ModelError,
    ModelNotFound,
    ModelUnavailable,
    NoPermission,
    NotSupported,
    QuotaExceeded,
    ReplyError,
)
from agentinfra.core.interfaces import ChatModel
from agentinfra.core.messages import ChatReply, ChatRequest
from agentinfra.models.heard import Heard
from agentinfra.models.wrapper_model import WrapperModel

REST_SECONDS = 60.0
LONG_REST_SECONDS = 600.0

OnFall = Callable[[ChatModel, ModelError], None]
"""Told who could not answer, and why."""


class FallbackModel(WrapperModel):
    """Asks its members in order until one answers; ``ChatReply.model`` names that one.

    The next one is asked when a member cannot be reached, refuses the key, is used up, cannot take the request, or
    fails before anything of its reply came. It is not asked when a part of the reply was told already, and not for
    errors that are not the model's, such as a budget that is used up. A member that is out of order is asked last for
    a while.

    Args:
        members: The models, the preferred one first; its name and profile are those of the chain.
        rest: Seconds for which a member that is out of order is left alone. Where it said how long itself, it is that;
            where only a person can mend it, ten minutes.
        on_fall: Told each failure.
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
        for member in self._in_order():
            try:
                return await member.complete(heard.request)
            except ModelError as error:
                if heard.anything or not _is_members_own(error):
                    raise
                errors[member.name] = error
                self._note(member, error)
        raise _nobody(errors)

    async def aclose(self) -> None:
        """Close all members."""
        await asyncio.gather(*(member.aclose() for member in self._members))

    def _in_order(self) -> list[ChatModel]:
        """Those that rest come last: better asked too soon than not at all."""
        now = self._clock()
        return sorted(self._members, key=lambda member: self._rests_until.get(member.name, 0.0) > now)

    def _note(self, member: ChatModel, error: ModelError) -> None:
        if not isinstance(error, (NotSupported, ContextOverflow)):
            self._rests_until[member.name] = self._clock() + self._rest_after(error)
        if self._on_fall is not None:
            self._on_fall(member, error)

    def _rest_after(self, error: ModelError) -> float:
        if isinstance(error, (NoPermission, ModelNotFound, QuotaExceeded)):
            return LONG_REST_SECONDS
        return self._rest if error.retry_after is None else min(error.retry_after, LONG_REST_SECONDS)


def _is_members_own(error: ModelError) -> bool:
    """Whether another model may well answer the same request."""
    if isinstance(error, ReplyError):
        return error.transient
    return isinstance(error, (ModelUnavailable, NotSupported, ContextOverflow))


def _nobody(errors: Mapping[str, ModelError]) -> ModelError:
    """One error for all; a refusal of the request itself is told as the first one told it."""
    first = next(iter(errors.values()))
    if len(errors) == 1 or not any(isinstance(error, ModelUnavailable) for error in errors.values()):
        return first
    waits = [error.retry_after for error in errors.values() if error.retry_after is not None]
    return ModelUnavailable(
        f"None of {', '.join(errors)} can answer",
        why="; ".join(f"{name}: {error.why or error.what}" for name, error in errors.items()),
        next_step=first.next_step,
        transient=any(error.transient for error in errors.values()),
        retry_after=min(waits, default=None),
    )
