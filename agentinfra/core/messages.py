"""The frozen vocabulary of model calls: what is asked, what is answered, what it cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Role = Literal["system", "user", "assistant", "tool"]
StopReason = Literal["stop", "length", "tool_calls", "refusal", "content_filter"]
JsonSchema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Text:
    """Plain text written by a person, an agent or a model."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A model's wish to have a tool run.

    Attributes:
        id: The provider's id for the call; results refer to it.
        name: The tool's name.
        arguments: The parsed JSON arguments.
    """

    id: str
    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a tool answered to the call with the same id."""

    call_id: str
    content: str
    is_error: bool = False


Part = Text | ToolCall | ToolResult


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Role
    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        """The text parts, joined."""
        return "".join(part.text for part in self.parts if isinstance(part, Text))


def system(text: str) -> Message:
    """Build a system message."""
    return Message("system", (Text(text),))


def user(text: str) -> Message:
    """Build a user message."""
    return Message("user", (Text(text),))


def assistant(text: str) -> Message:
    """Build an assistant message."""
    return Message("assistant", (Text(text),))


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool as a model sees it: name, description and JSON Schema of its arguments."""

    name: str
    description: str
    parameters: JsonSchema


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """Everything that decides a model's reply.

    Attributes:
        messages: The conversation, oldest first.
        purpose: What the call is for ("plan", "tests", "code", …); shown to people, never sent.
        schema: JSON Schema that the reply must satisfy, or None for free text.
        tools: Tools that the model may call.
        temperature: Sampling temperature; 0 is greedy.
        max_tokens: Upper bound of the reply, in tokens.
        seed: Sampling seed where the provider has one.
        stop: Strings at which the reply ends.
    """

    messages: tuple[Message, ...]
    purpose: str = "chat"
    schema: JsonSchema | None = None
    tools: tuple[ToolSpec, ...] = ()
    temperature: float = 0.2
    max_tokens: int = 1024
    seed: int | None = None
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens and money of one call; cost_usd is None where the price is unknown, never 0."""

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cost_usd: float | None = None

    def __add__(self, other: Usage) -> Usage:
        cost = None if self.cost_usd is None or other.cost_usd is None else self.cost_usd + other.cost_usd
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.cached_tokens + other.cached_tokens,
            cost,
        )


@dataclass(frozen=True, slots=True)
class ChatReply:
    """A model's answer.

    Attributes:
        parts: Text and tool calls in the order in which they came.
        model: ``provider:model`` that answered.
        usage: Tokens and money.
        stop_reason: Why it ended; "length" means that it was cut.
    """

    parts: tuple[Part, ...]
    model: str
    usage: Usage = field(default_factory=Usage)
    stop_reason: StopReason = "stop"

    @property
    def text(self) -> str:
        """The text parts, joined."""
        return "".join(part.text for part in self.parts if isinstance(part, Text))

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The tool calls, in order."""
        return tuple(part for part in self.parts if isinstance(part, ToolCall))
