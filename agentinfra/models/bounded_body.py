"""A bound on what an HTTP response may weigh: the SDKs gather a line of a stream, or an error's body, whole."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, cast

from agentinfra.models import failures

if TYPE_CHECKING:
    import httpx2

MOST_BYTES = 64 * 1024 * 1024
_TAIL = 64


def bounded(model: str, most_bytes: int = MOST_BYTES) -> Callable[[httpx2.Response], Awaitable[None]]:
    """A response hook for an HTTP client: a body longer than that ends in an error.

    Args:
        model: ``provider:model``, for the error.
        most_bytes: The bound, before decompression.
    """
    import httpx2  # noqa: PLC0415  (heavy; comes with both SDKs)

    class Body(httpx2.AsyncByteStream):
        """The body behind it, counted; what it raises is a ReplyError."""

        def __init__(self, inner: httpx2.AsyncByteStream) -> None:
            self._inner = inner
            self.tail = b""

        async def __aiter__(self) -> AsyncIterator[bytes]:
            count = 0
            async for piece in self._inner:
                count += len(piece)
                if count > most_bytes:
                    raise failures.too_much(model, f"{most_bytes:,} bytes")
                self.tail = (self.tail + piece[-_TAIL:])[-_TAIL:]
                yield piece

        async def aclose(self) -> None:
            await self._inner.aclose()

    async def hook(response: httpx2.Response) -> None:
        response.stream = Body(cast("httpx2.AsyncByteStream", response.stream))

    return hook


def tail_of(response: httpx2.Response) -> bytes:
    """The last bytes that came of a response made under :func:`bounded`."""
    return cast("bytes", getattr(response.stream, "tail", b""))
