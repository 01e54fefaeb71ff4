"""What both of OpenAI's formats have in common on the way out. Pure; knows the formats, not the SDK."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from agentinfra.core.interfaces import ModelProfile
from agentinfra.core.messages import Audio, ChatReply, ChatRequest, Effort, File, Image, JsonSchema, Modality, Text
from agentinfra.models.prices import cost_of

REASONING_TOKENS = 8_192
"""Added to the bound of models that think first, because thinking counts against it."""

COMPATIBLE_PROFILE = ModelProfile(inputs=("text", "image", "audio", "file"))
"""Of a server that we know nothing about: it refuses itself what its model cannot read."""

_REASONING = re.compile(r"(o\d|gpt-([5-9]|\d\d))")
_AUDIO = re.compile(r"gpt-(4o-(mini-)?audio|audio)")
_TEXT_ONLY = re.compile(r"(gpt-3|gpt-4($|-\d)|o1-mini|o1-preview|o3-mini)")
_STRICT_WORDS = {"type", "properties", "required", "additionalProperties", "items", "enum", "const", "anyOf"} | {
    "$ref",
    "$defs",
    "title",
    "description",
}
_CONTEXTS = (
    (re.compile(r"gpt-4\.1"), 1_000_000),
    (re.compile(r"gpt-([5-9]|\d\d)"), 400_000),
    (re.compile(r"o\d"), 200_000),
    (re.compile(r"gpt-3|gpt-4($|-\d)"), 8_192),
)


def thinks(model: str) -> bool:
    """Whether OpenAI's model of that name reasons before it answers; such models take no temperature and no stop."""
    return _REASONING.match(model) is not None


def speaks(model: str) -> bool:
    """Whether OpenAI's model of that name hears and speaks; such models are not offered over Responses."""
    return _AUDIO.match(model) is not None


def profile_of(model: str, *, responses: bool) -> ModelProfile:
    """What OpenAI's model of that name can do.

    Args:
        model: The model's name without its provider.
        responses: Whether it is asked over Responses, which draws pictures, or Chat Completions, which speaks.
    """
    context = next((tokens for pattern, tokens in _CONTEXTS if pattern.match(model)), 128_000)
    inputs: tuple[Modality, ...] = ("text", "image", "file")
    outputs: tuple[Modality, ...] = ("text", "image") if responses else ("text",)
    if speaks(model):
        inputs, outputs = ("text", "audio"), ("text", "audio")
    elif _TEXT_ONLY.match(model):
        inputs, outputs = ("text",), ("text",)
    thinking = REASONING_TOKENS if thinks(model) else 0
    return ModelProfile(context_tokens=context, inputs=inputs, outputs=outputs, thinking_tokens=thinking)


def effort_of(effort: Effort, model: str) -> str:
    """The wire's word for how long to think; the nearest that the model knows."""
    if effort != "none":
        return effort
    if re.match(r"o\d", model):
        return "low"
    return "minimal" if re.match(r"gpt-5(-|$)", model) else "none"


def cache_key(request: ChatRequest) -> str:
    """A key that calls with the same beginning share: their instructions and their tools."""
    said = [message.text for message in request.messages if message.role == "system"]
    tools = [[tool.name, tool.description, tool.parameters] for tool in request.tools]
    return hashlib.sha256(json.dumps([said, tools], sort_keys=True).encode()).hexdigest()[:32]


def schema_format(schema: JsonSchema) -> dict[str, Any]:
    """The wire's description of a reply by schema: enforced to the letter where the schema can be."""
    strict = strict_schema(schema)
    return {"name": "reply", "schema": dict(strict or schema), "strict": strict is not None}


def strict_schema(schema: JsonSchema) -> JsonSchema | None:
    """The schema as OpenAI's strict mode wants it, or None where it says what that mode cannot express.

    Strict mode knows no optional and no free members; an object that has none of them only needs to say so.
    """
    try:
        return _closed(schema) if schema.get("type") == "object" else None
    except ValueError:
        return None


def _closed(node: JsonSchema) -> dict[str, Any]:
    if not node.keys() <= _STRICT_WORDS:
        raise ValueError("A word that strict mode does not know")
    closed = dict(node)
    for word in ("properties", "$defs"):
        if word in node:
            closed[word] = {name: _closed(one) for name, one in node[word].items()}
    if "items" in node:
        closed["items"] = _closed(node["items"])
    if "anyOf" in node:
        closed["anyOf"] = [_closed(one) for one in node["anyOf"]]
    if node.get("type") == "object":
        if node.get("additionalProperties") or set(node.get("properties", ())) != set(node.get("required", ())):
            raise ValueError("An object with optional or free members")
        closed["additionalProperties"] = False
    return closed


def data_url(part: Image | File) -> str:
    """The part's address, or all of it as one."""
    return part.url or f"data:{part.media_type};base64,{base64.b64encode(part.data).decode()}"


def sound(part: Audio) -> dict[str, str]:
    """The sound as both formats write it."""
    return {"data": base64.b64encode(part.data).decode(), "format": sound_format(part)}


def sound_format(part: Audio) -> str:
    """OpenAI's word for the encoding, which is also the ending of such a file's name."""
    kind = part.media_type.rpartition("/")[2].removeprefix("x-")
    return "mp3" if kind == "mpeg" else kind


def cut_at_stop(reply: ChatReply, stops: Sequence[str]) -> ChatReply:
    """The reply with its text up to the first stop string, for wires that have no word for them."""
    for place, part in enumerate(reply.parts):
        ends = [at for stop in stops if isinstance(part, Text) and (at := part.text.find(stop)) >= 0]
        if ends and isinstance(part, Text):
            kept = (*reply.parts[:place], Text(part.text[: min(ends)]))
            return replace(reply, parts=kept, stop_reason="stop")
    return reply


def priced(reply: ChatReply, model: str, *, told: bool) -> ChatReply:
    """The reply with its price.

    Args:
        reply: The reply.
        model: ``provider:model`` of the price list.
        told: Whether the provider has said how many tokens it took; without that there is no price.
    """
    cost = cost_of(model, reply.usage) if told else None
    return replace(reply, usage=replace(reply.usage, cost_usd=cost))
