"""Responses, on the way back: a reply grown from the stream's events."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from agentinfra.core.messages import (
    ChatReply,
    Delta,
    Image,
    Part,
    Reasoning,
    ReasoningDelta,
    StopReason,
    Text,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from agentinfra.models.tool_arguments import read_call, with_own_ids
from agentinfra.models.tool_names import ToolNames

if TYPE_CHECKING:
    from openai.types.responses import Response, ResponseOutputItem, ResponseStreamEvent
    from openai.types.responses.response_usage import ResponseUsage

_TEXT = frozenset({"response.output_text.delta", "response.refusal.delta"})
_THOUGHT = frozenset({"response.reasoning_summary_text.delta", "response.reasoning_text.delta"})
_ENDS = frozenset({"response.completed", "response.incomplete", "response.failed"})
_INCOMPLETE: dict[str | None, StopReason] = {"max_output_tokens": "length", "content_filter": "content_filter"}


@dataclass(slots=True)
class ResponsesBuilder:
    """Grows a reply from the stream's events.

    Attributes:
        model: ``provider:model``.
        names: The wire's names of the tools.
        response: The whole response, once the stream has ended with it.
    """

    model: str
    names: ToolNames
    response: Response | None = None
    _items: dict[int, ResponseOutputItem] = field(default_factory=dict[int, "ResponseOutputItem"])
    _calls: dict[int, int] = field(default_factory=dict[int, int])

    def take(self, event: ResponseStreamEvent) -> Iterator[Delta]:
        """Take one event, and yield the piece of content in it."""
        kind = event.type
        if kind in _TEXT:
            yield TextDelta(cast("str", getattr(event, "delta", "")))
        elif kind in _THOUGHT:
            yield ReasoningDelta(cast("str", getattr(event, "delta", "")))
        elif event.type == "response.output_item.added" and event.item.type == "function_call":
            index = self._calls.setdefault(event.output_index, len(self._calls))
            yield ToolCallDelta(index, event.item.call_id, self.names.back(event.item.name))
        elif event.type == "response.function_call_arguments.delta":
            index = self._calls.setdefault(event.output_index, len(self._calls))
            yield ToolCallDelta(index, arguments=event.delta)
        elif event.type == "response.output_item.done":
            # The thoughts of "added" may be incomplete; those of "done" are what goes back.
            self._items[event.output_index] = event.item
        elif kind in _ENDS:
            self.response = cast("Response", getattr(event, "response", None))

    @property
    def told(self) -> bool:
        """Whether the provider has said how many tokens it took."""
        return self.response is not None and self.response.usage is not None

    def build(self) -> ChatReply:
        """The finished reply; there must have been an end."""
        response = self.response
        assert response is not None
        items = [item for _, item in sorted(self._items.items())] or list(response.output)
        parts = (part for item in items for part in self._parts(item))
        used = _usage(response.usage) if response.usage else Usage()
        return ChatReply(with_own_ids(parts), self.model, used, _stop(response, items), response.id or "")

    def _parts(self, item: ResponseOutputItem) -> Iterator[Part]:
        if item.type == "message":
            for content in item.content or ():
                text = content.text if content.type == "output_text" else content.refusal
                if text:
                    yield Text(text)
        elif item.type == "function_call":
            yield read_call(item.call_id or item.id or "", self.names.back(item.name), item.arguments or "")
        elif item.type == "reasoning":
            said = [one.text for one in item.summary or ()] or [one.text for one in item.content or ()]
            signature = item.encrypted_content or ""
            yield Reasoning("\n\n".join(said), self.model, item.id or "", signature, redacted=not said)
        elif item.type == "image_generation_call" and item.result:
            kind: Any = getattr(item, "output_format", None) or "png"
            yield Image(base64.b64decode(item.result), media_type=f"image/{kind}")


def _stop(response: Response, items: list[ResponseOutputItem]) -> StopReason:
    if response.status == "incomplete":
        details = response.incomplete_details
        return _INCOMPLETE.get(details.reason if details else None, "pause")
    contents = [content for item in items if item.type == "message" for content in item.content or ()]
    if any(content.type == "refusal" for content in contents):
        return "refusal"
    return "tool_calls" if any(item.type == "function_call" for item in items) else "stop"


def _usage(usage: ResponseUsage) -> Usage:
    read, written = usage.input_tokens_details, usage.output_tokens_details
    return Usage(
        usage.input_tokens or 0,
        usage.output_tokens or 0,
        cast("int | None", getattr(read, "cached_tokens", 0)) or 0,
        reasoning_tokens=cast("int | None", getattr(written, "reasoning_tokens", 0)) or 0,
        cache_write_tokens=cast("int | None", getattr(read, "cache_write_tokens", 0)) or 0,
    )
