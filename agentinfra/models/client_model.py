"""Models that belong to a client, such as an editor: no key of ours, the requests go through a callable."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from agentinfra.core.errors import (
    AgentInfraError,
    ModelError,
    ModelNotFound,
    NoPermission,
    NotSupported,
    QuotaExceeded,
)
from agentinfra.core.interfaces import ModelProfile
from agentinfra.core.messages import ChatReply, ChatRequest, user
from agentinfra.models import failures
from agentinfra.models.capabilities import require_supported
from agentinfra.models.client_wire import Fields, ReplyBuilder, content_of, selector_of, to_params
from agentinfra.models.real_requests import require_real_requests
from agentinfra.models.reply_guard import MOST_CHARACTERS, ReplyGuard
from agentinfra.models.timeouts import Timeouts
from agentinfra.models.tool_names import ToolNames

Chunk = Mapping[str, Any]
OnChunk = Callable[[Chunk], None]
Send = Callable[[dict[str, Any], OnChunk], Awaitable[Mapping[str, Any]]]
"""Sends the parameters of ``agentinfra/lm/request`` and waits for the result.

It hands every chunk of this request to the callback, on the event loop; cancelling it cancels the request. A refusal
is an exception that has the JSON-RPC ``code``.
"""
Count = Callable[[dict[str, Any]], Awaitable[int]]
"""Sends the parameters of ``agentinfra/lm/countTokens``."""

CLIENT_PROFILE = ModelProfile(native_schema=False, concurrency=4, inputs=("text", "image"))
_CLOSING = 5.0
_REFUSALS: dict[object, tuple[type[ModelError], str, str]] = {
    -33001: (NoPermission, "may not be asked", "Allow AgentInfra to use language models in the editor"),
    -33002: (QuotaExceeded, "takes no more of the editor's requests", "Wait until the editor's quota is renewed"),
    -33003: (ModelNotFound, "is not known to the editor", "Choose one of the editor's models"),
    -33004: (NotSupported, "cannot be used by extensions", "Choose another one of the editor's models"),
}


class ClientModel:
    """A model that a client asks for us.

    Args:
        name: ``client:id`` or ``client:vendor/family``.
        send: Sends a request and waits for its result.
        profile: What the model can do, as far as the client has told.
        count: Counts tokens, where the client can.
        timeouts: Limits of one call.
        options: The client's ``modelOptions``, which differ from model to model.
    """

    def __init__(
        self,
        name: str,
        send: Send,
        profile: ModelProfile = CLIENT_PROFILE,
        *,
        count: Count | None = None,
        timeouts: Timeouts | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        self._name = name
        self._send = send
        self._profile = profile
        self._count = count
        self._timeouts = timeouts or Timeouts()
        self._options = dict(options or {})
        self._selector = selector_of(name.partition(":")[2])
        self._gate = asyncio.Semaphore(profile.concurrency)

    @property
    def name(self) -> str:
        """``client:id`` or ``client:vendor/family``."""
        return self._name

    @property
    def profile(self) -> ModelProfile:
        """What it can do."""
        return self._profile

    async def complete(self, request: ChatRequest) -> ChatReply:
        """Have the client ask; cancelling cancels its request.

        Raises:
            NotSupported: The request holds or wants what the model cannot take or give, or extensions may not use it.
            NoPermission: The person at the client does not allow it.
            QuotaExceeded: The client's quota is used up.
            ModelNotFound: The client has no such model.
            ReplyError: The answer broke off, came too late, or would not end.
        """
        require_supported(self._name, self._profile, request)
        require_real_requests()
        names = ToolNames.of(request)
        params = {**to_params(request, self._name, names), **self._manner(request)}
        builder = ReplyBuilder(self._name, names)
        async with (
            self._gate,
            ReplyGuard(self._name, self._timeouts, request.max_tokens, request.on_delta) as guard,
        ):
            return await self._exchange(params, builder, guard)

    async def count_tokens(self, text: str) -> int | None:
        """Tokens of a text as the model counts them; None where the client cannot tell."""
        return await self._count({"selector": self._selector, "text": text}) if self._count else None

    async def aclose(self) -> None:
        """Nothing is open; the connection to the client is its owner's."""

    def _manner(self, request: ChatRequest) -> dict[str, Any]:
        manner: dict[str, Any] = {
            "requestId": uuid.uuid4().hex,
            "selector": self._selector,
            "maxInputTokens": self._profile.context_tokens,
            "justification": f"AgentInfra needs it to work on your project ({request.purpose})",
        }
        return {**manner, "modelOptions": self._options} if self._options else manner

    async def _exchange(self, params: dict[str, Any], builder: ReplyBuilder, guard: ReplyGuard) -> ChatReply:
        inbox = _Inbox(params["requestId"])
        sending = asyncio.ensure_future(self._send(params, inbox.put))
        sending.add_done_callback(lambda _: inbox.close())
        try:
            await self._take(inbox.parts(), builder, guard)
            if inbox.is_full:
                raise failures.too_much(self._name, f"{MOST_CHARACTERS:,} characters")
            result = await self._result(sending, guard)
            with self._readable(guard):
                content = () if guard.emitted else content_of(result)
            await self._take(_each(content), builder, guard)
        finally:
            inbox.close()
            await _withdraw(sending)
        with self._readable(guard):
            return builder.build(result)

    async def _take(self, parts: AsyncIterator[object], builder: ReplyBuilder, guard: ReplyGuard) -> None:
        async for part in parts:
            guard.heard()
            with self._readable(guard):
                piece = builder.take(part)
            if piece is not None:
                await guard.emit(piece)

    @contextmanager
    def _readable(self, guard: ReplyGuard) -> Generator[None]:
        try:
            yield
        except ValueError as error:
            raise failures.broken_off(self._name, f"Unreadable: {error}", emitted=guard.emitted) from None

    async def _result(self, sending: asyncio.Future[Mapping[str, Any]], guard: ReplyGuard) -> Fields:
        try:
            return await sending
        except Exception as error:  # the client's connection may fail in any way of its own
            if isinstance(error, AgentInfraError) and getattr(error, "code", None) not in _REFUSALS:
                raise
            raise self._refused(error, guard) from error

    def _refused(self, error: Exception, guard: ReplyGuard) -> ModelError:
        refusal = _REFUSALS.get(getattr(error, "code", None))
        why = failures.redact(str(error)) or type(error).__name__
        if refusal is None:
            return failures.broken_off(self._name, why, emitted=guard.emitted)
        kind, what, next_step = refusal
        return kind(f"{self._name} {what}", why=why, next_step=f"{next_step}, or {failures.WAYS_OUT}")


class _Inbox:
    """Chunks of one request: those of others, duplicates, and what comes too late are not for it.

    Attributes:
        is_full: Whether more came than any reply may hold.
    """

    def __init__(self, request_id: str) -> None:
        self._id = request_id
        self._parts: asyncio.Queue[object] = asyncio.Queue()
        self._last = -1
        self._characters = 0
        self._is_closed = False
        self.is_full = False

    def put(self, chunk: Chunk) -> None:
        given = chunk.get("seq")
        number = given if isinstance(given, int) else self._last + 1
        if self._is_closed or chunk.get("requestId", self._id) != self._id or number <= self._last:
            return
        self._last = number
        part = chunk.get("part")
        self._characters += len(str(part))
        if self._characters > MOST_CHARACTERS:
            self.is_full = True
            self.close()
        else:
            self._parts.put_nowait(part)

    def close(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            self._parts.put_nowait(_END)

    async def parts(self) -> AsyncIterator[object]:
        while not self.is_full and (part := await self._parts.get()) is not _END:
            yield part


_END = object()


async def _each(parts: Iterable[object]) -> AsyncIterator[object]:
    for part in parts:
        yield part


async def _withdraw(sending: asyncio.Future[Mapping[str, Any]]) -> None:
    """Cancel the request if it still runs; a client that does not let go of it is left behind."""
    sending.cancel()
    await asyncio.wait([sending], timeout=_CLOSING)
    if sending.done() and not sending.cancelled():
        sending.exception()


@dataclass(frozen=True, slots=True)
class Available:
    """Which of a client's models really answer.

    Attributes:
        models: Those that did.
        failures: What each of the others said instead, by name.
    """

    models: tuple[ClientModel, ...]
    failures: Mapping[str, ModelError]


async def available(models: Iterable[ClientModel]) -> Available:
    """Ask each model for one word: clients list models that refuse every request.

    Each costs one request of the person's quota, and the first may bring up a question of consent.

    Args:
        models: As the client lists them.
    """
    listed = tuple(models)
    found = await asyncio.gather(*(_problem_of(model) for model in listed))
    problems = {model.name: problem for model, problem in zip(listed, found, strict=True) if problem is not None}
    return Available(tuple(model for model in listed if model.name not in problems), problems)


async def _problem_of(model: ClientModel) -> ModelError | None:
    ask = ChatRequest((user("Answer with one word: ready"),), purpose="probe", max_tokens=64)
    try:
        reply = await model.complete(ask)
    except ModelError as error:
        return error
    return None if reply.parts else failures.broken_off(model.name, "It answered with nothing")


def client_provider(
    send: Send, profile: ModelProfile = CLIENT_PROFILE, *, count: Count | None = None
) -> Callable[[str], ClientModel]:
    """The factory of ``client:`` models, for ``ModelManager(providers={"client": …})``.

    Args:
        send: Sends a request and waits for its result.
        profile: What the client's models can do.
        count: Counts tokens, where the client can.
    """
    return lambda name: ClientModel(f"client:{name}", send, profile, count=count)
