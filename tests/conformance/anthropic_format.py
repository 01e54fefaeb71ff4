"""Anthropic Messages, from the provider's side."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from agentinfra.core.interfaces import ModelProfile
from agentinfra.models.anthropic_model import AnthropicModel
from agentinfra.models.timeouts import Timeouts
from tests.conformance.sdk_types import objection_to
from tests.conformance.wire_format import ALL_PARTS, INPUT_TOKENS, KEY, OUTPUT_TOKENS, QUICK, Said, Seen
from tests.conformance.wire_server import Answer, Asked, Piece, event, refusal

MODEL = "anthropic:unpriced.claude-opus-5"
_STOPS = {
    "stop": "end_turn",
    "tool_calls": "tool_use",
    "length": "max_tokens",
    "refusal": "refusal",
    "pause": "pause_turn",
    "context_overflow": "model_context_window_exceeded",
}
_CHOICES = {"any": "required", "auto": "auto", "none": "none"}


def typed(kind: str, **fields: Any) -> str:
    """One event, named twice as the provider does."""
    return event({"type": kind, **fields}, kind)


def start(cached: int = 0, written: int = 0) -> str:
    usage = {"input_tokens": INPUT_TOKENS - cached - written, "output_tokens": 1}
    usage |= {"cache_read_input_tokens": cached, "cache_creation_input_tokens": written}
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude", "content": []}
    return typed("message_start", message={**message, "stop_reason": None, "stop_sequence": None, "usage": usage})


def block(index: int, content: dict[str, Any], *deltas: dict[str, Any]) -> list[Piece]:
    """The events of one content block."""
    grown = [typed("content_block_delta", index=index, delta=delta) for delta in deltas]
    begun = typed("content_block_start", index=index, content_block=content)
    return [begun, typed("ping"), *grown, typed("content_block_stop", index=index)]


def end(stop: str = "end_turn", explanation: str = "", **usage: Any) -> list[Piece]:
    details = {"type": "refusal", "category": None, "explanation": explanation} if explanation else None
    delta = {"stop_reason": stop, "stop_sequence": None, "stop_details": details}
    told = {"output_tokens": OUTPUT_TOKENS, **usage}
    return [typed("message_delta", delta=delta, usage=told), typed("message_stop")]


def text_block(index: int, *texts: str) -> list[Piece]:
    deltas = ({"type": "text_delta", "text": text} for text in texts)
    return block(index, {"type": "text", "text": ""}, *deltas)


def thinking_block(index: int, thought: str, signature: str) -> list[Piece]:
    deltas = [{"type": "thinking_delta", "thinking": thought}] if thought else []
    deltas.append({"type": "signature_delta", "signature": signature})
    return block(index, {"type": "thinking", "thinking": "", "signature": ""}, *deltas)


def call_block(index: int, id_: str, name: str, *arguments: str) -> list[Piece]:
    deltas = ({"type": "input_json_delta", "partial_json": text} for text in arguments)
    return block(index, {"type": "tool_use", "id": id_, "name": name, "input": {}}, *deltas)


class AnthropicFormat:
    """A model that takes everything of the format."""

    name = "anthropic"
    replays_reasoning = True
    stops = frozenset({"length", "refusal", "pause", "context_overflow"})
    reads = frozenset({"text", "image", "file"})

    def model(
        self, url: str, *, timeouts: Timeouts = QUICK, profile: ModelProfile = ALL_PARTS, name: str = MODEL
    ) -> AnthropicModel:
        return AnthropicModel(name, base_url=url, api_key=KEY, timeouts=timeouts, profile=profile)

    def answer(self, said: Said) -> Answer:
        blocks: list[list[Piece]] = []
        if said.thought is not None:
            blocks.append(thinking_block(0, said.thought, said.signature))
        if said.text:
            blocks.append(text_block(len(blocks), *said.text))
        if said.refusal:
            blocks.append(text_block(len(blocks), *said.refusal))
        for call in said.calls:
            blocks.append(call_block(len(blocks), call.id, call.name, *call.arguments))
        stop = "refusal" if said.refusal else said.stop or ("tool_calls" if said.calls else "stop")
        details = {"output_tokens_details": {"thinking_tokens": said.reasoning}}
        return Answer([start(said.cached), *(one for each in blocks for one in each), *end(_STOPS[stop], **details)])

    def begun(self, *text: str) -> list[Piece]:
        opened = typed("content_block_start", index=0, content_block={"type": "text", "text": ""})
        grown = (typed("content_block_delta", index=0, delta={"type": "text_delta", "text": one}) for one in text)
        return [start(), opened, *grown]

    def failed_event(self, code: str, message: str) -> Piece:
        return typed("error", error={"type": code, "message": message})

    def failure(self, status: int, message: str, code: str = "", headers: dict[str, str] | None = None) -> Answer:
        error = {"type": code or "some_error", "message": message}
        return refusal(status, {"type": "error", "error": error, "request_id": "req_1"}, headers)

    def check(self, asked: Asked) -> str:
        if asked.path != "/v1/messages" or asked.headers.get("authorization") != f"Bearer {KEY}":
            return "Wrong door or wrong key"
        body = asked.body
        complaints = (_turns(body["messages"]), _tools(body), _thinking(body), _marks(body))
        return objection_to(body, _params) or next(filter(None, complaints), "")

    def seen(self, asked: Asked) -> Seen:
        body = asked.body
        choice = body.get("tool_choice", {"type": "auto"})
        return Seen(
            [turn for message in body["messages"] for turn in _read(message)],
            system="\n".join(one["text"] for one in body.get("system", ())),
            tools=[tool["name"] for tool in body.get("tools", ())],
            choice=choice["name"] if choice["type"] == "tool" else _CHOICES[choice["type"]],
            parallel=not choice.get("disable_parallel_tool_use", False),
            schema=body.get("output_config", {}).get("format", {}).get("schema"),
            cache_key="\n".join(json.dumps(one) for _, one in marked(body)),
        )


def marked(body: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The blocks that the provider shall cache up to, with where they stand."""
    for field in ("tools", "system"):
        for at, one in enumerate(body.get(field, ())):
            if "cache_control" in one:
                yield f"{field}.{at}", one
    for turn, message in enumerate(body["messages"]):
        for at, one in enumerate(message["content"]):
            if "cache_control" in one:
                yield f"{turn}.{at}", one


def _params() -> type[Any]:
    from anthropic.types.message_create_params import MessageCreateParamsStreaming

    return MessageCreateParamsStreaming


def _turns(messages: Sequence[dict[str, Any]]) -> str:
    """As the API has it: user and assistant in turn, a user first and last, every call answered in the next turn."""
    owed: list[str] = []
    for at, message in enumerate(messages):
        if message["role"] != ("user", "assistant")[at % 2]:
            return f"Turn {at} is the {message['role']}'s"
        kinds = [one["type"] for one in message["content"]]
        results = [one["tool_use_id"] for one in message["content"] if one["type"] == "tool_result"]
        if not kinds or "tool_result" in kinds[len(results) :] or sorted(results) != sorted(owed):
            return f"Turn {at} is empty, or does not begin with the results of {owed}"
        if any(one["type"] == "text" and not one["text"].strip() for one in message["content"]):
            return "text content blocks must contain non-whitespace text"
        if any(one.get("is_error") and not isinstance(one["content"], str) for one in message["content"]):
            return "A failure holds more than text"
        owed = [one["id"] for one in message["content"] if one["type"] == "tool_use"]
        if len(set(owed)) != len(owed) or not all(re.fullmatch(r"[a-zA-Z0-9_-]+", one) for one in owed):
            return f"Illegal ids {owed}"
    return "" if len(messages) % 2 else "The last turn is the assistant's"


def _tools(body: dict[str, Any]) -> str:
    names = [tool["name"] for tool in body.get("tools", ())]
    blocks = [one for message in body["messages"] for one in message["content"]]
    called = {one["name"] for one in blocks if one["type"] == "tool_use"}
    if any(not re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", name) for name in [*names, *called]):
        return f"Illegal names: {names} {called}"
    if called and not names:
        return "Requests with calls must define tools"
    if any(tool["input_schema"].get("type") != "object" for tool in body.get("tools", ())):
        return "A tool that takes no object"
    wanted = body.get("tool_choice", {"type": "auto"})
    forced = wanted["type"] in ("any", "tool")
    if forced and re.search(r"(sonnet|opus)-5-5|(fable|mythos)-5-[12]", body["model"]):
        return "tool_choice forces tool use, which is not supported for this model"
    return "tool_choice without tools" if "tool_choice" in body and not names else ""


def _thinking(body: dict[str, Any]) -> str:
    config = body.get("thinking", {"type": "none"})
    old = re.search(r"-(3|4-[015])", body["model"])
    if config["type"] == "enabled":
        if not old:
            return '"thinking.type.enabled" is not supported for this model'
        if not 1024 <= config["budget_tokens"] < body["max_tokens"]:
            return "The budget has to be less than max_tokens"
        if body.get("tool_choice", {"type": "auto"})["type"] in ("any", "tool"):
            return "Thinking may not be enabled when tool_choice forces tool use"
    if config["type"] == "adaptive" and old:
        return "adaptive thinking is not supported for this model"
    if config["type"] == "disabled" and re.search(r"fable|mythos|(opus|sonnet)-5-5", body["model"]):
        return '"thinking.type.disabled" is not supported for this model'
    return ""


def _marks(body: dict[str, Any]) -> str:
    places = list(marked(body))
    if any(one["type"] in ("thinking", "redacted_thinking") for place, one in places if place[0].isdigit()):
        return "Thoughts cannot be marked"
    return f"{len(places)} blocks with cache_control, 4 are allowed" if len(places) > 4 else ""


def _read(message: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
    for one in message["content"]:
        kind = one["type"]
        if kind == "tool_use":
            yield "assistant", "call", (one["id"], one["name"], json.dumps(one["input"]))
        elif kind == "tool_result":
            content = one["content"]
            parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
            yield "tool", "result", (one["tool_use_id"], "".join(part.get("text", "") for part in parts))
            yield from (("user", "image", part["source"]) for part in parts if part["type"] == "image")
        elif kind in ("thinking", "redacted_thinking"):
            yield message["role"], "reasoning", (one.get("thinking", ""), one.get("signature") or one.get("data"))
        else:
            name = {"document": "file"}.get(kind, kind)
            yield message["role"], name, one.get("text") or one.get("source")
