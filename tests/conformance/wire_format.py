"""What the suite needs to know of a wire format: one class for each, in a file of its own.

The cases in ``test_*.py`` are written once, against this protocol, and run for every format in ``FORMATS`` of
``conftest.py``. A format says how its provider writes an answer, what it has against a request, and what it reads in
one; it builds the real model, which talks to the test's server through the real SDK.

A real server takes part as a format whose ``answer`` ignores what it should say and returns a function that forwards
the request: ``WireServer`` takes functions in the place of answers, and the cases of ``test_requests.py`` that look at
requests alone hold for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from agentinfra.core.interfaces import ChatModel, ModelProfile
from agentinfra.core.messages import StopReason
from agentinfra.models.timeouts import Timeouts
from tests.conformance.wire_server import Answer, Asked, Piece

KEY = "canary-0123456789abcdef"  # of no known form: only who knows it can hide it
QUICK = Timeouts(connect=2.0, first=5.0, silence=5.0, whole=10.0)
ALL_PARTS = ModelProfile(inputs=("text", "image", "audio", "file"), outputs=("text", "image", "audio"))


@dataclass(frozen=True)
class Called:
    """A tool call of an answer; the arguments' JSON text comes in these pieces."""

    id: str
    name: str
    arguments: Sequence[str]


@dataclass(frozen=True)
class Said:
    """An answer of the provider, before it is written in its format.

    Attributes:
        text: Pieces of text.
        thought: Text of what is thought first; None where nothing is.
        signature: Opaque, goes with the thought.
        refusal: Pieces of a refusal.
        calls: Tool calls, after the text.
        stop: Why it ends; None picks "stop" or "tool_calls".
        cached: Of the 100 input tokens, those read from the cache.
        reasoning: Of the 50 output tokens, those thought.
    """

    text: Sequence[str] = ()
    thought: str | None = None
    signature: str = ""
    refusal: Sequence[str] = ()
    calls: Sequence[Called] = ()
    stop: StopReason | None = None
    cached: int = 0
    reasoning: int = 0


INPUT_TOKENS, OUTPUT_TOKENS = 100, 50


@dataclass(frozen=True)
class Seen:
    """A request as the provider understands it.

    Attributes:
        turns: (role, kind, content) in order: kinds are "text", "image", "audio", "file", "reasoning", "call" (id,
            name, arguments) and "result" (id, text); the role of a call is "assistant", of a result "tool".
        system: All instructions.
        tools: Names of the tools.
        choice: As in a ChatRequest, with the wire's names of tools.
        parallel: Whether several calls are allowed.
        schema: The schema that the reply must satisfy.
        cache_key: What tells the provider which calls begin alike, in whatever form; "" where nothing does.
        stored: Whether the provider may keep the conversation.
    """

    turns: list[tuple[str, str, Any]]
    system: str = ""
    tools: list[str] = field(default_factory=list[str])
    choice: str = "auto"
    parallel: bool = True
    schema: dict[str, Any] | None = None
    cache_key: str = ""
    stored: bool = False

    def of_kind(self, *kinds: str) -> list[Any]:
        return [content for _, kind, content in self.turns if kind in kinds]


class WireFormat(Protocol):
    """One provider's way of speaking."""

    name: str
    replays_reasoning: bool
    """Whether thoughts go back to the model that thought them."""

    stops: frozenset[StopReason]
    """The reasons to stop that this format can tell apart, besides "stop" and "tool_calls"."""

    reads: frozenset[str]
    """Kinds of parts that a user's message may hold in this format."""

    def model(self, url: str, *, timeouts: Timeouts = QUICK, profile: ModelProfile = ALL_PARTS) -> ChatModel:
        """The model under test, as its users build it, with the key ``KEY``."""
        ...

    def answer(self, said: Said) -> Answer:
        """A whole answer, streamed."""
        ...

    def begun(self, *text: str) -> list[Piece]:
        """The beginning of an answer, up to and with these pieces of text; without any, only what comes before."""
        ...

    def failed_event(self, code: str, message: str) -> Piece:
        """An error that comes as an event of a stream."""
        ...

    def failure(self, status: int, message: str, code: str = "", headers: dict[str, str] | None = None) -> Answer:
        """An HTTP status that is no success, with the body that this provider writes."""
        ...

    def check(self, asked: Asked) -> str:
        """What the provider has against the request; "" where it takes it."""
        ...

    def seen(self, asked: Asked) -> Seen:
        """The request, read."""
        ...
