"""A model that is not asked again what it has answered before."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from functools import partial

from agentinfra.core.interfaces import ChatModel
from agentinfra.core.messages import (
    ChatReply,
    ChatRequest,
    Delta,
    OnDelta,
    Reasoning,
    ReasoningDelta,
    Text,
    TextDelta,
    ToolCall,
    ToolCallDelta,
    Usage,
)
from agentinfra.models.per_loop import PerLoop
from agentinfra.models.recorded_model import request_key
from agentinfra.models.reply_cache import ReplyCache
from agentinfra.models.wrapper_model import WrapperModel

FREE = Usage(cost_usd=0.0, cached_replies=1)
"""The usage of a reply for which nothing was sent."""
_WHOLE = frozenset({"stop", "tool_calls", "length"})
_Ask = Callable[[OnDelta | None], Awaitable[ChatReply]]


class CachedModel(WrapperModel):
    """Answers from the cache what was asked before, and keeps what is new.

    Two requests are the same where everything is that decides the reply: the model's name, the scope, messages with
    their pictures, schema, tools and sampling; not their purpose or listener. **What was sampled is kept as well**: who
    puts a cache before a model wants the same reply, also from a temperature above 0 without a seed. For another one,
    ask with another seed.

    A reply from the cache costs nothing: its usage has no tokens, a cost of 0 and ``cached_replies`` 1. Its listener
    is told each part in one piece. Equal requests at the same time are sent once: the first that is answered bears the
    usage, the others come free; who is cancelled or whose listener fails leaves the others alone, and with the last
    one the request ends. A listener is behind the reply where it is slow, and does not slow the provider.

    Kept is what is complete and from this very model: no errors, no refusals, nothing that was filtered, paused or cut
    by the context window, nothing from another model of a chain.

    Args:
        inner: The model.
        cache: Where replies are kept; many models may share it.
        scope: What else decides the replies, such as the address of the server.
    """

    def __init__(self, inner: ChatModel, cache: ReplyCache, *, scope: str = "") -> None:
        super().__init__(inner)
        self._cache = cache
        self._scope = scope
        self._flights: PerLoop[dict[str, _Flight]] = PerLoop(dict)

    async def complete(self, request: ChatRequest) -> ChatReply:
        """Answer the request, from the cache if it is there.

        Raises:
            ModelError: As of the inner model.
        """
        key = await asyncio.to_thread(self._key, request)
        flights = self._flights.get()
        flight = flights.get(key)
        if flight is None or flight.is_over:
            flight = flights[key] = _Flight(partial(self._answer, key, request), request.on_delta is not None)
        try:
            return await flight.join(request.on_delta)
        finally:
            if flight.is_over and flights.get(key) is flight:
                del flights[key]

    def _key(self, request: ChatRequest) -> str:
        return hashlib.sha256(json.dumps([self.name, self._scope, request_key(request)]).encode()).hexdigest()

    async def _answer(self, key: str, request: ChatRequest, on_delta: OnDelta | None) -> ChatReply:
        kept = await asyncio.to_thread(self._cache.get, key)
        if kept is not None:
            return replace(kept, usage=FREE)
        reply = await self._inner.complete(replace(request, on_delta=on_delta))
        if reply.stop_reason in _WHOLE and reply.parts and reply.model == self.name:
            await asyncio.to_thread(self._cache.put, key, reply)
        return reply


class _Flight:
    """One request under way, and all who wait for its reply; each hears the pieces at its own pace.

    Args:
        ask: Sends the request.
        listens: Whether somebody wants the pieces.
    """

    def __init__(self, ask: _Ask, listens: bool) -> None:
        self._pieces: list[Delta] = []
        self._news = asyncio.Event()
        self._waiting = 0
        self._is_paid = False
        self._reply = asyncio.ensure_future(ask(self._take if listens else None))
        self._reply.add_done_callback(lambda _: self._news.set())

    @property
    def is_over(self) -> bool:
        """Whether nobody waits any more, or nobody has to."""
        return not self._waiting or self._reply.done()

    async def join(self, on_delta: OnDelta | None) -> ChatReply:
        """Wait for the reply; the last who leaves before it has come cancels the request."""
        self._waiting += 1
        try:
            if on_delta is not None:
                await self._retell(on_delta)
            # Shielded: who is cancelled here must not cancel what others wait for.
            reply = await asyncio.shield(self._reply)
        finally:
            self._waiting -= 1
            if not self._waiting and not self._reply.done():
                self._reply.cancel()
                await asyncio.gather(self._reply, return_exceptions=True)
        if self._is_paid:
            return replace(reply, usage=FREE)
        self._is_paid = True
        return reply

    async def _take(self, piece: Delta) -> None:
        self._pieces.append(piece)
        self._news.set()

    async def _retell(self, on_delta: OnDelta) -> None:
        told = 0
        while told < len(self._pieces) or not self._reply.done():
            if told == len(self._pieces):
                self._news.clear()
                await self._news.wait()
                continue
            await on_delta(self._pieces[told])
            told += 1
        if not told and not self._reply.cancelled() and self._reply.exception() is None:
            for piece in pieces_of(self._reply.result()):
                await on_delta(piece)


def pieces_of(reply: ChatReply) -> Iterator[Delta]:
    """A finished reply as a stream would tell it: one piece for each text and thought, two for each tool call."""
    calls = 0
    for part in reply.parts:
        if isinstance(part, Text):
            yield TextDelta(part.text)
        elif isinstance(part, Reasoning) and part.text:
            yield ReasoningDelta(part.text)
        elif isinstance(part, ToolCall):
            yield ToolCallDelta(calls, part.id, part.name)
            yield ToolCallDelta(
                calls, arguments=part.unreadable or json.dumps(dict(part.arguments), ensure_ascii=False)
            )
            calls += 1
