"""Try out what a model can really do: an answer, a tool call, a structured reply, a picture, and how fast it writes."""

from __future__ import annotations

import struct
import time
import zlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from agentinfra.core.errors import ModelError, ModelUnavailable
from agentinfra.core.interfaces import ChatModel
from agentinfra.core.messages import ChatRequest, Delta, Image, ToolSpec, user
from agentinfra.models.structured import complete_as

Verdict = Literal["works", "fails", "not claimed"]
_ADD = ToolSpec(
    "add",
    "Add two whole numbers.",
    {
        "type": "object",
        "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
        "required": ["a", "b"],
    },
)
_RED_SIDE = 64


@dataclass(frozen=True, slots=True)
class Check:
    """What came of one try.

    Attributes:
        name: What was tried.
        verdict: "not claimed" where the model does not say that it can, so that it was not asked.
        detail: What came instead, or the figures.
        seconds: How long it took.
    """

    name: str
    verdict: Verdict
    detail: str
    seconds: float


@dataclass(frozen=True, slots=True)
class _City:
    name: str
    country: str


async def try_model(model: ChatModel) -> AsyncGenerator[Check]:
    """Try the model, one thing after the other, and yield what came of each.

    Args:
        model: Who is tried; the tries cost some hundred tokens.

    Raises:
        ModelUnavailable: It cannot be asked at all.
    """
    yield await _checked("answers", _answer, model)
    yield await _checked("tool call", _tool_call, model) if model.profile.tools else _unclaimed("tool call")
    yield await _checked("structured reply", _structured, model)
    yield await _checked("picture", _picture, model) if "image" in model.profile.inputs else _unclaimed("picture")


def _unclaimed(name: str) -> Check:
    return Check(name, "not claimed", "", 0.0)


async def _checked(name: str, trial: Callable[[ChatModel], Awaitable[tuple[bool, str]]], model: ChatModel) -> Check:
    began = time.monotonic()
    try:
        works, detail = await trial(model)
    except ModelUnavailable:
        raise
    except ModelError as error:
        works, detail = False, str(error)
    return Check(name, "works" if works else "fails", detail, time.monotonic() - began)


async def _answer(model: ChatModel) -> tuple[bool, str]:
    began, first = time.monotonic(), 0.0

    async def note(_piece: Delta) -> None:
        nonlocal first
        first = first or time.monotonic() - began

    ask = ChatRequest((user("Count from one to twenty in words."),), max_tokens=120, temperature=0.0, on_delta=note)
    reply = await model.complete(ask)
    writing = time.monotonic() - began - first
    tokens = reply.usage.output_tokens
    speed = f"{tokens / writing:.1f} tokens/s" if first and tokens and writing > 0 else "speed unknown"
    return bool(reply.text.strip()), f"{speed}, first piece after {first:.1f} s" if first else speed


async def _tool_call(model: ChatModel) -> tuple[bool, str]:
    question = "What is 1234 plus 4321? Use the tool."
    reply = await model.complete(ChatRequest((user(question),), tools=(_ADD,), max_tokens=200, temperature=0.0))
    calls = [(call.name, dict(call.arguments)) for call in reply.tool_calls]
    wanted = ({"a": 1234, "b": 4321}, {"a": 4321, "b": 1234})
    works = len(calls) == 1 and calls[0][0] == "add" and calls[0][1] in wanted
    return works, "" if works else f"it called {calls}" if calls else f"it said {reply.text[:80]!r}"


async def _structured(model: ChatModel) -> tuple[bool, str]:
    ask = ChatRequest((user("Which city is the capital of France, and of which country?"),), max_tokens=100)
    city, _ = await complete_as(model, ask, _City)
    return "paris" in city.name.lower(), f"{city.name}, {city.country}"


async def _picture(model: ChatModel) -> tuple[bool, str]:
    ask = ChatRequest((user("What colour is this? Answer with one word.", Image(red_square())),), max_tokens=20)
    reply = await model.complete(ask)
    return "red" in reply.text.lower(), reply.text.strip()[:80]


def red_square() -> bytes:
    """A red PNG of 64 by 64 pixels."""
    rows = (b"\0" + b"\xe0\x10\x10" * _RED_SIDE) * _RED_SIDE
    header = struct.pack(">IIBBBBB", _RED_SIDE, _RED_SIDE, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
