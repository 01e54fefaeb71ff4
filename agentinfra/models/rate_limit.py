"""Limits that a provider sets: requests at once, requests a minute, tokens a minute."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass, field

from agentinfra.core.errors import InputError, ModelUnavailable, NotSupported
from agentinfra.core.interfaces import ChatModel
from agentinfra.core.messages import ChatReply, ChatRequest
from agentinfra.models.per_loop import PerLoop
from agentinfra.models.token_estimate import input_tokens, output_tokens
from agentinfra.models.wrapper_model import WrapperModel


@dataclass(slots=True)
class Turn:
    """One request that was let through.

    Attributes:
        time: When.
        tokens: What it is counted with.
        counts: Whether it is one of the last minute's.
    """

    time: float
    tokens: int
    counts: bool = True


class _Window:
    """The turns of the last minute, for all loops and threads."""

    def __init__(self, seconds: float, most_turns: int | None, most_tokens: int | None) -> None:
        self._seconds, self._most_turns, self._most_tokens = seconds, most_turns, most_tokens
        self._turns: deque[Turn] = deque()
        self._tokens = 0
        self._guard = threading.Lock()

    def take(self, tokens: int) -> Turn | float:
        """A turn, or the seconds until there may be one. What is larger than the limit passes alone."""
        with self._guard:
            now = time.monotonic()
            self._forget(now)
            if self._turns and not self._fits(tokens):
                return self._turns[0].time + self._seconds - now
            turn = Turn(now, tokens)
            self._turns.append(turn)
            self._tokens += tokens
            return turn

    def settle(self, turn: Turn, tokens: int) -> None:
        with self._guard:
            if turn.counts:
                self._tokens += tokens - turn.tokens
                turn.tokens = tokens

    def _fits(self, tokens: int) -> bool:
        if self._most_turns is not None and len(self._turns) >= self._most_turns:
            return False
        return self._most_tokens is None or self._tokens + tokens <= self._most_tokens

    def _forget(self, now: float) -> None:
        while self._turns and self._turns[0].time <= now - self._seconds:
            turn = self._turns.popleft()
            turn.counts = False
            self._tokens -= turn.tokens


@dataclass(slots=True)
class _Queue:
    """Who waits on one loop, in the order in which they came."""

    slots: AbstractAsyncContextManager[None]
    head: asyncio.Lock = field(default_factory=asyncio.Lock)
    settled: asyncio.Event = field(default_factory=asyncio.Event)


class RateLimiter:
    """Lets requests through in the order in which they came, never more than the limits allow; None means no limit.

    Args:
        concurrency: Requests in flight at once, on each event loop.
        requests_per_minute: In any sixty seconds.
        tokens_per_minute: In any sixty seconds. Before a reply is there, the most that it may take is counted.
        window: Seconds that a minute has.

    Raises:
        InputError: A limit is less than one.
    """

    def __init__(
        self,
        *,
        concurrency: int | None = None,
        requests_per_minute: int | None = None,
        tokens_per_minute: int | None = None,
        window: float = 60.0,
    ) -> None:
        limits = (concurrency, requests_per_minute, tokens_per_minute)
        if any(limit is not None and limit < 1 for limit in limits):
            raise InputError("A limit of less than one lets nothing through", next_step="Leave it out, or raise it")
        self._window: _Window | None = None
        if requests_per_minute is not None or tokens_per_minute is not None:
            self._window = _Window(window, requests_per_minute, tokens_per_minute)
        self._queues = PerLoop(lambda: _Queue(asyncio.Semaphore(concurrency) if concurrency else nullcontext()))

    @asynccontextmanager
    async def turn(self, tokens: int) -> AsyncGenerator[Turn]:
        """Wait for a turn and hold it; who is cancelled while waiting takes nothing.

        Args:
            tokens: The most that the request may take.
        """
        queue = self._queues.get()
        async with queue.slots:
            yield await self._admitted(queue, tokens)

    def settle(self, turn: Turn, tokens: int) -> None:
        """Count the request with what it has really taken."""
        if self._window is not None:
            self._window.settle(turn, tokens)
            self._queues.get().settled.set()

    async def _admitted(self, queue: _Queue, tokens: int) -> Turn:
        if self._window is None:
            return Turn(0.0, tokens)
        async with queue.head:
            while not isinstance(taken := self._window.take(tokens), Turn):
                queue.settled.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(taken):
                        await queue.settled.wait()
            return taken


class RateLimitedModel(WrapperModel):
    """Waits for its provider's turn before each request.

    Args:
        inner: The model.
        limiter: Shared by all models of the provider.
    """

    def __init__(self, inner: ChatModel, limiter: RateLimiter) -> None:
        super().__init__(inner)
        self._limiter = limiter

    async def complete(self, request: ChatRequest) -> ChatReply:
        """Answer the request when it is its turn.

        Raises:
            ModelError: As of the inner model.
        """
        most = input_tokens(request) + output_tokens(request, self.profile)
        async with self._limiter.turn(most) as turn:
            try:
                reply = await self._inner.complete(request)
            except (ModelUnavailable, NotSupported):
                self._limiter.settle(turn, 0)  # nothing was answered
                raise
            used = reply.usage.input_tokens + reply.usage.output_tokens
            if used:  # not every server tells
                self._limiter.settle(turn, used)
            return reply
