"""Anthropic Messages: a stream's events to our replies. Pure; knows the format, not the SDK."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from agentinfra.core.messages import (
    ChatReply,
    Delta,
    Part,
    Reasoning,
    ReasoningDelta,
    StopReason,
    Text,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from agentinfra.models.tool_arguments import read_call
from agentinfra.models.tool_names import ToolNames

STOPS: dict[str, StopReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "pause",
    "max_tokens": "length",
    "model_context_window_exceeded": "context_overflow",
    "tool_use": "tool_calls",
    "refusal": "refusal",
}
Fields = Mapping[str, Any]


@dataclass(slots=True)
class _Block:
    """A content block while it is being written; ``given`` is what it began with."""

    given: Fields
    call: int
    pieces: list[str] = field(default_factory=list[str])
    signature: list[str] = field(default_factory=list[str])

    @property
    def kind(self) -> str:
        return str(self.given.get("type", ""))

    @property
    def text(self) -> str:
        return "".join(self.pieces)


@dataclass(slots=True)
class ReplyBuilder:
    """Grows a reply from the stream's events, forgiving what compatible servers leave out.

    Attributes:
        model: ``provider:model``.
        names: The wire's names of the tools.
        stop: The wire's stop reason; empty until it came.
    """

    model: str
    names: ToolNames
    stop: str = ""
    _id: str = ""
    _explanation: str = ""
    _begun: bool = False
    _usage: dict[str, Any] = field(default_factory=dict[str, Any])
    _blocks: dict[int, _Block] = field(default_factory=dict[int, _Block])

    @property
    def told_usage(self) -> bool:
        """Whether the provider has said how many tokens it took."""
        return bool(self._usage)

    def take(self, event: object) -> Delta | None:
        """Take one event.

        Args:
            event: The parsed JSON of it.

        Returns:
            The piece of content in it, or None.

        Raises:
            ValueError: It is none, or comes out of order.
        """
        fields = _fields(event)
        kind = fields.get("type")
        if kind == "message_start":
            self._start(_fields(fields.get("message")))
        elif kind == "content_block_start":
            return self._open(fields)
        elif kind == "content_block_delta":
            return self._grow(fields)
        elif kind == "message_delta":
            self._end(fields)
        return None

    def build(self) -> ChatReply:
        """The finished reply."""
        parts = [part for _, block in sorted(self._blocks.items()) if (part := self._part(block)) is not None]
        stop = STOPS.get(self.stop, "stop")
        if stop == "refusal" and not any(isinstance(part, Text) for part in parts) and self._explanation:
            parts.append(Text(self._explanation))
        if stop == "stop" and any(block.call >= 0 for block in self._blocks.values()):
            stop = "tool_calls"
        return ChatReply(tuple(parts), self.model, self.usage, stop, self._id)

    @property
    def usage(self) -> Usage:
        """Tokens as far as they are known; the wire counts cached input apart, we count it in."""
        cached, written = self._count("cache_read_input_tokens"), self._count("cache_creation_input_tokens")
        details = cast("object", self._usage.get("output_tokens_details"))
        thought = _fields(details).get("thinking_tokens") if details else 0
        return Usage(
            self._count("input_tokens") + cached + written,
            self._count("output_tokens"),
            cached,
            reasoning_tokens=thought if isinstance(thought, int) else 0,
            cache_write_tokens=written,
        )

    def _count(self, name: str) -> int:
        value = self._usage.get(name)
        return value if isinstance(value, int) else 0

    def _start(self, message: Fields) -> None:
        self._begun = True
        self._id = str(message.get("id") or "")
        self._count_in(message)

    def _end(self, fields: Fields) -> None:
        delta = _fields(fields.get("delta"))
        self.stop = str(delta.get("stop_reason") or self.stop)
        self._explanation = str(_fields(delta.get("stop_details") or {}).get("explanation") or "")
        self._count_in(fields)

    def _count_in(self, fields: Fields) -> None:
        # Counts are totals so far; those that are left out stay as they were.
        told = _fields(fields.get("usage") or {})
        self._usage |= {name: value for name, value in told.items() if value is not None}

    def _open(self, fields: Fields) -> Delta | None:
        given = _fields(fields.get("content_block"))
        if not self._begun:
            raise ValueError("A block before the message")
        is_call = given.get("type") == "tool_use"
        number = sum(block.call >= 0 for block in self._blocks.values())
        block = _Block(given, number if is_call else -1)
        self._blocks[_index(fields)] = block
        if is_call:
            return ToolCallDelta(number, str(given.get("id") or ""), self.names.back(str(given.get("name") or "")))
        return None

    def _grow(self, fields: Fields) -> Delta | None:
        block = self._blocks.get(_index(fields))
        if block is None:
            raise ValueError("A piece of a block that was not begun")
        delta = _fields(fields.get("delta"))
        if delta.get("type") == "signature_delta":
            block.signature.append(_text(delta.get("signature")))
            return None
        names = {"text_delta": "text", "thinking_delta": "thinking", "input_json_delta": "partial_json"}
        piece = _text(delta.get(names.get(str(delta.get("type")), "")))
        block.pieces.append(piece)
        return _delta(block, piece) if piece else None

    def _part(self, block: _Block) -> Part | None:
        if block.kind == "text":
            text = _text(block.given.get("text")) + block.text
            return Text(text) if text else None
        if block.kind == "thinking":
            signature = "".join(block.signature) or _text(block.given.get("signature"))
            return Reasoning(_text(block.given.get("thinking")) + block.text, self.model, signature=signature)
        if block.kind == "redacted_thinking":
            return Reasoning("", self.model, signature=_text(block.given.get("data")), redacted=True)
        return self._call(block) if block.call >= 0 else None

    def _call(self, block: _Block) -> Part:
        earlier = [other for other in self._blocks.values() if 0 <= other.call < block.call]
        id_ = _text(block.given.get("id"))
        if not id_ or any(other.given.get("id") == id_ for other in earlier):
            id_ = f"call_{block.call}"
        call = read_call(id_, self.names.back(_text(block.given.get("name"))), block.text)
        whole = block.given.get("input")
        if not block.pieces and isinstance(whole, Mapping) and whole:
            # Some compatible servers say all arguments at once.
            return type(call)(call.id, call.name, dict(cast("Mapping[str, Any]", whole)))
        return call


def _delta(block: _Block, piece: str) -> Delta | None:
    if block.call >= 0:
        return ToolCallDelta(block.call, arguments=piece)
    if block.kind == "thinking":
        return ReasoningDelta(piece)
    return TextDelta(piece) if block.kind == "text" else None


def _fields(value: object) -> Fields:
    if not isinstance(value, Mapping):
        raise ValueError("It is no JSON object")
    return cast("Fields", value)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _index(fields: Fields) -> int:
    index = fields.get("index")
    if not isinstance(index, int):
        raise ValueError("A block without a number")
    return index
