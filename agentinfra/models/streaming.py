"""A reply piece by piece, from any model."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace

from agentinfra.core.interfaces import ChatModel
from agentinfra.core.messages import ChatReply, ChatRequest, Delta

_AHEAD = 64


async def stream(model: ChatModel, request: ChatRequest) -> AsyncGenerator[Delta | ChatReply]:
    """Ask, and yield the pieces of the reply as they come; a model that does not stream yields the reply alone.

    Leaving the loop early closes the provider's stream: use ``contextlib.aclosing`` around the generator.

    Args:
        model: Who is asked.
        request: What is asked; its own ``on_delta`` is told as well.

    Yields:
        The pieces, and the finished reply as the last item.

    Raises:
        ModelError: As of the model.
    """
    pieces: asyncio.Queue[Delta | None] = asyncio.Queue()
    room = asyncio.Semaphore(_AHEAD)

    async def take(piece: Delta) -> None:
        await room.acquire()
        if request.on_delta is not None:
            await request.on_delta(piece)
        pieces.put_nowait(piece)

    asking = asyncio.ensure_future(model.complete(replace(request, on_delta=take)))
    # The end needs no room: it must come also when nobody reads any more.
    asking.add_done_callback(lambda _: pieces.put_nowait(None))
    try:
        while (piece := await pieces.get()) is not None:
            room.release()
            yield piece
        yield await asking
    finally:
        asking.cancel()
        await asyncio.wait([asking])
