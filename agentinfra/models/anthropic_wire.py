"""Anthropic Messages: our requests onto the wire. Pure; knows the format, not the SDK."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
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
)
from agentinfra.models.anthropic_parts import (
    Block,
    call_block,
    file_block,
    image_block,
    reasoning_block,
    result_blocks,
    text_block,
)
from agentinfra.models.anthropic_thinking import THOUGHTS, thinking_of
from agentinfra.models.claude_models import Claude, claude
from agentinfra.models.failures import not_supported
from agentinfra.models.history import repair
from agentinfra.models.in_words import GO_ON, schema_in_words, system_in_words
from agentinfra.models.tool_names import ToolNames

_LEGAL_ID = re.compile(r"[a-zA-Z0-9_-]+")
_STABLE: Block = {"type": "ephemeral"}
_MARKED_TURNS = 2
"""The last one, and the one that was last in the request before: that is where the cache was written."""


def to_payload(request: ChatRequest, model: str, names: ToolNames, form: Block | None = None) -> dict[str, Any]:
    """Build the arguments of a streamed request.

    Current models take neither a temperature nor a seed, and the SDK has no word for them: none is sent.

    Args:
        request: What is asked.
        model: ``provider:model``.
        names: The wire's names of the tools.
        form: ``output_config.format``: the request's schema as the provider enforces it; without, it is told in words.

    Raises:
        NotSupported: There is sound in it, or a picture or document in a format that Claude does not read.
    """
    facts, wire_name = claude(model), model.partition(":")[2]
    instructions, messages = _instructions(repair(request.messages, _LEGAL_ID))
    turns = _turns(model, messages, names)
    thinking = thinking_of(request, facts, turns)
    tools = _tools(request, names)
    if request.cache:
        _mark(tools, instructions, turns)
    turns[-1]["content"] += _asides(request, facts, names, form)
    payload: dict[str, Any] = {
        "model": wire_name,
        "max_tokens": min(request.max_tokens + thinking.room, facts.most_output),
        "messages": turns,
        "system": instructions,
        "tools": tools,
        "tool_choice": _tool_choice(request, facts, names) if tools else None,
        "stop_sequences": [stop for stop in request.stop if stop.strip()],
        "thinking": thinking.config,
        "output_config": _filled({"effort": thinking.effort, "format": form}),
    }
    return _filled(payload)


def _filled(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value not in (None, [], {})}


def _instructions(messages: Sequence[Message]) -> tuple[list[Block], list[Message]]:
    """The system messages at the beginning as blocks, and the rest."""
    first = next((at for at, message in enumerate(messages) if message.role != "system"), len(messages))
    text = "\n\n".join(message.text for message in messages[:first] if message.text.strip())
    return ([{"type": "text", "text": text}] if text else []), list(messages[first:])


def _turns(model: str, messages: Iterable[Message], names: ToolNames) -> list[dict[str, Any]]:
    turns: list[dict[str, Any]] = []
    for message in messages:
        for role, blocks in _sides(model, message, names):
            if turns and turns[-1]["role"] == role:
                turns[-1]["content"] += blocks
            elif blocks:
                turns.append({"role": role, "content": blocks})
    for turn in turns:
        if turn["role"] == "user":
            # All results of one turn of calls come together, before anything else.
            turn["content"].sort(key=_is_no_result)
    return _framed(turns)


def _is_no_result(block: Block) -> bool:
    return block["type"] != "tool_result"


def _framed(turns: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The turns between a user's first word and a user's last; current models refuse to continue a reply."""
    word: dict[str, Any] = {"type": "text", "text": GO_ON}
    if turns and turns[0]["role"] == "assistant":
        turns.insert(0, {"role": "user", "content": [dict(word)]})
    if not turns or turns[-1]["role"] == "assistant":
        turns.append({"role": "user", "content": [dict(word)]})
    return turns


def _sides(model: str, message: Message, names: ToolNames) -> Iterator[tuple[str, list[Block]]]:
    """The message by who may say it on the wire: what a model has drawn is shown to Claude by the user."""
    said: list[Block] = []
    shown: list[Block] = []
    for part in message.parts:
        own = message.role == "assistant" and isinstance(part, Text | Reasoning | ToolCall)
        (said if own else shown).extend(_blocks(model, part, names))
    if message.role == "system":
        shown = [{"type": "text", "text": system_in_words(message.text)}] if message.text.strip() else []
    yield "assistant", said if any(block["type"] not in THOUGHTS for block in said) else []
    yield "user", shown


def _blocks(model: str, part: Part, names: ToolNames) -> list[Block]:
    match part:
        case Text():
            block = text_block(part)
        case Reasoning():
            block = reasoning_block(model, part)
        case Image():
            block = image_block(model, part)
        case File():
            block = file_block(model, part)
        case ToolCall():
            block = call_block(names.out(part.name), part)
        case ToolResult():
            return result_blocks(model, part)
        case Audio():
            raise not_supported(model, "read sound", "Send what is said in it as text")
    return [block] if block else []


def _tools(request: ChatRequest, names: ToolNames) -> list[Block]:
    tools = [
        {
            "name": names.out(tool.name),
            "description": tool.description,
            "input_schema": {"type": "object", **tool.parameters},
        }
        for tool in request.tools
    ]
    return tools or _remembered(request, names)


def _remembered(request: ChatRequest, names: ToolNames) -> list[Block]:
    """Tools that were called and are gone: a conversation with calls in it has to declare them."""
    parts = (part for message in request.messages for part in message.parts)
    called = dict.fromkeys(names.out(part.name) for part in parts if isinstance(part, ToolCall))
    return [{"name": name, "input_schema": {"type": "object"}} for name in called]


def _tool_choice(request: ChatRequest, facts: Claude, names: ToolNames) -> Block | None:
    if request.tool_choice == "none" or not request.tools:
        return {"type": "none"}
    choice: Block = {"type": "auto"}
    if request.tool_choice != "auto" and facts.forced_tools:
        one = {"type": "tool", "name": names.out(request.tool_choice)}
        choice = {"type": "any"} if request.tool_choice == "required" else one
    if not request.parallel_tools:
        return {**choice, "disable_parallel_tool_use": True}
    return None if choice == {"type": "auto"} else choice


def _asides(request: ChatRequest, facts: Claude, names: ToolNames, form: Block | None) -> list[Block]:
    """What the wire has no field for, said in words after everything that the next request repeats."""
    words: list[str] = []
    if request.tools and request.tool_choice not in ("auto", "none") and not facts.forced_tools:
        one = f"the tool {names.out(request.tool_choice)}"
        words.append(f"Answer by calling {'one of the tools' if request.tool_choice == 'required' else one}.")
    if request.schema is not None and form is None:
        words.append(schema_in_words(request.schema))
    return [{"type": "text", "text": text} for text in words]


def _mark(tools: list[Block], instructions: list[Block], turns: list[dict[str, Any]]) -> None:
    """Mark where the provider shall cache: at most four places, each found again by the next request.

    What is asked but once is not marked: putting it into the cache would cost more than it could save.
    """
    for blocks in (tools, instructions):
        if blocks:
            blocks[-1]["cache_control"] = dict(_STABLE)
    said = [turn for turn in turns if turn["role"] == "user"]
    if len(said) < len(turns):
        for turn in said[-_MARKED_TURNS:]:
            turn["content"][-1]["cache_control"] = dict(_STABLE)
