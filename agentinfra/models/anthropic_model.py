"""Claude over Anthropic's Messages API. The only file that knows the ``anthropic`` SDK."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from agentinfra.core.errors import ModelError
from agentinfra.core.interfaces import ModelProfile
from agentinfra.core.messages import ChatReply, ChatRequest, Part, Text, ToolCall, Usage
from agentinfra.models import failures
from agentinfra.models.anthropic_wire import STOPS, to_payload
from agentinfra.models.loop_clients import LoopClients
from agentinfra.models.prices import cost_of
from agentinfra.models.timeouts import Timeouts

if TYPE_CHECKING:
    import anthropic
    from anthropic import AsyncAnthropic
    from anthropic.types import Message

KEY_VARIABLE = "ANTHROPIC_API_KEY"
CLAUDE_PROFILE = ModelProfile(context_tokens=200_000)


class AnthropicModel:
    """A Claude model.

    Neither the key nor the SDK is looked at before the first request.

    Args:
        name: ``anthropic:model``.
        base_url: The endpoint; ``ANTHROPIC_BASE_URL`` or Anthropic itself where it is None.
        api_key: The key; ``ANTHROPIC_API_KEY`` where it is None.
        profile: What the model can do.
        timeouts: Limits of one call.
    """

    def __init__(
        self,
        name: str,
        *,
        base_url: str | None = None,
        api_key: str | None = None,
        profile: ModelProfile = CLAUDE_PROFILE,
        timeouts: Timeouts | None = None,
    ) -> None:
        self._name = name
        self._url = base_url
        self._key = api_key
        self._profile = profile
        self._timeouts = timeouts or Timeouts()
        self._clients: LoopClients[AsyncAnthropic] = LoopClients(self._new_client, profile.concurrency)

    @property
    def name(self) -> str:
        """``anthropic:model``."""
        return self._name

    @property
    def profile(self) -> ModelProfile:
        """What it can do."""
        return self._profile

    async def complete(self, request: ChatRequest) -> ChatReply:
        """Answer the request; cancelling closes the stream.

        Raises:
            ModelUnavailable: No key, no network, or Anthropic is closed to us.
            ReplyError: The answer broke off or came too late.
            ModelError: Anthropic did not accept the request.
        """
        if not (self._key or os.environ.get(KEY_VARIABLE)):
            raise failures.missing_key(self._name, KEY_VARIABLE)
        async with self._clients.use() as client:
            reply = await self._ask(client, request)
        return replace(reply, usage=replace(reply.usage, cost_usd=cost_of(self._name, reply.usage)))

    async def aclose(self) -> None:
        """Release connections."""
        await self._clients.aclose()

    async def _ask(self, client: AsyncAnthropic, request: ChatRequest) -> ChatReply:
        import anthropic  # noqa: PLC0415  (two seconds of CPU)
        import httpx2  # noqa: PLC0415

        payload = to_payload(request, self._name.partition(":")[2])
        if request.schema is not None:
            schema = anthropic.transform_schema(dict(request.schema))
            payload["output_config"] = {"format": {"type": "json_schema", "schema": schema}}
        try:
            async with asyncio.timeout(self._timeouts.whole):
                return await self._stream(client, payload)
        except anthropic.APIError as error:
            raise self._mapped(error) from error
        except TimeoutError as error:
            raise failures.too_slow(self._name, self._timeouts.whole) from error
        except httpx2.HTTPError as error:
            # The SDK maps what its HTTP client raises before the answer begins, but not after.
            raise failures.broken_off(self._name, f"{type(error).__name__} {error}") from error
        except (ValueError, RuntimeError, AssertionError) as error:
            # How the SDK's accumulator meets events that are unreadable, out of order, or missing.
            raise failures.broken_off(self._name, f"Unreadable stream: {error}") from error

    async def _stream(self, client: AsyncAnthropic, payload: dict[str, Any]) -> ChatReply:
        async with client.messages.stream(**payload) as stream:
            message = cast("Message", await stream.get_final_message())
        if message.stop_reason is None:
            raise failures.broken_off(self._name, "The stream ended without a stop reason")
        return ChatReply(_parts(message), self._name, _usage(message), STOPS.get(message.stop_reason, "stop"))

    def _mapped(self, error: anthropic.APIError) -> ModelError:
        import anthropic  # noqa: PLC0415

        if isinstance(error, anthropic.APIStatusError) and error.status_code >= 400:
            return failures.refused_status(self._name, error.status_code, error.message, KEY_VARIABLE)
        if isinstance(error, anthropic.APIConnectionError):
            return failures.unreachable(self._name, str(error.request.url), f"{error.message} {error.__cause__ or ''}")
        return failures.broken_off(self._name, error.message)

    def _new_client(self) -> AsyncAnthropic:
        import anthropic  # noqa: PLC0415

        return anthropic.AsyncAnthropic(
            base_url=self._url,
            api_key=self._key,
            timeout=anthropic.Timeout(self._timeouts.silence, connect=self._timeouts.connect),
            max_retries=self._timeouts.retries,
            default_headers={"Connection": "close"},
        )


def _parts(message: Message) -> tuple[Part, ...]:
    parts: list[Part] = []
    for block in message.content:
        if block.type == "text" and block.text:
            parts.append(Text(block.text))
        elif block.type == "tool_use":
            parts.append(ToolCall(block.id, block.name, dict(block.input)))
    return tuple(parts)


def _usage(message: Message) -> Usage:
    usage = message.usage
    cached = usage.cache_read_input_tokens or 0
    # Anthropic counts cached input apart; our input_tokens are all of it.
    read = usage.input_tokens + cached + (usage.cache_creation_input_tokens or 0)
    return Usage(read, usage.output_tokens, cached)
