"""Where a server that speaks OpenAI's formats is, how to get in, and what its errors mean."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from agentinfra.core.errors import ModelError
from agentinfra.models import failures
from agentinfra.models.bounded_body import bounded
from agentinfra.models.loop_clients import LoopClients
from agentinfra.models.reply_guard import ReplyGuard
from agentinfra.models.timeouts import Timeouts
from agentinfra.security.secret import Secret

if TYPE_CHECKING:
    import httpx2
    import openai
    from openai import AsyncOpenAI

OPENAI_URL = "https://api.openai.com/v1"
KEY_VARIABLE = "OPENAI_API_KEY"
AZURE_KEY_VARIABLE = "AZURE_OPENAI_API_KEY"
Dialect = Literal["openai", "azure", "compatible"]
_FILTERED = re.compile(r"content_filter|content_policy|bio_policy|misalignment_policy")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class ContentFiltered(Exception):
    """The provider's filter stopped the request or its reply; becomes a reply with that stop reason."""


def default_url() -> str:
    """The endpoint where none is given: ``OPENAI_BASE_URL`` or OpenAI itself."""
    return os.environ.get("OPENAI_BASE_URL") or OPENAI_URL


def dialect_of(url: str) -> Dialect:
    """Whose server stands behind an endpoint, as far as its address tells."""
    host = urlsplit(url).hostname or ""
    if host == "openai.com" or host.endswith(".openai.com"):
        return "openai"
    return "azure" if host.endswith(".azure.com") else "compatible"


class OpenAIEndpoint:
    """One server as one model uses it. Neither the key nor the SDK is looked at before the first request.

    Args:
        model: ``provider:model``, for the errors.
        base_url: The endpoint; None is :func:`default_url`. For Azure ``https://NAME.openai.azure.com/openai/v1``, or
            ``https://NAME.openai.azure.com`` together with an ``api_version``.
        api_key: The key; from the environment where it is None.
        api_version: Of Azure's older interface.
        key_variable: Environment variable of the key, where it is another provider's; without a key nothing is asked.
        dialect: Whose server it is; None reads it off the address.
        timeouts: Limits of one call.
        concurrency: How many requests may be in flight at once.

    Attributes:
        url: The endpoint.
        dialect: Whose server it is.
        wire_name: The model's name as the server knows it.
        key_variable: Environment variable that holds the key.
    """

    def __init__(
        self,
        model: str,
        *,
        base_url: str | None,
        api_key: str | Secret | None,
        api_version: str | None = None,
        key_variable: str | None = None,
        dialect: Dialect | None,
        timeouts: Timeouts | None,
        concurrency: int,
    ) -> None:
        self.model = model
        self.wire_name = model.partition(":")[2]
        self.url = base_url or default_url()
        self.dialect: Dialect = dialect or ("azure" if api_version else dialect_of(self.url))
        self.timeouts = timeouts or Timeouts()
        self._key = Secret.of(api_key)
        self._api_version = api_version
        self._needs_key = self.dialect != "compatible" or key_variable is not None
        self.key_variable = key_variable or (AZURE_KEY_VARIABLE if self.dialect == "azure" else KEY_VARIABLE)
        # Worth a handshake and two round trips a call to a provider; to this machine a connection costs nothing, and
        # a small server may close an idle one just as it is used.
        self._keep_alive = urlsplit(self.url).hostname not in _LOOPBACK
        self._clients: LoopClients[AsyncOpenAI] = LoopClients(
            self._new_client, concurrency, keep_alive=self._keep_alive
        )

    @property
    def priced_as(self) -> str:
        """The name under which the price list knows the model.

        Who says ``openai:`` means OpenAI, if need be through a gateway; whose ``openai-compatible:`` is, nobody knows.
        """
        means_openai = self.model.partition(":")[0] in ("openai", "openai-chat", "openai-responses")
        return f"openai:{self.wire_name}" if means_openai or self.dialect != "compatible" else self.model

    def client(self) -> AbstractAsyncContextManager[AsyncOpenAI]:
        """Wait for a turn, then lend the running loop's client.

        Raises:
            ModelUnavailable: A key is needed and there is none, or real requests are forbidden.
        """
        if self._needs_key and not self._known_key():
            raise failures.missing_key(self.model, self.key_variable)
        return self._clients.use()

    async def aclose(self) -> None:
        """Release connections."""
        await self._clients.aclose()

    @asynccontextmanager
    async def mapped_errors(self, guard: ReplyGuard) -> AsyncGenerator[None]:
        """Turn whatever the SDK raises inside into errors of ours; its own text may hold the key and goes.

        Args:
            guard: Knows whether any of the reply has come.
        """
        import openai  # noqa: PLC0415  (a second of CPU)

        try:
            yield
        except openai.APIError as error:
            mapped = self._mapped(error, guard)
            failures.scrub(error)
            raise mapped from None
        except (ValueError, TypeError, AttributeError, LookupError) as error:
            # The SDK lets through what json raises, and checks the shape of no event.
            raise self.broken_off(f"Unreadable event: {error}", guard) from None

    def broken_off(self, message: str, guard: ReplyGuard) -> ModelError:
        """The error for an answer that began and never ended."""
        return failures.broken_off(self.model, message, emitted=guard.emitted, secrets=self._secrets())

    def told_in_stream(self, code: str | None, message: str, guard: ReplyGuard) -> ModelError:
        """The error for a failure that the provider reports in its stream.

        Raises:
            ContentFiltered: It was the provider's filter.
        """
        if _FILTERED.search(code or ""):
            raise ContentFiltered
        return failures.told_in_stream(
            self.model, code or "", message, self.key_variable, emitted=guard.emitted, secrets=self._secrets()
        )

    def _mapped(self, error: openai.APIError, guard: ReplyGuard) -> ModelError:
        import openai  # noqa: PLC0415

        if _FILTERED.search(error.code or ""):
            raise ContentFiltered from None
        if isinstance(error, openai.APIStatusError):
            return failures.refused_status(
                self.model,
                error.status_code,
                error.message,
                self.key_variable,
                code=f"{error.code or ''} {error.type or ''}",
                headers=error.response.headers,
                secrets=self._secrets(),
            )
        if not isinstance(error, openai.APIConnectionError):
            return self.told_in_stream(error.code or error.type, error.message, guard)
        cause = f"{error.message} {type(error.__cause__).__name__ if error.__cause__ else ''} {error.__cause__ or ''}"
        if guard.began:
            return self.broken_off(cause, guard)
        return failures.unreachable(self.model, self.url, cause, secrets=self._secrets())

    def _known_key(self) -> str:
        return (self._key.reveal() if self._key else "") or os.environ.get(self.key_variable, "")

    def _secrets(self) -> tuple[str, ...]:
        return (self._known_key(),)

    def _new_client(self) -> AsyncOpenAI:
        import openai  # noqa: PLC0415

        options: dict[str, Any] = {
            "api_key": self._known_key() or "none",
            "max_retries": 0,
            "default_headers": {} if self._keep_alive else {"Connection": "close"},
            "http_client": self._http_client(),
        }
        if self._api_version:
            return openai.AsyncAzureOpenAI(azure_endpoint=self.url, api_version=self._api_version, **options)
        return openai.AsyncOpenAI(base_url=self.url, **options)

    def _http_client(self) -> httpx2.AsyncClient:
        import openai  # noqa: PLC0415

        # The guard of each reply bounds the waiting for words; a proxy of the environment is no way to this machine.
        return openai.DefaultAsyncHttpxClient(
            timeout=openai.Timeout(None, connect=self.timeouts.connect),
            trust_env=self._keep_alive,
            event_hooks={"response": [bounded(self.model)]},
        )
