"""Where Anthropic's interface is, how to get in, and what its errors mean."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from agentinfra.core.errors import ModelError
from agentinfra.core.messages import JsonSchema
from agentinfra.models import failures
from agentinfra.models.anthropic_schema import enforceable
from agentinfra.models.bounded_body import bounded
from agentinfra.models.loop_clients import LoopClients
from agentinfra.models.reply_guard import ReplyGuard
from agentinfra.models.timeouts import Timeouts
from agentinfra.security.secret import Secret

if TYPE_CHECKING:
    import anthropic
    from anthropic import AsyncAnthropic

KEY_VARIABLE = "ANTHROPIC_API_KEY"
URL_VARIABLE = "ANTHROPIC_BASE_URL"
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class AnthropicEndpoint:
    """The server as one model uses it. Neither the key nor the SDK is looked at before the first request.

    Args:
        model: ``provider:model``, for the errors.
        base_url: The endpoint; ``ANTHROPIC_BASE_URL`` or Anthropic itself where it is None.
        api_key: The key; ``ANTHROPIC_API_KEY`` where it is None.
        timeouts: Limits of one call.
        concurrency: How many requests may be in flight at once.
    """

    def __init__(
        self,
        model: str,
        *,
        base_url: str | None,
        api_key: str | Secret | None,
        timeouts: Timeouts | None,
        concurrency: int,
    ) -> None:
        self.model = model
        self.timeouts = timeouts or Timeouts()
        self._url = base_url
        self._key = Secret.of(api_key)
        self._clients: LoopClients[AsyncAnthropic] = LoopClients(self._new_client, concurrency)

    def client(self) -> AbstractAsyncContextManager[AsyncAnthropic]:
        """Wait for a turn, then lend the running loop's client.

        Raises:
            ModelUnavailable: There is no key, or real requests are forbidden.
        """
        if not self._known_key():
            raise failures.missing_key(self.model, KEY_VARIABLE)
        return self._clients.use()

    async def aclose(self) -> None:
        """Release connections."""
        await self._clients.aclose()

    @asynccontextmanager
    async def mapped_errors(self, guard: ReplyGuard) -> AsyncGenerator[None]:
        """Turn what the SDK and its HTTP client raise into errors of ours; their own text may hold the key and goes.

        Args:
            guard: Knows whether any of the reply has come.
        """
        import anthropic  # noqa: PLC0415  (two seconds of CPU)
        import httpx2  # noqa: PLC0415

        try:
            yield
        except anthropic.APIError as error:
            mapped = self._mapped(error)
            failures.scrub(error)
            raise mapped from None
        except httpx2.HTTPError as error:
            # The SDK maps what its HTTP client raises before the answer begins, but not after.
            raise self.broken_off(f"{type(error).__name__} {error}", guard) from None
        except ValueError as error:
            raise self.broken_off(f"Unreadable stream: {error}", guard) from None

    def broken_off(self, message: str, guard: ReplyGuard) -> ModelError:
        """The error for an answer that began and never ended."""
        return failures.broken_off(self.model, message, emitted=guard.emitted, secrets=self._secrets())

    def told_in_stream(self, data: str, guard: ReplyGuard) -> ModelError:
        """The error for a failure that the provider reports in its stream, given its event's data."""
        try:
            error = json.loads(data)["error"]
            code, message = str(error["type"]), str(error["message"])
        except (ValueError, LookupError, TypeError):
            code, message = "", data
        return failures.told_in_stream(
            self.model, code, message, KEY_VARIABLE, emitted=guard.emitted, secrets=self._secrets()
        )

    def _mapped(self, error: anthropic.APIError) -> ModelError:
        import anthropic  # noqa: PLC0415

        if isinstance(error, anthropic.APIStatusError):
            return failures.refused_status(
                self.model,
                error.status_code,
                error.message,
                KEY_VARIABLE,
                code=str(error.type or ""),
                headers=error.response.headers,
                secrets=self._secrets(),
            )
        where = str(error.request.url)
        cause = f"{error.message} {type(error.__cause__).__name__ if error.__cause__ else ''} {error.__cause__ or ''}"
        return failures.unreachable(self.model, where, cause, secrets=self._secrets())

    def _known_key(self) -> str:
        return (self._key.reveal() if self._key else "") or os.environ.get(KEY_VARIABLE, "")

    def _secrets(self) -> tuple[str, ...]:
        return (self._known_key(),)

    def _new_client(self) -> AsyncAnthropic:
        import anthropic  # noqa: PLC0415

        url = self._url or os.environ.get(URL_VARIABLE)
        # The guard of each reply bounds the waiting for words; a proxy of the environment is no way to this machine.
        http = anthropic.DefaultAsyncHttpxClient(
            timeout=anthropic.Timeout(None, connect=self.timeouts.connect),
            trust_env=urlsplit(url or "").hostname not in _LOOPBACK,
            event_hooks={"response": [bounded(self.model)]},
        )
        return anthropic.AsyncAnthropic(
            base_url=url,
            api_key=self._known_key(),
            max_retries=0,
            default_headers={"Connection": "close"},
            http_client=http,
        )


def form_of(schema: JsonSchema | None) -> dict[str, Any] | None:
    """``output_config.format`` for a schema; None where the provider cannot enforce it.

    Args:
        schema: What the reply must satisfy.
    """
    import anthropic  # noqa: PLC0415

    if schema is None or not enforceable(schema):
        return None
    return {"type": "json_schema", "schema": anthropic.transform_schema(dict(schema))}
