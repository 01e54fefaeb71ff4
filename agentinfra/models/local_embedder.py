"""Embeddings by a model on this machine: a GGUF file, run by llama.cpp in a child process of ours."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from agentinfra.core.errors import ConfigError, ModelError, ModelUnavailable
from agentinfra.models.local_process import Address, LocalProcess, Pooling
from agentinfra.models.openai_embedder import OpenAIEmbedder
from agentinfra.models.timeouts import Timeouts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CONTEXT_TOKENS = 2048
_SPARE_TOKENS = 16
"""For the marks that a tokeniser sets around a text."""
_TIMEOUTS = Timeouts(connect=5.0, first=600.0, silence=600.0, whole=600.0)


class LocalEmbedder:
    """``local:/path/to/model.gguf``: an embedding model, or any other with a way of pooling.

    The child starts with the first texts, and is started again once if it dies under a request.

    Args:
        name: The path of the file, with or without ``local:``.
        dimensions: Length of the model's vectors.
        prefixes: What goes before a text and before a query, for models that were trained so.
        pooling: How one vector is made of a text's; chat models say nothing of it themselves, so "mean" for these.
        process: Makes the child for a file; for tests.

    Raises:
        ConfigError: The name is no path of a .gguf file.
    """

    def __init__(
        self,
        name: str,
        *,
        dimensions: int,
        prefixes: tuple[str, str] = ("", ""),
        pooling: Pooling = "own",
        process: Callable[..., LocalProcess] = LocalProcess,
    ) -> None:
        self._path = Path(name.removeprefix("local:"))
        if self._path.suffix != ".gguf":
            raise ConfigError(f"{name!r} is no embedding model", next_step="Give the path of a .gguf file")
        self._dimensions = dimensions
        self._prefixes = prefixes
        self._pooling: Pooling = pooling
        self._process = process(self._path, context_tokens=CONTEXT_TOKENS, embeddings=pooling)
        self._client: tuple[Address, OpenAIEmbedder] | None = None

    @property
    def name(self) -> str:
        """``local:``, the file's name and what else makes its vectors; its folder says nothing about them."""
        plain = OpenAIEmbedder(f"local:{self._path.name}", dimensions=self._dimensions, prefixes=self._prefixes).name
        return plain if self._pooling == "own" else f"{plain}:{self._pooling}"

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return self._dimensions

    async def embed(self, texts: Sequence[str], *, query: bool = False) -> NDArray[np.float32]:
        """Embed texts, the first two thousand bytes of each. See :class:`agentinfra.core.interfaces.Embedder`.

        Raises:
            ModelUnavailable: No model file, or the engine does not start.
            ReplyError: The vectors are not those that were asked for.
        """
        if not self._path.is_file():
            raise ModelUnavailable(
                f"{self.name} has no file", why=f"{self._path} is not there", next_step="Check the path of the model"
            )
        client = await self._connected()
        try:
            return await client.embed(texts, query=query)
        except ModelError:
            if not await asyncio.to_thread(self._process.has_died):
                raise
            return await (await self._connected()).embed(texts, query=query)

    async def aclose(self) -> None:
        """End the child."""
        client, self._client = self._client, None
        if client is not None:
            await client[1].aclose()
        await asyncio.to_thread(self._process.stop)

    async def _connected(self) -> OpenAIEmbedder:
        address = await asyncio.to_thread(self._process.ensure_started)
        if self._client is None or self._client[0] != address:
            client = OpenAIEmbedder(
                f"local:{self._path.name}",
                dimensions=self._dimensions,
                base_url=address.url,
                api_key=address.key,
                prefixes=self._prefixes,
                most_bytes=CONTEXT_TOKENS - _SPARE_TOKENS,
                timeouts=_TIMEOUTS,
                concurrency=1,
            )
            self._client = (address, client)
        return self._client[1]
