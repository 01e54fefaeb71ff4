"""Chat Completions, on the way back: a reply grown from the stream's pieces."""

from __future__ import annotations

import base64
import io
import wave
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from agentinfra.core.messages import (
    Audio,
    ChatReply,
    Delta,
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
    from openai.types.chat import ChatCompletionChunk
    from openai.types.chat.chat_completion_chunk import ChoiceDelta, ChoiceDeltaToolCall
    from openai.types.completion_usage import CompletionUsage

SAMPLES_PER_SECOND = 24_000
"""Of the sound that OpenAI streams: 16 bits, one channel."""

_STOPS: dict[str, StopReason] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
}


@dataclass(slots=True)
class _GrowingCall:
    index: int
    id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list[str])


@dataclass(slots=True)
class ReplyBuilder:
    """Grows a reply from the stream's chunks, forgiving what compatible servers leave out.

    Attributes:
        model: ``provider:model``.
        names: The wire's names of the tools.
        finish: The wire's finish reason; empty until it came.
        usage: Tokens, once the provider has said them.
    """

    model: str
    names: ToolNames
    finish: str = ""
    usage: Usage | None = None
    _id: str = ""
    _text: list[str] = field(default_factory=list[str])
    _refusal: list[str] = field(default_factory=list[str])
    _thoughts: list[str] = field(default_factory=list[str])
    _sound: list[str] = field(default_factory=list[str])
    _transcript: list[str] = field(default_factory=list[str])
    _calls: list[_GrowingCall] = field(default_factory=list[_GrowingCall])

    def take(self, chunk: ChatCompletionChunk) -> Iterator[Delta]:
        """Take one chunk, and yield the pieces of content in it."""
        # The SDK does not validate: what OpenAI always sends may be missing.
        self._id = self._id or cast("str | None", chunk.id) or ""
        for choice in cast("list[Any] | None", chunk.choices) or ():
            if choice.delta is not None:
                yield from self._delta(choice.delta)
            self.finish = choice.finish_reason or self.finish
        if chunk.usage:
            self.usage = _usage(chunk.usage)

    def build(self) -> ChatReply:
        """The finished reply."""
        refusal = "".join(self._refusal)
        text = "".join(self._text) or refusal
        parts: list[Part] = [Reasoning("".join(self._thoughts), self.model)] if self._thoughts else []
        if text:
            parts.append(Text(text))
        if self._sound:
            parts.append(Audio(_as_wav(self._sound), transcript="".join(self._transcript)))
        parts += self._finished_calls()
        return ChatReply(with_own_ids(parts), self.model, self.usage or Usage(), self._stop(bool(refusal)), self._id)

    def _stop(self, refused: bool) -> StopReason:
        if refused:
            return "refusal"
        # Some servers call every end "stop".
        ended = _STOPS.get(self.finish, "stop")
        return "tool_calls" if ended == "stop" and self._calls else ended

    def _delta(self, delta: ChoiceDelta) -> Iterator[Delta]:
        thought: str | None = getattr(delta, "reasoning_content", None) or getattr(delta, "reasoning", None)
        if thought:
            self._thoughts.append(thought)
            yield ReasoningDelta(thought)
        for said, pieces in ((delta.content, self._text), (delta.refusal, self._refusal)):
            if said:
                pieces.append(said)
                yield TextDelta(said)
        if delta.audio is not None:
            self._sound.append(delta.audio.data or "")
            if delta.audio.transcript:
                self._transcript.append(delta.audio.transcript)
                yield TextDelta(delta.audio.transcript)
        for call in delta.tool_calls or ():
            yield self._call(call)

    def _call(self, delta: ChoiceDeltaToolCall) -> Delta:
        function = delta.function
        name, arguments = (function.name or "", function.arguments or "") if function else ("", "")
        call = self._growing(cast("int | None", delta.index), delta.id or "", name)
        call.id = call.id or delta.id or ""
        call.name += name
        call.arguments.append(arguments)
        return ToolCallDelta(self._calls.index(call), delta.id or "", self.names.back(name) if name else "", arguments)

    def _growing(self, index: int | None, id_: str, name: str) -> _GrowingCall:
        """The call that a piece belongs to; servers that do not count say a new id with each new call."""
        same = [call for call in self._calls if index is None or call.index == index]
        begins = not same or (name and id_ and same[-1].id and id_ != same[-1].id)
        if begins:
            self._calls.append(_GrowingCall(len(self._calls) if index is None else index))
            return self._calls[-1]
        return same[-1]

    def _finished_calls(self) -> Iterator[Part]:
        for call in sorted(self._calls, key=lambda call: call.index):
            yield read_call(call.id, self.names.back(call.name), "".join(call.arguments))


def _usage(usage: CompletionUsage) -> Usage:
    read, written = usage.prompt_tokens_details, usage.completion_tokens_details
    return Usage(
        usage.prompt_tokens or 0,
        usage.completion_tokens or 0,
        (read.cached_tokens or 0) if read else 0,
        reasoning_tokens=(written.reasoning_tokens or 0) if written else 0,
        cache_write_tokens=(read.cache_write_tokens or 0) if read else 0,
    )


def _as_wav(pieces: list[str]) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(SAMPLES_PER_SECOND)
        sound.writeframes(b"".join(base64.b64decode(piece) for piece in pieces))
    return file.getvalue()
