"""How many tokens a request may take, before it is sent: rather too many than too few. Pure."""

from __future__ import annotations

import json

from agentinfra.core.interfaces import ModelProfile
from agentinfra.core.messages import Audio, ChatRequest, Effort, File, Image, Part, Reasoning, Text, ToolResult
from agentinfra.models.anthropic_thinking import ROOM

BYTES_PER_TOKEN = 3
"""Of text as UTF-8; English and code have about four, other scripts a character of three bytes."""
MESSAGE_TOKENS = 8
IMAGE_TOKENS = 1_600
BYTES_PER_MEDIA_TOKEN = 30
"""Of sound and documents, which no provider counts alike."""

_THOUGHTFUL: tuple[Effort, ...] = ("low", "medium", "high")


def text_tokens(text: str) -> int:
    """Tokens of a text."""
    size = len(text) if text.isascii() else len(text.encode(errors="replace"))
    return -(-size // BYTES_PER_TOKEN)


def input_tokens(request: ChatRequest) -> int:
    """Tokens that the model reads: the conversation, the tools and the schema."""
    parts = sum(_part_tokens(part) for message in request.messages for part in message.parts)
    tools = sum(text_tokens(f"{one.name}{one.description}{json.dumps(dict(one.parameters))}") for one in request.tools)
    schema = text_tokens(json.dumps(dict(request.schema))) if request.schema else 0
    return parts + tools + schema + MESSAGE_TOKENS * (len(request.messages) + len(request.tools))


def output_tokens(request: ChatRequest, profile: ModelProfile) -> int:
    """The most tokens that the model may write, thinking included."""
    room = ROOM[request.effort] if request.effort in _THOUGHTFUL else 0
    return request.max_tokens + max(room, profile.thinking_tokens)


def _part_tokens(part: Part) -> int:
    if isinstance(part, Text):
        return text_tokens(part.text)
    if isinstance(part, Reasoning):
        return text_tokens(part.text + part.signature)
    if isinstance(part, Image):
        return IMAGE_TOKENS
    if isinstance(part, (Audio, File)):
        return IMAGE_TOKENS + len(part.data) // BYTES_PER_MEDIA_TOKEN
    if isinstance(part, ToolResult):
        return text_tokens(part.content) + IMAGE_TOKENS * len(part.images)
    return text_tokens(part.name + part.unreadable) + text_tokens(json.dumps(dict(part.arguments)))
