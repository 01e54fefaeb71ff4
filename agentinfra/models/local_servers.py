"""Model servers of others that run on this machine: Ollama, LM Studio, llama.cpp."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

SERVERS: Mapping[str, str] = {
    "ollama": "http://127.0.0.1:11434/v1",
    "lmstudio": "http://127.0.0.1:1234/v1",
    "llamacpp": "http://127.0.0.1:8080/v1",
}
"""Provider names and where their servers listen unless told otherwise."""

PROBE_SECONDS = 1.0
_MOST_BYTES = 1 << 20
_MOST_MODELS = 500


@dataclass(frozen=True, slots=True)
class LocalServer:
    """A server that answered.

    Attributes:
        provider: The first half of its models' names.
        url: Its OpenAI-compatible endpoint.
        models: The models it says it has, in its order.
    """

    provider: str
    url: str
    models: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """``provider:model`` of each."""
        return tuple(f"{self.provider}:{model}" for model in self.models)


async def find_local_servers(servers: Mapping[str, str] = SERVERS) -> tuple[LocalServer, ...]:
    """Ask each place once which models it has; takes a second at most, and milliseconds where nothing listens.

    Whatever else listens on such a port is left out: only a list of models in OpenAI's form counts.

    Args:
        servers: Endpoints by provider.
    """
    found = await asyncio.gather(*(_models_of(url) for url in servers.values()))
    each = zip(servers.items(), found, strict=True)
    return tuple(LocalServer(provider, url, models) for (provider, url), models in each if models)


async def _models_of(url: str) -> tuple[str, ...]:
    import httpx2  # noqa: PLC0415  (heavy, and most programs never look)

    try:
        # A proxy of the environment is no way to this machine.
        async with asyncio.timeout(PROBE_SECONDS), httpx2.AsyncClient(trust_env=False) as client:
            async with client.stream("GET", f"{url}/models") as response:
                body = await _bounded(response)
            return _ids(httpx2.Response(response.status_code, content=body).json()) if response.is_success else ()
    except (httpx2.HTTPError, TimeoutError, ValueError):
        return ()  # nobody there, or no model server: that is what was asked


async def _bounded(response: Any) -> bytes:
    body = b""
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > _MOST_BYTES:
            raise ValueError("longer than any list of models")
    return body


def _ids(answer: object) -> tuple[str, ...]:
    listed = cast("Mapping[str, object]", answer).get("data") if isinstance(answer, dict) else None
    if not isinstance(listed, list):
        return ()
    entries = cast("Sequence[object]", listed)[:_MOST_MODELS]
    ids = [cast("Mapping[str, object]", entry).get("id") for entry in entries if isinstance(entry, dict)]
    return tuple(one for one in ids if isinstance(one, str) and one)
