"""Three ways to get JSON of a schema out of a model, by what it can do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol, cast

from agentinfra.core.interfaces import ModelProfile
from agentinfra.core.messages import (
    ChatReply,
    ChatRequest,
    Delta,
    JsonSchema,
    Message,
    TextDelta,
    ToolCall,
    ToolCallDelta,
    ToolResult,
    ToolSpec,
    assistant,
    user,
)
from agentinfra.models.in_words import schema_in_words
from agentinfra.models.tolerant_json import loads_tolerant

ANSWER = "answer"
"""The tool that a model calls to give its answer."""


class Way(Protocol):
    """How a value is asked for, and where in the reply it is.

    Attributes:
        opener: The bracket that the JSON text begins with; empty where it begins with none.
    """

    opener: str

    def ask(self, request: ChatRequest) -> ChatRequest:
        """The request, with the schema in it."""
        ...

    def value_of(self, reply: ChatReply) -> Any:
        """The JSON value of the reply.

        Raises:
            ValueError: There is none.
        """
        ...

    def again(self, asked: ChatRequest, reply: ChatReply, correction: str) -> ChatRequest:
        """The request that follows a reply which cannot be used."""
        ...

    def piece_of(self, delta: Delta) -> str:
        """What a piece of a reply adds to the JSON text."""
        ...

    def inside(self, value: Any) -> Any:
        """What a JSON value, whole or still growing, holds for the asker."""
        ...


def way_for(profile: ModelProfile, request: ChatRequest, schema: JsonSchema) -> Way:
    """The best way that is open: the provider's own, a forced tool call, or words.

    Args:
        profile: What the model can do.
        request: What is asked; one with tools of its own leaves no room for another.
        schema: Of the value.
    """
    if profile.native_schema:
        return Native(schema)
    return ByTool(schema) if profile.tools and not request.tools else InWords(schema)


class Native:
    """The provider holds the reply to the schema."""

    def __init__(self, schema: JsonSchema) -> None:
        self._schema = schema
        self.opener = {"object": "{", "array": "["}.get(str(schema.get("type")), "")

    def ask(self, request: ChatRequest) -> ChatRequest:
        """The request with its schema set."""
        return replace(request, schema=self._schema)

    def value_of(self, reply: ChatReply) -> Any:
        """The JSON in the reply's text."""
        return loads_tolerant(reply.text)

    def again(self, asked: ChatRequest, reply: ChatReply, correction: str) -> ChatRequest:
        """The conversation goes on with the reply and what is wrong with it."""
        return replace(asked, messages=(*asked.messages, assistant(reply.text or "(nothing)"), user(correction)))

    def piece_of(self, delta: Delta) -> str:
        """Text."""
        return delta.text if isinstance(delta, TextDelta) else ""

    def inside(self, value: Any) -> Any:
        """The value itself."""
        return value


class InWords(Native):
    """The model is told of the schema, and nobody holds it to it."""

    def ask(self, request: ChatRequest) -> ChatRequest:
        """The request with one more message."""
        return replace(request, schema=None, messages=(*request.messages, user(schema_in_words(self._schema))))


class ByTool:
    """The model has to call a tool whose arguments are the value; other than objects are wrapped into one."""

    opener = "{"

    def __init__(self, schema: JsonSchema) -> None:
        self._is_wrapped = schema.get("type") != "object"
        self._tool = ToolSpec(ANSWER, "Give the answer.", _wrapped(schema) if self._is_wrapped else schema)

    def ask(self, request: ChatRequest) -> ChatRequest:
        """The request with the tool, which must be called once."""
        return replace(request, schema=None, tools=(self._tool,), tool_choice=ANSWER, parallel_tools=False)

    def value_of(self, reply: ChatReply) -> Any:
        """The arguments of the call; models that say the JSON instead are taken at their word."""
        calls = [call for call in reply.tool_calls if call.name == ANSWER]
        if not calls:
            return self.inside(loads_tolerant(reply.text))
        value = loads_tolerant(calls[0].unreadable) if calls[0].unreadable else dict(calls[0].arguments)
        return self.inside(value)

    def again(self, asked: ChatRequest, reply: ChatReply, correction: str) -> ChatRequest:
        """The call is answered with what is wrong with it."""
        calls = [part for part in reply.parts if isinstance(part, ToolCall)]
        said = Message("assistant", reply.parts) if calls else assistant(reply.text or "(nothing)")
        results = tuple(ToolResult(call.id, correction, is_error=True) for call in calls)
        return replace(
            asked, messages=(*asked.messages, said, Message("tool", results) if results else user(correction))
        )

    def piece_of(self, delta: Delta) -> str:
        """The arguments of the first call."""
        return delta.arguments if isinstance(delta, ToolCallDelta) and delta.index == 0 else ""

    def inside(self, value: Any) -> Any:
        """The value without what it is wrapped into."""
        if self._is_wrapped and isinstance(value, Mapping):
            return cast("Mapping[str, Any]", value).get("value")
        return value


def _wrapped(schema: JsonSchema) -> JsonSchema:
    inner = {name: value for name, value in schema.items() if name != "$defs"}
    outer: dict[str, Any] = {"type": "object", "properties": {"value": inner}, "required": ["value"]}
    # References are read from the root.
    return {**outer, "$defs": schema["$defs"]} if "$defs" in schema else outer
