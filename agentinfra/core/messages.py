"""The frozen vocabulary of model calls: what is asked, what is answered, what it cost."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Role = Literal["system", "user", "assistant", "tool"]
StopReason = Literal["stop", "length", "tool_calls", "refusal", "content_filter", "pause", "context_overflow"]
Modality = Literal["text", "image", "audio", "file"]
Effort = Literal["none", "low", "medium", "high"]
JsonSchema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Text:
    """Plain text written by a person, an agent or a model."""

    text: str


@dataclass(frozen=True, slots=True)
class Image:
    """A picture: its bytes, or where the provider finds it.

    Attributes:
        data: The encoded picture; empty where there is a URL.
        url: ``https:`` address, read by the provider, never by us.
        media_type: Of the data.
    """

    data: bytes = field(default=b"", repr=False)
    url: str = ""
    media_type: str = "image/png"


@dataclass(frozen=True, slots=True)
class Audio:
    """Sound, spoken to a model or by it.

    Attributes:
        data: The encoded sound.
        media_type: Of the data; ``audio/wav`` and ``audio/mpeg`` are understood everywhere.
        transcript: What is said in it, where the speaker has told.
    """

    data: bytes = field(repr=False)
    media_type: str = "audio/wav"
    transcript: str = ""


@dataclass(frozen=True, slots=True)
class File:
    """A document, such as a PDF: its bytes, or where the provider finds it.

    Attributes:
        name: File name as shown to the model.
        data: The content; empty where there is a URL.
        url: ``https:`` address, read by the provider, never by us.
        media_type: Of the data.
    """

    name: str
    data: bytes = field(default=b"", repr=False)
    url: str = ""
    media_type: str = "application/pdf"


@dataclass(frozen=True, slots=True)
class Reasoning:
    """What a model thought before it answered; goes back to the model that thought it, unchanged, and to no other.

    Attributes:
        text: The thoughts or their summary, for people; may be empty.
        model: ``provider:model`` that thought them.
        id: The provider's id of the item; empty where it has none.
        signature: Opaque: a signature, or the encrypted thoughts; sent back as it came.
        redacted: Whether the provider hid the thoughts, so that the signature is all there is.
    """

    text: str
    model: str
    id: str = ""
    signature: str = field(default="", repr=False)
    redacted: bool = False


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A model's wish to have a tool run.

    Attributes:
        id: The provider's id for the call; results refer to it.
        name: The tool's name.
        arguments: The parsed JSON arguments.
        unreadable: The arguments as they came, where they are no JSON object; such a call is answered with an error.
    """

    id: str
    name: str
    arguments: Mapping[str, Any]
    unreadable: str = ""


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a tool answered to the call with the same id.

    Attributes:
        call_id: Id of the call.
        content: The answer as text.
        is_error: Whether the tool failed; the content then says why.
        images: Pictures that belong to the answer, such as screenshots.
    """

    call_id: str
    content: str
    is_error: bool = False
    images: tuple[Image, ...] = ()


Part = Text | Image | Audio | File | Reasoning | ToolCall | ToolResult


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Role
    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        """The text parts, joined; what was thought is no part of it."""
        return "".join(part.text for part in self.parts if isinstance(part, Text))


def system(text: str) -> Message:
    """Build a system message."""
    return Message("system", (Text(text),))


def user(*content: str | Image | Audio | File) -> Message:
    """Build a user message of text, pictures, sound and documents, in the order given."""
    return Message("user", tuple(Text(one) if isinstance(one, str) else one for one in content))


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
class TextDelta:
    """The next piece of the reply's text."""

    text: str


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    """The next piece of what the model thinks."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    """The next piece of a tool call.

    Attributes:
        index: Which of the reply's calls, from 0.
        id: The call's id; empty in later pieces.
        name: The tool's name; empty in later pieces.
        arguments: A piece of the JSON text of the arguments, cut anywhere.
    """

    index: int
    id: str = ""
    name: str = ""
    arguments: str = ""


Delta = TextDelta | ReasoningDelta | ToolCallDelta
OnDelta = Callable[[Delta], Awaitable[None]]


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
        tool_choice: "auto", "none", "required", or the name of the one tool that must be called.
        parallel_tools: Whether one reply may call several tools.
        effort: How long a reasoning model thinks; None leaves it to the provider.
        output: What the reply may be made of, besides tool calls.
        cache: Whether to mark the stable beginning for the provider's prompt cache, where it wants marks.
        on_delta: Told each piece of the reply while it is written; what it waits for, the provider waits for. Not a
            part of the request's identity, and never sent.
    """

    messages: tuple[Message, ...]
    purpose: str = "chat"
    schema: JsonSchema | None = None
    tools: tuple[ToolSpec, ...] = ()
    temperature: float = 0.2
    max_tokens: int = 1024
    seed: int | None = None
    stop: tuple[str, ...] = ()
    tool_choice: str = "auto"
    parallel_tools: bool = True
    effort: Effort | None = None
    output: tuple[Modality, ...] = ("text",)
    cache: bool = True
    on_delta: OnDelta | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens and money of one call; cost_usd is None where the price is unknown, never 0.

    Attributes:
        input_tokens: All tokens read, those from and into the prompt cache included.
        output_tokens: All tokens written, reasoning included.
        cached_tokens: Of the input, those read from the provider's prompt cache.
        cost_usd: Price in US dollars.
        reasoning_tokens: Of the output, those thought and not said.
        cache_write_tokens: Of the input, those put into the prompt cache.
        cached_replies: Calls for which nothing was sent, because the reply was in the cache; they count nowhere else.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cost_usd: float | None = None
    reasoning_tokens: int = 0
    cache_write_tokens: int = 0
    cached_replies: int = 0

    def __add__(self, other: Usage) -> Usage:
        cost = None if self.cost_usd is None or other.cost_usd is None else self.cost_usd + other.cost_usd
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.cached_tokens + other.cached_tokens,
            cost,
            self.reasoning_tokens + other.reasoning_tokens,
            self.cache_write_tokens + other.cache_write_tokens,
            self.cached_replies + other.cached_replies,
        )


@dataclass(frozen=True, slots=True)
class ChatReply:
    """A model's answer.

    Attributes:
        parts: Text, reasoning, tool calls and media in the order in which they came.
        model: ``provider:model`` that answered.
        usage: Tokens and money.
        stop_reason: Why it ended: "length" means that it was cut at ``max_tokens``, "context_overflow" at the end of
            the context window, "pause" that the provider wants to be asked to go on; "refusal" is the model's no,
            "content_filter" its provider's.
        id: The provider's id of the reply, for its support; empty where it has none.
    """

    parts: tuple[Part, ...]
    model: str
    usage: Usage = field(default_factory=Usage)
    stop_reason: StopReason = "stop"
    id: str = ""

    @property
    def text(self) -> str:
        """The text parts, joined."""
        return "".join(part.text for part in self.parts if isinstance(part, Text))

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The tool calls, in order."""
        return tuple([part for part in self.parts if isinstance(part, ToolCall)])
