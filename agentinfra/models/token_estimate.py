"""How many tokens a request may take, before it is sent: rather too many than too few. Pure."""

from __future__ import annotations

import json

from agentinfra.core.interfaces import ModelProfile
from agentinfra.core.messages import ChatRequest, Effort
from agentinfra.core.token_estimate import MESSAGE_TOKENS, message_tokens, text_tokens
from agentinfra.models.anthropic_thinking import ROOM

_THOUGHTFUL: tuple[Effort, ...] = ("low", "medium", "high")


def input_tokens(request: ChatRequest) -> int:
    """Tokens that the model reads: the conversation, the tools and the schema."""
    messages = sum(message_tokens(message) for message in request.messages)
    tools = sum(text_tokens(f"{one.name}{one.description}{json.dumps(dict(one.parameters))}") for one in request.tools)
    schema = text_tokens(json.dumps(dict(request.schema))) if request.schema else 0
    return messages + tools + schema + MESSAGE_TOKENS * len(request.tools)


def output_tokens(request: ChatRequest, profile: ModelProfile) -> int:
    """The most tokens that the model may write, thinking included."""
    room = ROOM[request.effort] if request.effort in _THOUGHTFUL else 0
    return request.max_tokens + max(room, profile.thinking_tokens)
