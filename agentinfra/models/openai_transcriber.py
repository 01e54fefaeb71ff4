"""Transcription by OpenAI, and by servers that offer the same call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, cast

from agentinfra.core.messages import Audio, Usage
from agentinfra.models.openai_client import Dialect, OpenAIEndpoint
from agentinfra.models.openai_request import sound_format
from agentinfra.models.prices import cost_of
from agentinfra.models.reply_guard import ReplyGuard
from agentinfra.models.retry import Retrier, RetryPolicy
from agentinfra.models.timeouts import Timeouts
from agentinfra.models.transcription import Transcript
from agentinfra.security.secret import Secret

_MOST_TOKENS = 100_000
"""Of hours of speech; there is no bound to ask for."""


class OpenAITranscriber:
    """Turns sound into text.

    Neither the key nor the SDK is looked at before the first request.

    Args:
        name: ``provider:model``; what stands after the colon goes onto the wire.
        base_url: The endpoint; ``OPENAI_BASE_URL`` or OpenAI itself where it is None.
        api_key: The key; ``OPENAI_API_KEY`` where it is None.
        timeouts: Limits of one request; there is one answer, so ``first`` is the time to it.
        dialect: Whose server it is; None reads it off the address.
        concurrency: How many calls may be in flight at once.
        retry: How often and how long to go on trying.
    """

    def __init__(
        self,
        name: str = "openai:gpt-4o-transcribe",
        *,
        base_url: str | None = None,
        api_key: str | Secret | None = None,
        timeouts: Timeouts | None = None,
        dialect: Dialect | None = None,
        concurrency: int = 4,
        retry: RetryPolicy | None = None,
    ) -> None:
        self._name = name
        self._retrier = Retrier(retry)
        self._endpoint = OpenAIEndpoint(
            name,
            base_url=base_url,
            api_key=api_key,
            dialect=dialect,
            timeouts=timeouts,
            concurrency=concurrency,
        )

    @property
    def name(self) -> str:
        """``provider:model``."""
        return self._name

    async def transcribe(self, sound: Audio, *, language: str | None = None, prompt: str = "") -> Transcript:
        """Write down what is said.

        Args:
            sound: The recording.
            language: ISO 639-1 code, where it is known.
            prompt: Words to expect, such as names.

        Raises:
            ModelUnavailable: No key, no network, or the provider is closed to us.
            ReplyError: The answer broke off or came too late.
            ModelError: The provider did not accept the request.
        """
        options: dict[str, Any] = {"language": language} if language else {}
        if prompt:
            options["prompt"] = prompt
        file = (f"sound.{sound_format(sound)}", sound.data, sound.media_type)
        return await self._retrier.run(lambda: self._send(file=file, response_format="json", **options))

    async def aclose(self) -> None:
        """Release connections."""
        await self._endpoint.aclose()

    async def _send(self, **options: Any) -> Transcript:
        guard = ReplyGuard(self._name, self._endpoint.timeouts, _MOST_TOKENS)
        async with self._endpoint.client() as client, guard, self._endpoint.mapped_errors(guard):
            # The SDK's overloads are for options known beforehand.
            create = cast("Callable[..., Awaitable[Any]]", client.audio.transcriptions.create)
            return self._read(await create(model=self._endpoint.wire_name, **options))

    def _read(self, answer: Any) -> Transcript:
        if not isinstance(answer.text, str):
            raise ValueError("There is no text in it")
        told = answer.usage
        if told is None or told.type != "tokens":
            return Transcript(answer.text, self._name)
        usage = Usage(told.input_tokens, told.output_tokens)
        cost = cost_of(self._endpoint.priced_as, usage)
        return Transcript(answer.text, self._name, Usage(told.input_tokens, told.output_tokens, cost_usd=cost))
