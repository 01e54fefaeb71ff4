"""OpenAI's Chat Completions, and every server that speaks them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, aclosing
from typing import TYPE_CHECKING, Any, cast

from agentinfra.core.interfaces import ModelProfile
from agentinfra.core.messages import ChatReply, ChatRequest, Delta
from agentinfra.models.bounded_body import tail_of
from agentinfra.models.capabilities import require_supported
from agentinfra.models.openai_chat_reply import ReplyBuilder
from agentinfra.models.openai_chat_wire import to_payload
from agentinfra.models.openai_client import ContentFiltered, Dialect, OpenAIEndpoint
from agentinfra.models.openai_request import COMPATIBLE_PROFILE, REASONING_TOKENS, cut_at_stop, priced, profile_of
from agentinfra.models.reply_guard import ReplyGuard
from agentinfra.models.timeouts import Timeouts
from agentinfra.models.tool_names import ToolNames
from agentinfra.security.secret import Secret

if TYPE_CHECKING:
    from openai import AsyncOpenAI, AsyncStream
    from openai.types.chat import ChatCompletionChunk


class OpenAIChatModel:
    """A model behind Chat Completions: OpenAI, Azure, Ollama, LM Studio, vLLM, llama.cpp, OpenRouter and others.

    Neither the key nor the SDK is looked at before the first request.

    Args:
        name: ``provider:model``; what stands after the colon goes onto the wire.
        base_url: The endpoint; ``OPENAI_BASE_URL`` or OpenAI itself where it is None. For Azure
            ``https://NAME.openai.azure.com/openai/v1``, or ``https://NAME.openai.azure.com`` with an ``api_version``.
        api_key: The key; ``OPENAI_API_KEY`` where it is None, ``AZURE_OPENAI_API_KEY`` for Azure. Endpoints other
            than theirs work without.
        profile: What the model can do; by its name where it is None.
        timeouts: Limits of one call.
        api_version: Of Azure's older interface.
        key_variable: Environment variable of the key, where it is another provider's; without a key nothing is asked.
        dialect: Whose server it is; None reads it off the address.
    """

    def __init__(
        self,
        name: str,
        *,
        base_url: str | None = None,
        api_key: str | Secret | None = None,
        profile: ModelProfile | None = None,
        timeouts: Timeouts | None = None,
        api_version: str | None = None,
        key_variable: str | None = None,
        dialect: Dialect | None = None,
    ) -> None:
        self._name = name
        self._given = profile
        self._endpoint = OpenAIEndpoint(
            name,
            base_url=base_url,
            api_key=api_key,
            api_version=api_version,
            key_variable=key_variable,
            dialect=dialect,
            timeouts=timeouts,
            concurrency=(profile or COMPATIBLE_PROFILE).concurrency,
        )

    @property
    def name(self) -> str:
        """``provider:model``."""
        return self._name

    @property
    def profile(self) -> ModelProfile:
        """What it can do."""
        if self._given is not None:
            return self._given
        if self._endpoint.dialect == "compatible":
            return COMPATIBLE_PROFILE
        return profile_of(self._endpoint.wire_name, responses=False)

    async def complete(self, request: ChatRequest) -> ChatReply:
        """Answer the request; cancelling closes the stream, and the server stops writing.

        Raises:
            NotSupported: The request holds or wants what the model cannot take or give.
            ModelUnavailable: No key, no network, or the provider is closed to us.
            ReplyError: The answer broke off, came too late, or would not end.
            ModelError: The provider did not accept the request.
        """
        require_supported(self._name, self.profile, request)
        endpoint, names = self._endpoint, ToolNames.of(request)
        payload = to_payload(request, endpoint.wire_name, endpoint.dialect, names)
        builder = ReplyBuilder(self._name, names)
        bound = request.max_tokens + REASONING_TOKENS
        async with (
            endpoint.client() as client,
            ReplyGuard(self._name, endpoint.timeouts, bound, request.on_delta) as guard,
        ):
            try:
                async with aclosing(self._pieces(client, payload, builder, guard)) as pieces:
                    async for piece in pieces:
                        await guard.emit(piece)
            except ContentFiltered:
                return ChatReply((), self._name, stop_reason="content_filter")
        stops = () if "stop" in payload else request.stop
        return priced(cut_at_stop(builder.build(), stops), endpoint.priced_as, told=builder.usage is not None)

    async def aclose(self) -> None:
        """Release connections."""
        await self._endpoint.aclose()

    async def _pieces(
        self, client: AsyncOpenAI, payload: dict[str, Any], builder: ReplyBuilder, guard: ReplyGuard
    ) -> AsyncGenerator[Delta]:
        async with self._endpoint.mapped_errors(guard):
            stream = cast("AsyncStream[ChatCompletionChunk]", await client.chat.completions.create(**payload))
            async with cast("AbstractAsyncContextManager[object]", stream):
                async for chunk in stream:
                    guard.heard()
                    for piece in builder.take(chunk):
                        yield piece
        # Servers that never say why they end at least say that they do.
        if not builder.finish and b"[DONE]" not in tail_of(stream.response):
            raise self._endpoint.broken_off("The stream ended without a finish reason", guard)
