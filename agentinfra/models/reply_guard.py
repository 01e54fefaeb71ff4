"""Bounds of one streamed reply in time and size, the same for every provider."""

from __future__ import annotations

import asyncio
from types import TracebackType

from agentinfra.core.messages import Delta, OnDelta, ToolCallDelta
from agentinfra.models import failures
from agentinfra.models.timeouts import Timeouts

CHARACTERS_PER_TOKEN = 32
"""Far above what any tokenizer packs into a token on average: only a server that ignores the bound gets there."""
ROOM = 65_536
MOST_CHARACTERS = 16_000_000


class ReplyGuard:
    """Ends a reply that does not come, stops coming, does not end, or is far longer than was asked for.

    Enter it before the request is sent, tell it of every event with :meth:`heard`, and hand it every piece of content
    with :meth:`emit`. What it raises on leaving takes the place of the cancellation by which it interrupted.

    Args:
        model: ``provider:model``, for the errors.
        timeouts: Limits of the call.
        max_tokens: The bound of the reply, thinking included.
        on_delta: Told the pieces.

    Attributes:
        began: Whether anything has come.
        emitted: Whether any content has come.
    """

    def __init__(self, model: str, timeouts: Timeouts, max_tokens: int, on_delta: OnDelta | None = None) -> None:
        self._model = model
        self._on_delta = on_delta
        self._timeouts = timeouts
        self._most = min(max_tokens * CHARACTERS_PER_TOKEN + ROOM, MOST_CHARACTERS)
        self._characters = 0
        self.began = False
        self.emitted = False

    async def __aenter__(self) -> ReplyGuard:
        self._loop = asyncio.get_running_loop()
        now = self._loop.time()
        self._end = now + self._timeouts.whole
        self._limit = asyncio.timeout_at(min(now + self._timeouts.first, self._end))
        await self._limit.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._limit.__aexit__(kind, error, trace)
        except TimeoutError:
            raise self._out_of_time() from None

    def heard(self) -> None:
        """An event came, whatever is in it: silence begins anew."""
        self.began = True
        self._limit.reschedule(min(self._loop.time() + self._timeouts.silence, self._end))

    async def emit(self, piece: Delta) -> None:
        """A piece of content came; while the listener takes it, nobody counts the silence.

        Raises:
            ReplyError: The reply is far longer than was asked for.
        """
        text = piece.arguments if isinstance(piece, ToolCallDelta) else piece.text
        self.emitted = True
        self._characters += len(text)
        if self._characters > self._most:
            raise failures.too_much(self._model, f"{self._most:,} characters")
        if self._on_delta is not None:
            self._limit.reschedule(self._end)
            await self._on_delta(piece)
            self.heard()

    def _out_of_time(self) -> failures.ModelError:
        limits = self._timeouts
        if self._loop.time() >= self._end:
            return failures.too_slow(self._model, limits.whole, emitted=self.emitted)
        if self.began:
            return failures.broken_off(self._model, f"Nothing came for {limits.silence:g} s", emitted=self.emitted)
        return failures.unreachable(self._model, "no first word", f"nothing came for {limits.first:g} s")
