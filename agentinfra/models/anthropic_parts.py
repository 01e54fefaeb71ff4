"""Content blocks of Anthropic Messages: one part of ours, one block of the wire's. Pure."""

from __future__ import annotations

import base64
from typing import Any

from agentinfra.core.messages import File, Image, Reasoning, Text, ToolCall, ToolResult
from agentinfra.models.failures import not_supported
from agentinfra.models.tool_arguments import sendable

Block = dict[str, Any]

_PICTURES = ("image/jpeg", "image/png", "image/gif", "image/webp")
_TEXTS = ("application/json", "application/xml", "application/yaml", "application/javascript", "application/toml")


def text_block(part: Text) -> Block | None:
    """The text; None where it is blank, which the wire refuses."""
    return {"type": "text", "text": part.text} if part.text.strip() else None


def image_block(model: str, image: Image) -> Block:
    """The picture.

    Raises:
        NotSupported: Its format is none that Claude reads.
    """
    if image.url:
        return {"type": "image", "source": {"type": "url", "url": image.url}}
    if image.media_type not in _PICTURES:
        raise not_supported(model, f"read {image.media_type}", "Send the picture as PNG or JPEG")
    return {"type": "image", "source": _base64(image.media_type, image.data)}


def file_block(model: str, file: File) -> Block:
    """The document: a PDF, or anything that is text.

    Raises:
        NotSupported: It is neither.
    """
    return {"type": "document", "title": file.name, "source": _document(model, file)}


def reasoning_block(model: str, part: Reasoning) -> Block | None:
    """What this model thought, unchanged; None for another's thoughts, and for unsigned ones."""
    if part.model != model or not part.signature:
        return None
    if part.redacted:
        return {"type": "redacted_thinking", "data": part.signature}
    return {"type": "thinking", "thinking": part.text, "signature": part.signature}


def call_block(name: str, call: ToolCall) -> Block:
    """The tool call, under the tool's name on the wire."""
    return {"type": "tool_use", "id": call.id, "name": name, "input": dict(sendable(call))}


def result_blocks(model: str, result: ToolResult) -> list[Block]:
    """The result; the pictures of a failure stand beside it, since the wire allows only text inside one.

    Raises:
        NotSupported: The format of a picture is none that Claude reads.
    """
    pictures = [image_block(model, image) for image in result.images]
    block: Block = {"type": "tool_result", "tool_use_id": result.call_id}
    if result.is_error:
        return [{**block, "content": result.content or "It failed without a word.", "is_error": True}, *pictures]
    said = text_block(Text(result.content))
    inside = [*([said] if said else []), *pictures]
    return [{**block, "content": inside if pictures else result.content}]


def _document(model: str, file: File) -> Block:
    if file.media_type == "application/pdf":
        return {"type": "url", "url": file.url} if file.url else _base64("application/pdf", file.data)
    is_text = file.media_type.startswith("text/") or file.media_type in _TEXTS
    if file.url or not is_text:
        raise not_supported(model, f"read {file.name} ({file.media_type})", "Send it as PDF, or its content as text")
    try:
        return {"type": "text", "media_type": "text/plain", "data": file.data.decode()}
    except UnicodeDecodeError:
        raise not_supported(model, f"read {file.name}: it is not UTF-8", "Send it in UTF-8") from None


def _base64(media_type: str, data: bytes) -> Block:
    return {"type": "base64", "media_type": media_type, "data": base64.b64encode(data).decode()}
