"""Anthropic Messages: our vocabulary to the wire and back. Pure; knows the format, not the SDK."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from agentinfra.core.errors import NotSupported
from agentinfra.core.messages import ChatRequest, Message, Part, Role, StopReason, Text, ToolCall, ToolResult, ToolSpec

THINKING_TOKENS = 8_192
"""Added to the bound of the reply: current models think before they answer, and thinking counts against it."""

STOPS: dict[str, StopReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "refusal",
}


def to_payload(request: ChatRequest, model: str) -> dict[str, Any]:
    """Build the arguments of a streamed request, without the schema, which the SDK shapes.

    Current Claude models take neither a temperature nor a seed; sending one is an error, so none is sent.

    Args:
        request: What is asked.
        model: The model's name without its provider.
    """
    payload: dict[str, Any] = {
        "model": model,
        "max_tokens": request.max_tokens + THINKING_TOKENS,
        "messages": _turns(message for message in request.messages if message.role != "system"),
    }
    instructions = "\n\n".join(message.text for message in request.messages if message.role == "system")
    if instructions:
        payload["system"] = instructions
    if request.stop:
        payload["stop_sequences"] = list(request.stop)
    if request.tools:
        payload["tools"] = [_tool(tool) for tool in request.tools]
    return payload


def _turns(messages: Iterable[Message]) -> list[dict[str, Any]]:
    turns: list[dict[str, Any]] = []
    for message in messages:
        role = _role(message.role)
        blocks = [_block(part) for part in message.parts if not isinstance(part, Text) or part.text]
        # All results of one turn of calls belong into one message.
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"] += blocks
        else:
            turns.append({"role": role, "content": blocks})
    return turns


def _role(role: Role) -> str:
    return "assistant" if role == "assistant" else "user"


def _block(part: Part) -> dict[str, Any]:
    if isinstance(part, Text):
        return {"type": "text", "text": part.text}
    if isinstance(part, ToolCall):
        return {"type": "tool_use", "id": part.id, "name": part.name, "input": dict(part.arguments)}
    if isinstance(part, ToolResult):
        return _result(part)
    raise NotSupported(f"A {type(part).__name__} cannot be sent", next_step="Send text instead")


def _result(result: ToolResult) -> dict[str, Any]:
    return {
        "type": "tool_result",
        "tool_use_id": result.call_id,
        "content": result.content,
        "is_error": result.is_error,
    }


def _tool(tool: ToolSpec) -> dict[str, Any]:
    return {"name": tool.name, "description": tool.description, "input_schema": dict(tool.parameters)}
