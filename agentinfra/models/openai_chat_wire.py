"""Chat Completions, on the way out: a request in our vocabulary as JSON. Pure; knows the format, not the SDK."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from agentinfra.core.messages import (
    Audio,
    ChatRequest,
    File,
    Image,
    Message,
    Part,
    Text,
    ToolCall,
    ToolResult,
    ToolSpec,
)
from agentinfra.models.failures import not_supported
from agentinfra.models.history import repair
from agentinfra.models.openai_client import Dialect
from agentinfra.models.openai_request import (
    REASONING_TOKENS,
    cache_key,
    data_url,
    effort_of,
    schema_format,
    sound,
    thinks,
)
from agentinfra.models.tool_arguments import sendable
from agentinfra.models.tool_names import ToolNames


def to_payload(request: ChatRequest, model: str, dialect: Dialect, names: ToolNames) -> dict[str, Any]:
    """Build the JSON body of a streamed request.

    Args:
        request: What is asked.
        model: The model's name without its provider.
        dialect: Whose server reads it; OpenAI's own models that think want to be spoken to differently.
        names: The wire's names of the tools.

    Raises:
        NotSupported: A part has no form in this format.
    """
    thinking = dialect != "compatible" and thinks(model)
    writer = _Writer(model, names, "developer" if thinking else "system")
    payload: dict[str, Any] = {
        "model": model,
        "messages": [wire for turn in _turns(repair(request.messages)) for wire in writer.turn(turn)],
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    payload |= _sampling(request, thinking)
    if request.schema is not None:
        schema = schema_format(request.schema) if dialect == "openai" else _loose(request)
        payload["response_format"] = {"type": "json_schema", "json_schema": schema}
    payload |= _tools(request, names) | _effort(request, model, dialect)
    if "audio" in request.output:
        # The only form of sound that can be streamed.
        payload |= {"modalities": ["text", "audio"], "audio": {"voice": "alloy", "format": "pcm16"}}
    if dialect == "openai":
        payload["store"] = False
        if request.cache:
            payload["prompt_cache_key"] = cache_key(request)
    return payload


def _loose(request: ChatRequest) -> dict[str, Any]:
    return {"name": "reply", "schema": dict(request.schema or {}), "strict": False}


def _sampling(request: ChatRequest, thinking: bool) -> dict[str, Any]:
    if thinking:
        options: dict[str, Any] = {"max_completion_tokens": request.max_tokens + REASONING_TOKENS}
    else:
        options = {"max_tokens": request.max_tokens, "temperature": request.temperature}
        if request.stop:
            options["stop"] = list(request.stop)
    if request.seed is not None:
        options["seed"] = request.seed
    return options


def _tools(request: ChatRequest, names: ToolNames) -> dict[str, Any]:
    if not request.tools:
        return {}
    options: dict[str, Any] = {"tools": [_tool(tool, names) for tool in request.tools]}
    if request.tool_choice in ("none", "required"):
        options["tool_choice"] = request.tool_choice
    elif request.tool_choice != "auto":
        options["tool_choice"] = {"type": "function", "function": {"name": names.out(request.tool_choice)}}
    if not request.parallel_tools:
        options["parallel_tool_calls"] = False
    return options


def _effort(request: ChatRequest, model: str, dialect: Dialect) -> dict[str, Any]:
    if request.effort is None or (dialect != "compatible" and not thinks(model)):
        return {}
    return {"reasoning_effort": effort_of(request.effort, model)}


def _tool(tool: ToolSpec, names: ToolNames) -> dict[str, Any]:
    function = {"name": names.out(tool.name), "description": tool.description, "parameters": dict(tool.parameters)}
    return {"type": "function", "function": function}


def _turns(messages: Sequence[Message]) -> Iterator[list[Message]]:
    """Messages one by one, but tool messages that follow each other together: nothing may come between them."""
    turn: list[Message] = []
    for message in messages:
        if turn and not (message.role == "tool" == turn[-1].role):
            yield turn
            turn = []
        turn.append(message)
    if turn:
        yield turn


class _Writer:
    def __init__(self, model: str, names: ToolNames, system_role: str) -> None:
        self._model = model
        self._names = names
        self._system_role = system_role

    def turn(self, messages: list[Message]) -> Iterator[dict[str, Any]]:
        results = [part for one in messages for part in one.parts if isinstance(part, ToolResult)]
        for result in results:
            content = f"Error: {result.content}" if result.is_error else result.content
            yield {"role": "tool", "tool_call_id": result.call_id, "content": content}
        pictures = [picture for result in results for picture in result.images]
        if pictures:
            yield self._shown("Pictures of the tools' answers:", pictures)
        for message in messages:
            yield from self._message(message)

    def _message(self, message: Message) -> Iterator[dict[str, Any]]:
        if message.role in {"user", "tool"}:
            content = [part for part in message.parts if not isinstance(part, ToolResult)]
            if content:
                yield {"role": "user", "content": self._content(content)}
            return
        calls = [self._call(part) for part in message.parts if isinstance(part, ToolCall)]
        text = "".join(_said(part) for part in message.parts)
        if text or calls:
            wire: dict[str, Any] = {"role": self._role(message), "content": text or None}
            if calls:
                wire["tool_calls"] = calls
            yield wire
        pictures = [part for part in message.parts if isinstance(part, Image)]
        if pictures:
            yield self._shown("Pictures of your last answer:", pictures)

    def _role(self, message: Message) -> str:
        return self._system_role if message.role == "system" else message.role

    def _shown(self, words: str, pictures: Sequence[Image]) -> dict[str, Any]:
        """Pictures can be shown by a user only."""
        return {"role": "user", "content": self._content([Text(words), *pictures])}

    def _content(self, parts: Sequence[Part]) -> str | list[dict[str, Any]]:
        if all(isinstance(part, Text) for part in parts):
            return "".join(_said(part) for part in parts)
        return [wire for part in parts if (wire := self._part(part))]

    def _part(self, part: Part) -> dict[str, Any] | None:
        if isinstance(part, Text):
            return {"type": "text", "text": part.text}
        if isinstance(part, Image):
            return {"type": "image_url", "image_url": {"url": data_url(part)}}
        if isinstance(part, Audio):
            return {"type": "input_audio", "input_audio": sound(part)}
        if isinstance(part, File):
            if part.url:
                raise not_supported(self._model, "fetch documents", "Send the document's bytes instead")
            return {"type": "file", "file": {"filename": part.name, "file_data": data_url(part)}}
        return None

    def _call(self, call: ToolCall) -> dict[str, Any]:
        arguments = json.dumps(dict(sendable(call)), ensure_ascii=False)
        return {
            "id": call.id,
            "type": "function",
            "function": {"name": self._names.out(call.name), "arguments": arguments},
        }


def _said(part: Part) -> str:
    if isinstance(part, Text):
        return part.text
    return part.transcript if isinstance(part, Audio) else ""
