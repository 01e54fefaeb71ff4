"""Replies as JSON: what recordings and the engine's records keep of a model call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from agentinfra.core.messages import ChatReply, Part, Text, ToolCall, ToolResult, Usage

_KINDS: dict[str, type[Part]] = {"text": Text, "tool_call": ToolCall, "tool_result": ToolResult}
_NAMES = {kind: name for name, kind in _KINDS.items()}


def reply_out(reply: ChatReply) -> dict[str, Any]:
    """A reply as JSON."""
    return {
        "parts": parts_out(reply.parts),
        "model": reply.model,
        "usage": asdict(reply.usage),
        "stop_reason": reply.stop_reason,
    }


def reply_in(data: Mapping[str, Any]) -> ChatReply:
    """The reply that :func:`reply_out` wrote."""
    parts = tuple(_part_in(part) for part in data["parts"])
    return ChatReply(parts, data["model"], Usage(**data["usage"]), data["stop_reason"])


def parts_out(parts: Sequence[Part]) -> list[dict[str, Any]]:
    """Message parts as JSON."""
    return [{"kind": _NAMES[type(part)], **asdict(part)} for part in parts]


def _part_in(data: Mapping[str, Any]) -> Part:
    return _KINDS[data["kind"]](**{name: value for name, value in data.items() if name != "kind"})
