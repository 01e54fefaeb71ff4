"""Requests to an editor's own models and their answers, as ``agentinfra/lm/request`` has them. Pure."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast, get_args

from agentinfra.core.messages import (
    Audio,
    ChatReply,
    ChatRequest,
    Delta,
    File,
    Image,
    Message,
    Part,
    Reasoning,
    StopReason,
    Text,
    TextDelta,
    ToolCall,
    ToolCallDelta,
    ToolResult,
    ToolSpec,
    Usage,
)
from agentinfra.models.failures import not_supported
from agentinfra.models.history import repair
from agentinfra.models.in_words import GO_ON, schema_in_words, system_in_words
from agentinfra.models.tool_arguments import sendable
from agentinfra.models.tool_names import ToolNames

Fields = Mapping[str, Any]
_STOPS = frozenset(get_args(StopReason))


def to_params(request: ChatRequest, model: str, names: ToolNames) -> dict[str, Any]:
    """The part of the request's parameters that follows from what is asked.

    Args:
        request: What is asked.
        model: ``provider:model``, for the errors.
        names: The wire's names of the tools.

    Raises:
        NotSupported: A part of a message cannot be sent.
    """
    params: dict[str, Any] = {"messages": _messages(request, model, names)}
    tools = [tool for tool in request.tools if request.tool_choice in ("auto", "required", tool.name)]
    if tools:
        params["tools"] = [_tool(tool, names) for tool in tools]
        params["toolMode"] = "auto" if request.tool_choice == "auto" else "required"
    return params


def selector_of(name: str) -> dict[str, str]:
    """What picks the model: ``vendor/family``, or an id."""
    vendor, slash, family = name.partition("/")
    return {"vendor": vendor, "family": family} if slash else {"id": name}


def _tool(tool: ToolSpec, names: ToolNames) -> dict[str, Any]:
    return {"name": names.out(tool.name), "description": tool.description, "inputSchema": dict(tool.parameters)}


def _messages(request: ChatRequest, model: str, names: ToolNames) -> list[dict[str, Any]]:
    history = repair(request.messages)
    first = next((at for at, message in enumerate(history) if message.role != "system"), len(history))
    sides = (side for message in history[first:] for side in _sides(message, model, names))
    wire: list[dict[str, Any]] = []
    for side in sides:
        if wire and _is_results(wire[-1]) and _is_results(side):
            # The results of one turn of calls come together.
            wire[-1]["content"] += side["content"]
        elif side["content"]:
            wire.append(side)
    instructions = "\n\n".join(message.text for message in history[:first] if message.text.strip())
    if instructions:
        _fold(instructions, wire)
    if request.schema is not None:
        wire.append(_said(schema_in_words(request.schema)))
    # The last message must be a user's, and no tool result.
    if not wire or wire[-1]["role"] == "assistant" or wire[-1]["content"][-1]["type"] == "toolResult":
        wire.append(_said(GO_ON))
    return wire


def _is_results(message: dict[str, Any]) -> bool:
    return bool(message["content"]) and all(part["type"] == "toolResult" for part in message["content"])


def _fold(instructions: str, wire: list[dict[str, Any]]) -> None:
    """There is no system role: the first user message begins with them."""
    if not wire or wire[0]["role"] != "user":
        wire.insert(0, _said(instructions))
    else:
        wire[0]["content"].insert(0, _text(instructions))


def _sides(message: Message, model: str, names: ToolNames) -> Iterator[dict[str, Any]]:
    """The message by who may say it; pictures that a model made are shown to it by the user, before its own words."""
    if message.role == "system":
        yield _said(system_in_words(message.text))
        return
    is_model = message.role == "assistant"
    shown = [part for part in message.parts if isinstance(part, Image) and is_model]
    others = [part for part in message.parts if part not in shown]
    yield {"role": "user", "content": [_image(image, model) for image in shown]}
    content = [block for part in others if (block := _block(part, model, names)) is not None]
    yield {"role": "assistant" if is_model else "user", "content": content}


def _block(part: Part, model: str, names: ToolNames) -> dict[str, Any] | None:
    match part:
        case Text():
            return _text(part.text) if part.text else None
        case Image():
            return _image(part, model)
        case ToolCall():
            input_ = dict(sendable(part))
            return {"type": "toolUse", "callId": part.id, "name": names.out(part.name), "input": input_}
        case ToolResult():
            content = [_text(part.content), *(_image(image, model) for image in part.images)]
            return {"type": "toolResult", "callId": part.call_id, "content": content, "isError": part.is_error}
        case Audio() | File():
            raise not_supported(model, f"be sent {type(part).__name__.lower()}s here", "Send the content as text")
        case Reasoning():
            return None


def _image(image: Image, model: str) -> dict[str, Any]:
    if not image.data:
        raise not_supported(model, "be sent a picture by its address", "Send the picture itself")
    return {"type": "image", "mimeType": image.media_type, "data": base64.b64encode(image.data).decode()}


def _said(text: str) -> dict[str, Any]:
    return {"role": "user", "content": [_text(text)]}


def _text(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


@dataclass(slots=True)
class ReplyBuilder:
    """Grows a reply from the client's content parts.

    Attributes:
        model: ``provider:model``.
        names: The wire's names of the tools.
    """

    model: str
    names: ToolNames
    _parts: list[Text | ToolCall] = field(default_factory=list[Text | ToolCall])
    _text: list[str] = field(default_factory=list[str])

    def take(self, part: object) -> Delta | None:
        """Take one part of the content; what it adds, or None.

        Raises:
            ValueError: It is none.
        """
        fields = _fields(part)
        if fields.get("type") == "text" and fields.get("text"):
            self._text.append(str(fields["text"]))
            return TextDelta(self._text[-1])
        return self._call(fields) if fields.get("type") == "toolUse" else None

    def build(self, result: Fields) -> ChatReply:
        """The finished reply.

        Args:
            result: What the client answered in the end: stop reason and usage.

        Raises:
            ValueError: Its usage cannot be read.
        """
        self._end_text()
        told = str(result.get("stopReason") or "stop")
        stop = cast("StopReason", told) if told in _STOPS else "stop"
        if stop == "stop" and any(isinstance(part, ToolCall) for part in self._parts):
            stop = "tool_calls"
        usage = _fields(result.get("usage") or {})
        tokens = Usage(int(usage.get("inputTokens") or 0), int(usage.get("outputTokens") or 0))
        return ChatReply(tuple(self._parts), self.model, tokens, stop, str(result.get("id") or ""))

    def _end_text(self) -> None:
        if self._text:
            self._parts.append(Text("".join(self._text)))
            self._text = []

    def _call(self, fields: Fields) -> Delta:
        self._end_text()
        earlier = [part for part in self._parts if isinstance(part, ToolCall)]
        id_ = str(fields.get("callId") or "")
        if not id_ or any(call.id == id_ for call in earlier):
            id_ = f"call_{len(earlier)}"
        name, given = self.names.back(str(fields.get("name") or "")), fields.get("input")
        text = json.dumps(given if given is not None else {})
        if given is None or isinstance(given, Mapping):
            call = ToolCall(id_, name, dict(cast("Fields", given or {})))
        else:
            call = ToolCall(id_, name, {}, unreadable=text)
        self._parts.append(call)
        return ToolCallDelta(len(earlier), id_, name, text)


def content_of(result: Fields) -> Sequence[object]:
    """The content of a client's answer, where it sent it whole.

    Raises:
        ValueError: It is no list.
    """
    content: object = result.get("content") or []
    if not isinstance(content, Sequence) or isinstance(content, str):
        raise ValueError("The content is no list")
    return cast("Sequence[object]", content)


def _fields(value: object) -> Fields:
    if not isinstance(value, Mapping):
        raise ValueError("A part of it is no object")
    return cast("Fields", value)
