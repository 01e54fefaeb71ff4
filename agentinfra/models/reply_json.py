"""Replies as JSON: what recordings and the engine's records keep of a model call."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, cast

from agentinfra.core.messages import (
    Audio,
    ChatReply,
    File,
    Image,
    Part,
    Reasoning,
    Text,
    ToolCall,
    ToolResult,
    Usage,
)

_KINDS: dict[str, type[Part]] = {
    "text": Text,
    "image": Image,
    "audio": Audio,
    "file": File,
    "reasoning": Reasoning,
    "tool_call": ToolCall,
    "tool_result": ToolResult,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}
# Left out where empty: records of before these fields existed keep their hashes.
_LATER = frozenset({"unreadable", "images", "reasoning_tokens", "cache_write_tokens", "cached_replies"})


def reply_out(reply: ChatReply) -> dict[str, Any]:
    """A reply as JSON."""
    data = {
        "parts": parts_out(reply.parts),
        "model": reply.model,
        "usage": _fields_out(reply.usage),
        "stop_reason": reply.stop_reason,
    }
    return {**data, "id": reply.id} if reply.id else data


def reply_in(data: Mapping[str, Any]) -> ChatReply:
    """The reply that :func:`reply_out` wrote."""
    usage = Usage(**data["usage"])
    return ChatReply(parts_in(data["parts"]), data["model"], usage, data["stop_reason"], data.get("id", ""))


def parts_out(parts: Sequence[Part]) -> list[dict[str, Any]]:
    """Message parts as JSON; bytes in base 64."""
    return [{"kind": _NAMES[type(part)], **_fields_out(part)} for part in parts]


def parts_in(data: Sequence[Mapping[str, Any]]) -> tuple[Part, ...]:
    """The parts that :func:`parts_out` wrote."""
    return tuple(_part_in(part) for part in data)


def _fields_out(value: Part | Usage) -> dict[str, Any]:
    named = {one.name: getattr(value, one.name) for one in fields(value)}
    return {name: _value_out(each) for name, each in named.items() if each or name not in _LATER}


def _value_out(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, tuple):
        return parts_out(cast("Sequence[Part]", value))
    return dict(cast("Mapping[str, Any]", value)) if isinstance(value, Mapping) else value


def _part_in(data: Mapping[str, Any]) -> Part:
    values = {name: value for name, value in data.items() if name != "kind"}
    if "data" in values:
        values["data"] = base64.b64decode(values["data"])
    if "images" in values:
        values["images"] = parts_in(values["images"])
    return _KINDS[data["kind"]](**values)
