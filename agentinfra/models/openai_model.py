"""OpenAI's Chat Completions, and every server that speaks them. The only file that knows the ``openai`` SDK."""

from __future__ import annotations

import asyncio
import os
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from agentinfra.core.errors import ModelError
from agentinfra.core.interfaces import ModelProfile
from agentinfra.core.messages import ChatReply, ChatRequest, Usage
from agentinfra.models import failures
from agentinfra.models.loop_clients import LoopClients
from agentinfra.models.openai_wire import ReplyBuilder, thinks, to_payload
from agentinfra.models.prices import cost_of
from agentinfra.models.timeouts import Timeouts

if TYPE_CHECKING:
    import openai
    from openai import AsyncOpenAI, AsyncStream
    from openai.types.chat import ChatCompletionChunk
    from openai.types.completion_usage import CompletionUsage

OPENAI_URL = "https://api.openai.com/v1"
KEY_VARIABLE = "OPENAI_API_KEY"
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class OpenAIChatModel:
    """A model behind an OpenAI-compatible endpoint.

    Neither the key nor the SDK is looked at before the first request.

    Args:
        name: ``provider:model``; what stands after the colon goes onto the wire.
        base_url: The endpoint; ``OPENAI_BASE_URL`` or OpenAI itself where it is None.
        api_key: The key; ``OPENAI_API_KEY`` where it is None. Endpoints other than OpenAI's work without.
        profile: What the model can do.
        timeouts: Limits of one call.
    """

    def __init__(
        self,
        name: str,
        *,
        base_url: str | None = None,
        api_key: str | None = None,
        profile: ModelProfile | None = None,
        timeouts: Timeouts | None = None,
    ) -> None:
        self._name = name
        self._url = base_url or os.environ.get("OPENAI_BASE_URL") or OPENAI_URL
        self._key = api_key
        self._profile = profile or ModelProfile()
        self._timeouts = timeouts or Timeouts()
        self._clients: LoopClients[AsyncOpenAI] = LoopClients(self._new_client, self._profile.concurrency)

    @property
    def name(self) -> str:
        """``provider:model``."""
        return self._name

    @property
    def profile(self) -> ModelProfile:
        """What it can do."""
        return self._profile

    async def complete(self, request: ChatRequest) -> ChatReply:
        """Answer the request; cancelling closes the stream, and the server stops writing.

        Raises:
            ModelUnavailable: No key, no network, or the provider is closed to us.
            ReplyError: The answer broke off or came too late.
            ModelError: The provider did not accept the request.
        """
        self._require_key()
        wire_name = self._name.partition(":")[2]
        payload = to_payload(request, wire_name, reasoning=self._is_openai and thinks(wire_name))
        async with self._clients.use() as client:
            reply = await self._ask(client, payload)
        return replace(reply, usage=replace(reply.usage, cost_usd=cost_of(self._name, reply.usage)))

    async def aclose(self) -> None:
        """Release connections."""
        await self._clients.aclose()

    async def _ask(self, client: AsyncOpenAI, payload: dict[str, Any]) -> ChatReply:
        import openai  # noqa: PLC0415  (a second of CPU)

        try:
            async with asyncio.timeout(self._timeouts.whole):
                return await self._stream(client, payload)
        except openai.APIError as error:
            raise self._mapped(error) from error
        except TimeoutError as error:
            raise failures.too_slow(self._name, self._timeouts.whole) from error
        except ValueError as error:
            # The SDK parses each event's JSON and lets what json raises through.
            raise failures.broken_off(self._name, f"Unreadable event: {error}") from error

    async def _stream(self, client: AsyncOpenAI, payload: dict[str, Any]) -> ChatReply:
        import openai  # noqa: PLC0415

        builder = ReplyBuilder(self._name)
        stream = cast("AsyncStream[ChatCompletionChunk]", await client.chat.completions.create(**payload))
        async with cast("AbstractAsyncContextManager[object]", stream):
            try:
                async for chunk in stream:
                    _take(builder, chunk)
            except openai.APIConnectionError as error:
                raise failures.broken_off(self._name, f"{error.message} {error.__cause__ or ''}") from error
        if not builder.finish:
            raise failures.broken_off(self._name, "The stream ended without a finish reason")
        return builder.build()

    def _mapped(self, error: openai.APIError) -> ModelError:
        import openai  # noqa: PLC0415

        if isinstance(error, openai.APIStatusError):
            return failures.refused_status(self._name, error.status_code, error.message, KEY_VARIABLE)
        if isinstance(error, openai.APIConnectionError):
            cause = f"{error.message} {error.__cause__ or ''}"
            return failures.unreachable(self._name, self._url, cause)
        return failures.broken_off(self._name, str(error))

    @property
    def _is_openai(self) -> bool:
        return urlsplit(self._url).hostname == urlsplit(OPENAI_URL).hostname

    def _require_key(self) -> None:
        if self._is_openai and not (self._key or os.environ.get(KEY_VARIABLE)):
            raise failures.missing_key(self._name, KEY_VARIABLE)

    def _new_client(self) -> AsyncOpenAI:
        import openai  # noqa: PLC0415

        limits = self._timeouts
        timeout = openai.Timeout(limits.silence, connect=limits.connect)
        # A proxy of the environment is no way to this machine.
        direct = urlsplit(self._url).hostname in _LOOPBACK
        return openai.AsyncOpenAI(
            base_url=self._url,
            api_key=self._key or os.environ.get(KEY_VARIABLE) or "none",
            timeout=timeout,
            max_retries=limits.retries,
            default_headers={"Connection": "close"},
            http_client=openai.DefaultAsyncHttpxClient(trust_env=False, timeout=timeout) if direct else None,
        )


def _take(builder: ReplyBuilder, chunk: ChatCompletionChunk) -> None:
    # Compatible servers omit what OpenAI always sends, and the SDK does not validate.
    for choice in cast("list[Any] | None", chunk.choices) or ():
        delta = choice.delta
        if delta is not None:
            builder.add(delta.content, delta.refusal, delta.tool_calls or ())
        builder.finish = choice.finish_reason or builder.finish
    if chunk.usage:
        builder.usage = _usage(chunk.usage)


def _usage(usage: CompletionUsage) -> Usage:
    details = usage.prompt_tokens_details
    cached = details.cached_tokens if details else None
    return Usage(usage.prompt_tokens or 0, usage.completion_tokens or 0, cached or 0)
