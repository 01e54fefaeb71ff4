"""Embeddings by OpenAI, and by servers that offer the same call."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from agentinfra.core.errors import ConfigError, ReplyError
from agentinfra.models.openai_client import Dialect, OpenAIEndpoint
from agentinfra.models.reply_guard import ReplyGuard
from agentinfra.models.retry import Retrier, RetryPolicy
from agentinfra.models.timeouts import Timeouts
from agentinfra.security.secret import Secret

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NATIVE_DIMENSIONS: Mapping[str, int] = {
    "text-embedding-3-small": 1536,
    "text-embedding-3-large": 3072,
    "text-embedding-ada-002": 1536,
}
"""Of the models that need not be told theirs."""

EMBEDDING_TIMEOUTS = Timeouts(first=60.0, whole=120.0)
MOST_BYTES = 8_000
"""Of one text. A token is a byte at least, and OpenAI's models read 8,191."""
_BATCH_TEXTS, _BATCH_BYTES = 128, 250_000
"""Of one request, far within what OpenAI takes."""
_NO_TOKENS = 1


class OpenAIEmbedder:
    """Vectors from ``/v1/embeddings``.

    Neither the key nor the SDK is looked at before the first request.

    Args:
        model: ``provider:model``; what stands after the colon goes onto the wire.
        dimensions: Length of the vectors. Needed where the model is not in ``NATIVE_DIMENSIONS``; where it is, another
            length is asked for.
        base_url: The endpoint; ``OPENAI_BASE_URL`` or OpenAI itself where it is None.
        api_key: The key; ``OPENAI_API_KEY`` where it is None.
        prefixes: What goes before a text and before a query, for models that were trained so.
        most_bytes: What is read of a text.
        timeouts: Limits of one request; there is one answer, so ``first`` is the time to it.
        dialect: Whose server it is; None reads it off the address.
        concurrency: How many requests may be in flight at once.
        retry: How often and how long to go on trying.

    Raises:
        ConfigError: The length of the vectors is not known.
    """

    def __init__(
        self,
        model: str = "openai:text-embedding-3-small",
        *,
        dimensions: int | None = None,
        base_url: str | None = None,
        api_key: str | Secret | None = None,
        prefixes: tuple[str, str] = ("", ""),
        most_bytes: int = MOST_BYTES,
        timeouts: Timeouts | None = None,
        dialect: Dialect | None = None,
        concurrency: int = 4,
        retry: RetryPolicy | None = None,
    ) -> None:
        self._model = model
        self._endpoint = OpenAIEndpoint(
            model,
            base_url=base_url,
            api_key=api_key,
            dialect=dialect,
            timeouts=timeouts or EMBEDDING_TIMEOUTS,
            concurrency=concurrency,
        )
        native = NATIVE_DIMENSIONS.get(self._endpoint.wire_name)
        self._dimensions = dimensions or native or _unknown(model)
        self._options: dict[str, Any] = {} if native in (None, self._dimensions) else {"dimensions": self._dimensions}
        self._prefixes = prefixes
        self._most_bytes = most_bytes
        self._retrier = Retrier(retry)

    @property
    def name(self) -> str:
        """``provider:model``, with the length of the vectors and a mark of the prefixes where they are not its own."""
        length = f"@{self._dimensions}" if self._options else ""
        mark = hashlib.sha256("\0".join(self._prefixes).encode()).hexdigest()[:8] if any(self._prefixes) else ""
        return f"{self._model}{length}{mark and '+'}{mark}"

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return self._dimensions

    async def embed(self, texts: Sequence[str], *, query: bool = False) -> NDArray[np.float32]:
        """Embed texts. See :class:`agentinfra.core.interfaces.Embedder`.

        Raises:
            ModelUnavailable: No key, no network, or the provider is closed to us.
            ReplyError: The answer broke off, came too late, or holds other vectors than were asked for.
            ModelError: The provider did not accept the request.
        """
        import numpy as np  # noqa: PLC0415  (not on the way of those who only chat)

        ready = [_ready(self._prefixes[query] + text, self._most_bytes) for text in texts]
        try:
            async with asyncio.TaskGroup() as group:
                asked = [group.create_task(self._ask(batch)) for batch in _batches(ready)]
        except ExceptionGroup as failed:
            # The others were ended because of the first.
            raise failed.exceptions[0] from None
        return np.concatenate([np.empty((0, self._dimensions), np.float32), *(task.result() for task in asked)])

    async def aclose(self) -> None:
        """Release connections."""
        await self._endpoint.aclose()

    async def _ask(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return await self._retrier.run(lambda: self._send(texts))

    async def _send(self, texts: Sequence[str]) -> NDArray[np.float32]:
        guard = ReplyGuard(self._model, self._endpoint.timeouts, _NO_TOKENS)
        async with self._endpoint.client() as client, guard, self._endpoint.mapped_errors(guard):
            # The SDK's overloads are for options known beforehand.
            create = cast("Callable[..., Awaitable[Any]]", client.embeddings.create)
            answer = await create(model=self._endpoint.wire_name, input=texts, **self._options)
            return self._read(answer.data, len(texts))

    def _read(self, entries: Sequence[Any], count: int) -> NDArray[np.float32]:
        import numpy as np  # noqa: PLC0415

        if sorted(entry.index for entry in entries) != list(range(count)):
            raise ValueError(f"{len(entries)} vectors came for {count} texts")
        found = {len(entry.embedding) for entry in entries}
        if found != {self._dimensions}:
            raise self._other_length(max(found))
        ordered = sorted(entries, key=lambda entry: entry.index)
        vectors = np.array([entry.embedding for entry in ordered], np.float32)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not np.all(np.isfinite(lengths)) or not np.all(lengths > 0):
            raise ValueError("A vector in it has no direction")
        return vectors / lengths

    def _other_length(self, found: int) -> ReplyError:
        return ReplyError(
            f"{self._model} gives vectors of another length",
            why=f"They have {found} numbers, not {self._dimensions}",
            next_step=f"Say dimensions={found}",
        )


def _ready(text: str, most_bytes: int) -> str:
    """The text as it may be sent: not too long, and not empty, which no server takes."""
    data = text.encode(errors="replace")[:most_bytes]
    return data.decode(errors="ignore") if data.strip() else "-"


def _batches(texts: Sequence[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    size = 0
    for text in texts:
        length = len(text.encode())
        if batch and (len(batch) == _BATCH_TEXTS or size + length > _BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(text)
        size += length
    if batch:
        yield batch


def _unknown(model: str) -> int:
    raise ConfigError(
        f"It is not known how long the vectors of {model} are",
        why=f"Only {', '.join(NATIVE_DIMENSIONS)} need not be told",
        next_step="Say dimensions=…, as the model's card has it",
    )
