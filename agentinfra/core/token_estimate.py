"""How many tokens a text or message may take, where no tokenizer is at hand: rather too many than too few. Pure."""

from __future__ import annotations

import json

from agentinfra.core.messages import Audio, File, Image, Message, Part, Reasoning, Text, ToolResult

BYTES_PER_TOKEN = 3
"""Of text as UTF-8; English and code have about four, other scripts a character of three bytes."""
MESSAGE_TOKENS = 8
IMAGE_TOKENS = 1_600
BYTES_PER_MEDIA_TOKEN = 30
"""Of sound and documents, which no provider counts alike."""


def text_tokens(text: str) -> int:
    """Tokens of a text."""
    size = len(text) if text.isascii() else len(text.encode(errors="replace"))
    return -(-size // BYTES_PER_TOKEN)


def message_tokens(message: Message) -> int:
    """Tokens of a message: its parts, and what frames it."""
    return MESSAGE_TOKENS + sum(_part_tokens(part) for part in message.parts)


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
