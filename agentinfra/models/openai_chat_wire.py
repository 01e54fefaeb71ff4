"""Chat Completions: our vocabulary to the wire and back. Pure; knows the format, not the SDK."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

from agentinfra.core.errors import ReplyError
from agentinfra.core.messages import (
    ChatReply,
    ChatRequest,
    Message,
    Part,
    StopReason,
    Text,
    ToolCall,
    ToolResult,
    ToolSpec,
    Usage,
)

REASONING_TOKENS = 8_192
"""Added to the bound of models that think first, because thinking counts against it."""

_REASONING = re.compile(r"(o\d|gpt-([5-9]|\d\d))")
_STOPS: dict[str, StopReason] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
}


def thinks(model: str) -> bool:
    """Whether OpenAI's model of that name reasons before it answers; such models take no temperature and no stop."""
    return _REASONING.match(model) is not None


def to_payload(request: ChatRequest, model: str, *, reasoning: bool = False) -> dict[str, Any]:
    """Build the JSON body of a streamed request.

    Args:
        request: What is asked.
        model: The model's name without its provider.
        reasoning: Whether to speak as reasoning models demand.
    """
    payload: dict[str, Any] = {
        "model": model,
        "messages": [wire for message in request.messages for wire in _messages(message)],
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    payload |= _sampling(request, reasoning)
    if request.schema is not None:
        schema = {"name": "reply", "schema": dict(request.schema), "strict": False}
        payload["response_format"] = {"type": "json_schema", "json_schema": schema}
    if request.tools:
        payload["tools"] = [_tool(tool) for tool in request.tools]
    return payload


def _sampling(request: ChatRequest, reasoning: bool) -> dict[str, Any]:
    if reasoning:
        options: dict[str, Any] = {"max_completion_tokens": request.max_tokens + REASONING_TOKENS}
    else:
        options = {"max_tokens": request.max_tokens, "temperature": request.temperature}
        if request.stop:
            options["stop"] = list(request.stop)
    if request.seed is not None:
        options["seed"] = request.seed
    return options


def _tool(tool: ToolSpec) -> dict[str, Any]:
    function = {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)}
    return {"type": "function", "function": function}


def _messages(message: Message) -> Iterator[dict[str, Any]]:
    for part in message.parts:
        if isinstance(part, ToolResult):
            content = f"Error: {part.content}" if part.is_error else part.content
            yield {"role": "tool", "tool_call_id": part.call_id, "content": content}
    calls = [_call(part) for part in message.parts if isinstance(part, ToolCall)]
    if message.text or calls:
        wire: dict[str, Any] = {"role": message.role, "content": message.text or None}
        if calls:
            wire["tool_calls"] = calls
        yield wire


def _call(call: ToolCall) -> dict[str, Any]:
    function = {"name": call.name, "arguments": json.dumps(dict(call.arguments), ensure_ascii=False)}
    return {"id": call.id, "type": "function", "function": function}


class _FunctionDelta(Protocol):
    @property
    def name(self) -> str | None: ...
    @property
    def arguments(self) -> str | None: ...


class _CallDelta(Protocol):
    @property
    def index(self) -> int: ...
    @property
    def id(self) -> str | None: ...
    @property
    def function(self) -> _FunctionDelta | None: ...


@dataclass(slots=True)
class _GrowingCall:
    id: str = ""
    name: str = ""
    arguments: str = ""

    def add(self, delta: _CallDelta) -> None:
        self.id = self.id or delta.id or ""
        if delta.function:
            self.name += delta.function.name or ""
            self.arguments += delta.function.arguments or ""


@dataclass(slots=True)
class ReplyBuilder:
    """Grows a reply from the stream's deltas.

    Attributes:
        model: ``provider:model``.
        finish: The wire's finish reason; empty until it came.
        usage: Tokens, once the provider has said them.
    """

    model: str
    finish: str = ""
    usage: Usage = field(default_factory=Usage)
    _text: list[str] = field(default_factory=list[str])
    _refusal: list[str] = field(default_factory=list[str])
    _calls: dict[int, _GrowingCall] = field(default_factory=dict[int, _GrowingCall])

    def add(self, content: str | None, refusal: str | None, calls: Sequence[_CallDelta]) -> None:
        """Take one delta: a piece of text, of a refusal, or of tool calls."""
        self._text.append(content or "")
        self._refusal.append(refusal or "")
        for delta in calls:
            self._calls.setdefault(delta.index, _GrowingCall()).add(delta)

    def build(self) -> ChatReply:
        """The finished reply.

        Raises:
            ReplyError: A tool call's arguments are not a JSON object.
        """
        refusal = "".join(self._refusal)
        text = "".join(self._text) or refusal
        parts: list[Part] = [Text(text)] if text else []
        parts += [self._finished(index, call) for index, call in sorted(self._calls.items())]
        stop = "refusal" if refusal else _STOPS.get(self.finish, "stop")
        return ChatReply(tuple(parts), self.model, self.usage, stop)

    def _finished(self, index: int, call: _GrowingCall) -> ToolCall:
        return ToolCall(call.id or f"call_{index}", call.name, parse_arguments(self.model, call.name, call.arguments))


def parse_arguments(model: str, tool: str, arguments: str) -> dict[str, Any]:
    """Read a tool call's arguments; none at all is an empty object.

    Raises:
        ReplyError: They are not a JSON object.
    """
    why = "They are no JSON object"
    try:
        value: object = json.loads(arguments or "{}")
    except ValueError as error:
        value, why = None, f"They are no JSON: {error}"
    if isinstance(value, dict):
        return cast("dict[str, Any]", value)
    raise ReplyError(f"{model} called {tool} with unreadable arguments", why=why, next_step="Ask again")
