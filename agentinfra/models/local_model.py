"""Models on this machine: a GGUF file, run by llama.cpp in a child process of ours."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from agentinfra.core.errors import ConfigError, ModelError, ModelUnavailable
from agentinfra.core.interfaces import ModelProfile
from agentinfra.core.messages import ChatReply, ChatRequest
from agentinfra.models.catalog import CATALOG
from agentinfra.models.download import ensure_model, in_steps
from agentinfra.models.local_process import Address, LocalProcess
from agentinfra.models.openai_chat_model import OpenAIChatModel
from agentinfra.models.timeouts import Timeouts

LOCAL_PROFILE = ModelProfile(prompts="compact", context_tokens=8192, native_schema=True, tools=False, concurrency=1)
# A full context takes minutes to read on one core before the first word comes.
LOCAL_TIMEOUTS = Timeouts(connect=5.0, first=600.0, silence=600.0, whole=1200.0)


class LocalModel:
    """``local:NAME`` from the catalogue, or ``local:/path/to/model.gguf``.

    The child starts with the first request and is shared by all models of this process with the same file; it is
    started again once if it dies under a request. A file of the catalogue that is not there yet is fetched.

    Args:
        name: The name, with or without ``local:``.
        fetch: Finds the catalogue's file; the default downloads it where it is missing.
        tell: Told in sentences how far that download is; may be called from a worker thread.
        process: Makes the child for a file; for tests.

    Raises:
        ConfigError: The catalogue does not have that name.
    """

    def __init__(
        self,
        name: str,
        *,
        fetch: Callable[[str], Awaitable[Path]] | None = None,
        tell: Callable[[str], None] | None = None,
        process: Callable[[Path], LocalProcess] = LocalProcess,
    ) -> None:
        self._short = name.removeprefix("local:")
        if self._short not in CATALOG and not self._short.endswith(".gguf"):
            raise _unknown(self._short)
        self._fetch = fetch or partial(_from_catalog, tell)
        self._make_process = process
        self._process: LocalProcess | None = None
        self._client: tuple[Address, OpenAIChatModel] | None = None

    @property
    def name(self) -> str:
        """``local:`` and the catalogue's name or the file's path."""
        return f"local:{self._short}"

    @property
    def profile(self) -> ModelProfile:
        """A small model that answers one request at a time."""
        return LOCAL_PROFILE

    async def complete(self, request: ChatRequest) -> ChatReply:
        """Answer the request; costs nothing.

        Raises:
            ModelUnavailable: No model file, or the engine does not start.
            ReplyError: The answer broke off or came too late.
        """
        process = await self._own_process()
        client = await self._connected(process)
        try:
            reply = await client.complete(request)
        except ModelError:
            if not await asyncio.to_thread(process.has_died):
                raise
            reply = await (await self._connected(process)).complete(request)
        return replace(reply, usage=replace(reply.usage, cost_usd=0.0))

    async def aclose(self) -> None:
        """End the child, unless another model of this process still uses it."""
        if self._client is not None:
            await self._client[1].aclose()
        process, self._process, self._client = self._process, None, None
        if process is not None and _SHARED.release(process):
            await asyncio.to_thread(process.stop)

    async def _connected(self, process: LocalProcess) -> OpenAIChatModel:
        address = await asyncio.to_thread(process.ensure_started)
        if self._client is None or self._client[0] != address:
            client = OpenAIChatModel(
                self.name,
                base_url=address.url,
                api_key=address.key,
                profile=LOCAL_PROFILE,
                timeouts=LOCAL_TIMEOUTS,
            )
            self._client = (address, client)
        return self._client[1]

    async def _own_process(self) -> LocalProcess:
        if self._process is None:
            path = Path(self._short) if self._short not in CATALOG else await self._fetch(self._short)
            if not path.is_file():
                raise ModelUnavailable(
                    f"{self.name} has no file", why=f"{path} is not there", next_step="Check the path of the model"
                )
            # Another request may have come through while the file was fetched.
            self._process = self._process or _SHARED.acquire(path.resolve(), self._make_process)
        return self._process


class _SharedProcesses:
    """The children of this process by model file, with the number of models that use each."""

    def __init__(self) -> None:
        self._users: dict[Path, tuple[LocalProcess, int]] = {}

    def acquire(self, path: Path, make: Callable[[Path], LocalProcess]) -> LocalProcess:
        process, users = self._users.get(path) or (make(path), 0)
        self._users[path] = (process, users + 1)
        return process

    def release(self, process: LocalProcess) -> bool:
        """Give one use back; True when nobody uses the child any more."""
        path, users = next((path, users) for path, (known, users) in self._users.items() if known is process)
        if users > 1:
            self._users[path] = (process, users - 1)
            return False
        del self._users[path]
        return True


_SHARED = _SharedProcesses()


async def _from_catalog(tell: Callable[[str], None] | None, name: str) -> Path:
    return await ensure_model(CATALOG[name], progress=in_steps(tell) if tell else None)


def _unknown(name: str) -> ConfigError:
    return ConfigError(
        f"There is no local model {name!r}",
        why=f"The catalogue has {', '.join(CATALOG)}",
        next_step="Choose one of these, or give the path of a .gguf file: local:/path/to/model.gguf",
    )
