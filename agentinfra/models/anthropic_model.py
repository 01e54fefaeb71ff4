"""Claude over Anthropic's Messages API."""

from __future__ import annotations

import json
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from agentinfra.core.interfaces import ModelProfile
from agentinfra.core.messages import ChatReply, ChatRequest, Delta
from agentinfra.models.anthropic_client import AnthropicEndpoint, form_of
from agentinfra.models.anthropic_reply import ReplyBuilder
from agentinfra.models.anthropic_wire import to_payload
from agentinfra.models.capabilities import require_supported
from agentinfra.models.claude_models import claude
from agentinfra.models.prices import cost_of
from agentinfra.models.reply_guard import ReplyGuard
from agentinfra.models.timeouts import Timeouts
from agentinfra.models.tool_names import ToolNames
from agentinfra.security.secret import Secret

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic
    from anthropic._streaming import ServerSentEvent  # a type that the SDK does not export


class AnthropicModel:
    """A Claude model, or another one behind a server that speaks Anthropic's format.

    Neither the key nor the SDK is looked at before the first request.

    Args:
        name: ``anthropic:model``; what stands after the colon goes onto the wire.
        base_url: The endpoint; ``ANTHROPIC_BASE_URL`` or Anthropic itself where it is None.
        api_key: The key; ``ANTHROPIC_API_KEY`` where it is None.
        profile: What the model can do; by its name where it is None.
        timeouts: Limits of one call.
    """

    def __init__(
        self,
        name: str,
        *,
        base_url: str | None = None,
        api_key: str | Secret | None = None,
        profile: ModelProfile | None = None,
        timeouts: Timeouts | None = None,
    ) -> None:
        self._name = name
        self._profile = profile or claude(name).profile
        self._endpoint = AnthropicEndpoint(
            name, base_url=base_url, api_key=api_key, timeouts=timeouts, concurrency=self._profile.concurrency
        )

    @property
    def name(self) -> str:
        """``anthropic:model``."""
        return self._name

    @property
    def profile(self) -> ModelProfile:
        """What it can do."""
        return self._profile

    async def complete(self, request: ChatRequest) -> ChatReply:
        """Answer the request; cancelling closes the stream, and Anthropic stops writing.

        Raises:
            NotSupported: The request holds or wants what the model cannot take or give.
            ModelUnavailable: No key, no network, or Anthropic is closed to us.
            ReplyError: The answer broke off, came too late, or would not end.
            ModelError: Anthropic did not accept the request.
        """
        require_supported(self._name, self._profile, request)
        names = ToolNames.of(request)
        builder = ReplyBuilder(self._name, names)
        async with self._endpoint.client() as client:
            form = form_of(request.schema) if self._profile.native_schema else None
            payload = to_payload(request, self._name, names, form)
            bound = payload["max_tokens"]
            async with ReplyGuard(self._name, self._endpoint.timeouts, bound, request.on_delta) as guard:
                await self._stream(client, payload, builder, guard)
        reply = builder.build()
        cost = cost_of(self._name, reply.usage) if builder.told_usage else None
        return replace(reply, usage=replace(reply.usage, cost_usd=cost))

    async def aclose(self) -> None:
        """Release connections."""
        await self._endpoint.aclose()

    async def _stream(
        self, client: AsyncAnthropic, payload: dict[str, Any], builder: ReplyBuilder, guard: ReplyGuard
    ) -> None:
        async with self._endpoint.mapped_errors(guard):
            stream = await client.messages.create(**payload, stream=True)
        async with cast("AbstractAsyncContextManager[object]", stream):
            # Raw, since the SDK's own events leave out the pings that come while a model thinks.
            events = type(stream).raw_events(stream.response)
            while True:
                async with self._endpoint.mapped_errors(guard):
                    event = await anext(events, None)
                if event is None:
                    break
                guard.heard()
                piece = self._read(event, builder, guard)
                if piece is not None:
                    await guard.emit(piece)
        if not builder.stop:
            raise self._endpoint.broken_off("The stream ended without a stop reason", guard)

    def _read(self, event: ServerSentEvent, builder: ReplyBuilder, guard: ReplyGuard) -> Delta | None:
        if event.event == "error":
            raise self._endpoint.told_in_stream(event.data, guard)
        try:
            return builder.take(json.loads(event.data)) if event.data else None
        except (ValueError, RecursionError) as error:
            raise self._endpoint.broken_off(f"Unreadable event: {error}", guard) from None
