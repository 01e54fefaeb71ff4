"""Responses, on the way out: a request in our vocabulary as JSON. Pure; knows the format, not the SDK."""

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
    Reasoning,
    Text,
    ToolCall,
    ToolResult,
    ToolSpec,
)
from agentinfra.models.history import repair
from agentinfra.models.openai_request import (
    REASONING_TOKENS,
    cache_key,
    data_url,
    effort_of,
    schema_format,
    strict_schema,
    thinks,
)
from agentinfra.models.tool_arguments import sendable
from agentinfra.models.tool_names import ToolNames

LEAST_TOKENS = 16
"""The smallest bound that the interface takes."""


def to_payload(request: ChatRequest, name: str, names: ToolNames, summary: str | None = None) -> dict[str, Any]:
    """Build the JSON body of a streamed request; the provider is told to store nothing.

    Args:
        request: What is asked. Its seed has no word in this format, its stop strings are applied to the reply.
        name: ``provider:model``; thoughts of other models are not sent.
        names: The wire's names of the tools.
        summary: How models that think sum their thoughts up for people; None leaves it.
    """
    model = name.partition(":")[2]
    thinking = thinks(model)
    writer = _Writer(name, names, "developer" if thinking else "system")
    payload: dict[str, Any] = {
        "model": model,
        "input": [item for message in repair(request.messages) for item in writer.message(message)],
        "stream": True,
        "store": False,
        "max_output_tokens": max(LEAST_TOKENS, request.max_tokens + (REASONING_TOKENS if thinking else 0)),
    }
    payload |= _thinking(request, model, summary) if thinking else {"temperature": request.temperature}
    payload |= _tools(request, names)
    if request.schema is not None:
        payload["text"] = {"format": {"type": "json_schema", **schema_format(request.schema)}}
    if request.cache:
        payload["prompt_cache_key"] = cache_key(request)
    return payload


def _thinking(request: ChatRequest, model: str, summary: str | None) -> dict[str, Any]:
    # Nothing is stored there, so the thoughts come here, encrypted, and go back with the next request.
    options: dict[str, Any] = {"include": ["reasoning.encrypted_content"]}
    reasoning = {"effort": effort_of(request.effort, model)} if request.effort else {}
    if summary:
        reasoning["summary"] = summary
    return {**options, "reasoning": reasoning} if reasoning else options


def _tools(request: ChatRequest, names: ToolNames) -> dict[str, Any]:
    tools = [_tool(tool, names) for tool in request.tools]
    if "image" in request.output:
        tools.append({"type": "image_generation"})
    if not tools:
        return {}
    options: dict[str, Any] = {"tools": tools}
    if request.tool_choice in ("none", "required"):
        options["tool_choice"] = request.tool_choice
    elif request.tool_choice != "auto":
        options["tool_choice"] = {"type": "function", "name": names.out(request.tool_choice)}
    if not request.parallel_tools:
        options["parallel_tool_calls"] = False
    return options


def _tool(tool: ToolSpec, names: ToolNames) -> dict[str, Any]:
    strict = strict_schema(tool.parameters)
    return {
        "type": "function",
        "name": names.out(tool.name),
        "description": tool.description,
        "parameters": dict(strict or tool.parameters),
        "strict": strict is not None,
    }


class _Writer:
    def __init__(self, name: str, names: ToolNames, system_role: str) -> None:
        self._name = name
        self._names = names
        self._system_role = system_role

    def message(self, message: Message) -> Iterator[dict[str, Any]]:
        if message.role == "assistant":
            yield from self._turn(message)
            return
        for part in message.parts:
            if isinstance(part, ToolResult):
                yield {"type": "function_call_output", "call_id": part.call_id, "output": _output(part)}
        content = [part for part in message.parts if not isinstance(part, ToolResult)]
        if content:
            role = self._system_role if message.role == "system" else "user"
            yield {"type": "message", "role": role, "content": _content(content)}

    def _turn(self, message: Message) -> Iterator[dict[str, Any]]:
        # A thought that nothing follows is refused.
        last = max((at for at, part in enumerate(message.parts) if not isinstance(part, Reasoning)), default=-1)
        for part in message.parts[: last + 1]:
            item = self._item(part)
            if item is not None:
                yield item
        pictures = [part for part in message.parts if isinstance(part, Image)]
        if pictures:
            shown = [Text("Pictures of your last answer:"), *pictures]
            yield {"type": "message", "role": "user", "content": _content(shown)}

    def _item(self, part: Part) -> dict[str, Any] | None:
        if isinstance(part, Reasoning):
            return _thought(part) if part.model == self._name and part.signature else None
        if isinstance(part, ToolCall):
            arguments = json.dumps(dict(sendable(part)), ensure_ascii=False)
            name = self._names.out(part.name)
            return {"type": "function_call", "call_id": part.id, "name": name, "arguments": arguments}
        text = part.text if isinstance(part, Text) else part.transcript if isinstance(part, Audio) else ""
        return {"type": "message", "role": "assistant", "content": text} if text else None


def _thought(part: Reasoning) -> dict[str, Any]:
    summary = [{"type": "summary_text", "text": part.text}] if part.text else []
    return {"type": "reasoning", "id": part.id, "summary": summary, "encrypted_content": part.signature}


def _output(result: ToolResult) -> str | list[dict[str, Any]]:
    text = f"Error: {result.content}" if result.is_error else result.content
    return _content([Text(text), *result.images]) if result.images else text


def _content(parts: Sequence[Part]) -> str | list[dict[str, Any]]:
    if all(isinstance(part, Text) for part in parts):
        return "".join(part.text for part in parts if isinstance(part, Text))
    return [wire for part in parts if (wire := _part(part))]


def _part(part: Part) -> dict[str, Any] | None:
    if isinstance(part, Text):
        return {"type": "input_text", "text": part.text}
    if isinstance(part, Image):
        return {"type": "input_image", "image_url": data_url(part), "detail": "auto"}
    if isinstance(part, File):
        if part.url:
            return {"type": "input_file", "file_url": part.url}
        return {"type": "input_file", "filename": part.name, "file_data": data_url(part)}
    return None
