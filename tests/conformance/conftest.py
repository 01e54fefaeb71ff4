"""Servers and models for the cases, one of each for every wire format."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest

from agentinfra.core.interfaces import ChatModel
from agentinfra.core.messages import ChatReply, ChatRequest, Delta, user
from tests.conformance.anthropic_format import AnthropicFormat
from tests.conformance.chat_format import ChatFormat
from tests.conformance.responses_format import ResponsesFormat
from tests.conformance.wire_format import Said, Seen, WireFormat
from tests.conformance.wire_server import Answer, Asked, WireServer

FORMATS: tuple[type[WireFormat], ...] = (ChatFormat, ResponsesFormat, AnthropicFormat)
"""Add a format here, and every case runs for it."""

HELLO = ChatRequest((user("Hello"),))


@pytest.fixture(params=FORMATS, ids=lambda kind: kind.name)
def wire(request: pytest.FixtureRequest) -> WireFormat:
    return request.param()


@dataclass
class Bench:
    """A format with its server and model; after the test nothing may be left that the provider objected to.

    Attributes:
        wire: The format.
        server: Set by :meth:`serve`.
        heard: The pieces that the last request's listener was told.
        objectionable: Set by a test that means to send what is refused.
    """

    wire: WireFormat
    stack: AsyncExitStack
    server: WireServer = field(init=False)
    model: ChatModel = field(init=False)
    heard: list[Delta] = field(default_factory=list[Delta])
    objectionable: bool = False

    async def serve(self, *answers: Answer | Said | Callable[[Asked], Answer], **options: Any) -> Bench:
        """Start a server that gives these answers, and a model that asks it."""
        given = [self.wire.answer(one) if isinstance(one, Said) else one for one in answers]
        server = WireServer(given, self.wire.check, self.wire.failure)
        self.server = await self.stack.enter_async_context(server.running())
        self.model = self.wire.model(server.url, **options)
        self.stack.push_async_callback(self.model.aclose)
        return self

    async def ask(self, request: ChatRequest = HELLO) -> ChatReply:
        return await self.model.complete(request)

    async def listen(self, piece: Delta) -> None:
        """A listener for ``on_delta``."""
        self.heard.append(piece)

    @property
    def objections(self) -> Sequence[str]:
        """What the provider had against requests, whether or not one was ever made."""
        return self.server.objections if hasattr(self, "server") else ()

    @property
    def seen(self) -> Sequence[Seen]:
        """The requests, as the provider read them."""
        return [self.wire.seen(asked) for asked in self.server.asked]


@pytest.fixture
async def bench_for() -> AsyncIterator[Callable[[WireFormat], Bench]]:
    """Makes a bench for one format; for the cases that only one has."""
    benches: list[Bench] = []
    async with AsyncExitStack() as stack:

        def make(wire: WireFormat) -> Bench:
            benches.append(Bench(wire, stack))
            return benches[-1]

        yield make
        objections = [one for bench in benches if not bench.objectionable for one in bench.objections]
        assert objections == []


@pytest.fixture
def bench(wire: WireFormat, bench_for: Callable[[WireFormat], Bench]) -> Bench:
    return bench_for(wire)
