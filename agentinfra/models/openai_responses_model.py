"""OpenAI's Responses: its own interface for models that think, draw and call tools."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, aclosing
from typing import TYPE_CHECKING, Any, Literal, cast

from agentinfra.core.interfaces import ModelProfile
from agentinfra.core.messages import ChatReply, ChatRequest, Delta
from agentinfra.models.capabilities import require_supported
from agentinfra.models.openai_client import ContentFiltered, Dialect, OpenAIEndpoint
from agentinfra.models.openai_request import REASONING_TOKENS, cut_at_stop, priced, profile_of
from agentinfra.models.openai_responses_reply import ResponsesBuilder
from agentinfra.models.openai_responses_wire import to_payload
from agentinfra.models.reply_guard import ReplyGuard
from agentinfra.models.timeouts import Timeouts
from agentinfra.models.tool_names import ToolNames
from agentinfra.security.secret import Secret

if TYPE_CHECKING:
    from openai import AsyncOpenAI, AsyncStream
    from openai.types.responses import ResponseStreamEvent


class OpenAIResponsesModel:
    """A model behind the Responses interface of OpenAI or Azure.

    Nothing is stored at the provider (``store`` is false in every request). What the model thinks comes encrypted
    and goes back unchanged with the next request to the same model. Neither the key nor the SDK is looked at before
    the first request.

    Args:
        name: ``provider:model``; what stands after the colon goes onto the wire.
        base_url: The endpoint; ``OPENAI_BASE_URL`` or OpenAI itself where it is None. For Azure
            ``https://NAME.openai.azure.com/openai/v1``.
        api_key: The key; ``OPENAI_API_KEY`` where it is None, ``AZURE_OPENAI_API_KEY`` for Azure.
        profile: What the model can do; by its name where it is None.
        timeouts: Limits of one call.
        dialect: Whose server it is; None reads it off the address.
        summary: How a model sums up for people what it thinks; None asks for no summary. Some accounts must be
            verified before OpenAI gives summaries.
    """

    def __init__(
        self,
        name: str,
        *,
        base_url: str | None = None,
        api_key: str | Secret | None = None,
        profile: ModelProfile | None = None,
        timeouts: Timeouts | None = None,
        dialect: Dialect | None = None,
        summary: Literal["auto", "concise", "detailed"] | None = None,
    ) -> None:
        self._name = name
        self._profile = profile or profile_of(name.partition(":")[2], responses=True)
        self._summary = summary
        self._endpoint = OpenAIEndpoint(
            name,
            base_url=base_url,
            api_key=api_key,
            dialect=dialect,
            timeouts=timeouts,
            concurrency=self._profile.concurrency,
        )

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
            NotSupported: The request holds or wants what the model cannot take or give.
            ModelUnavailable: No key, no network, or the provider is closed to us.
            ReplyError: The answer broke off, came too late, or would not end.
            ModelError: The provider did not accept the request.
        """
        require_supported(self._name, self._profile, request)
        endpoint, names = self._endpoint, ToolNames.of(request)
        payload = to_payload(request, self._name, names, self._summary)
        builder = ResponsesBuilder(self._name, names)
        guard = ReplyGuard(self._name, endpoint.timeouts, request.max_tokens + REASONING_TOKENS, request.on_delta)
        async with endpoint.client() as client, guard:
            try:
                async with aclosing(self._pieces(client, payload, builder, guard)) as pieces:
                    async for piece in pieces:
                        await guard.emit(piece)
            except ContentFiltered:
                return ChatReply((), self._name, stop_reason="content_filter")
        return priced(cut_at_stop(builder.build(), request.stop), endpoint.priced_as, told=builder.told)

    async def aclose(self) -> None:
        """Release connections."""
        await self._endpoint.aclose()

    async def _pieces(
        self, client: AsyncOpenAI, payload: dict[str, Any], builder: ResponsesBuilder, guard: ReplyGuard
    ) -> AsyncGenerator[Delta]:
        async with self._endpoint.mapped_errors(guard):
            stream = cast("AsyncStream[ResponseStreamEvent]", await client.responses.create(**payload))
            async with cast("AbstractAsyncContextManager[object]", stream):
                async for event in stream:
                    guard.heard()
                    if event.type == "error":
                        raise self._endpoint.told_in_stream(event.code, event.message, guard)
                    for piece in builder.take(event):
                        yield piece
        self._require_end(builder, guard)

    def _require_end(self, builder: ResponsesBuilder, guard: ReplyGuard) -> None:
        response = builder.response
        if response is None:
            raise self._endpoint.broken_off("The stream ended without the end of the response", guard)
        if response.status == "failed":
            error = response.error
            code, message = (error.code, error.message) if error else ("", "It does not say why")
            raise self._endpoint.told_in_stream(code, message, guard)
