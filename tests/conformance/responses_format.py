"""OpenAI's Responses, from the provider's side."""

from __future__ import annotations

import re
from typing import Any

from agentinfra.core.interfaces import ModelProfile
from agentinfra.models.openai_responses_model import OpenAIResponsesModel
from agentinfra.models.timeouts import Timeouts
from tests.conformance.sdk_types import objection_to
from tests.conformance.wire_format import ALL_PARTS, INPUT_TOKENS, KEY, OUTPUT_TOKENS, QUICK, Said, Seen
from tests.conformance.wire_server import Answer, Asked, Piece, event, refusal

_INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}
_KINDS = {"input_text": "text", "input_image": "image", "input_file": "file"}


def told(kind: str, **more: Any) -> str:
    """One event of a stream."""
    return event({"type": kind, "sequence_number": 0, **more}, kind)


def response(status: str, output: list[dict[str, Any]] | None = None, **more: Any) -> dict[str, Any]:
    head = {"id": "resp_1", "object": "response", "created_at": 0, "model": "m", "status": status}
    rest = {"parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "error": None, "incomplete_details": None}
    return {**head, **rest, "output": output or [], **more}


def item(index: int, started: dict[str, Any], done: dict[str, Any], *between: str) -> list[Piece]:
    """The events of one item of the output."""
    begin = told("response.output_item.added", output_index=index, item={**started, "status": "in_progress"})
    return [begin, *between, told("response.output_item.done", output_index=index, item=done)]


def usage(said: Said) -> dict[str, Any]:
    return {
        "input_tokens": INPUT_TOKENS,
        "output_tokens": OUTPUT_TOKENS,
        "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS,
        "input_tokens_details": {"cached_tokens": said.cached, "cache_write_tokens": 0},
        "output_tokens_details": {"reasoning_tokens": said.reasoning},
    }


class ResponsesFormat:
    """A model that thinks, at a server that calls itself OpenAI."""

    name = "responses"
    replays_reasoning = True
    stops = frozenset({"length", "content_filter", "refusal"})
    reads = frozenset({"text", "image", "file"})

    def model(self, url: str, *, timeouts: Timeouts = QUICK, profile: ModelProfile = ALL_PARTS) -> OpenAIResponsesModel:
        return OpenAIResponsesModel(
            "openai:o9-tiny", base_url=f"{url}/v1", api_key=KEY, timeouts=timeouts, profile=profile, dialect="openai"
        )

    def answer(self, said: Said) -> Answer:
        pieces, output = self.begun(), list[dict[str, Any]]()
        for started, done, between in _items(said):
            pieces += item(len(output), started, done, *(one(len(output)) for one in between))
            output.append(done)
        if said.stop in _INCOMPLETE:
            details = {"reason": _INCOMPLETE[said.stop]}
            end = response("incomplete", output, usage=usage(said), incomplete_details=details)
            return Answer([*pieces, told("response.incomplete", response=end)])
        return Answer([*pieces, told("response.completed", response=response("completed", output, usage=usage(said)))])

    def begun(self, *text: str) -> list[Piece]:
        start = [told("response.created", response=response("in_progress"))]
        if not text:
            return start
        message = {"type": "message", "id": "msg_1", "role": "assistant", "content": [], "status": "in_progress"}
        opened = told("response.output_item.added", output_index=0, item=message)
        return [*start, opened, *(_text_delta(one)(0) for one in text)]

    def failed_event(self, code: str, message: str) -> Piece:
        error = {"code": code, "message": message}
        return told("response.failed", response=response("failed", error=error))

    def failure(self, status: int, message: str, code: str = "", headers: dict[str, str] | None = None) -> Answer:
        return refusal(status, {"error": {"message": message, "type": code, "code": code, "param": None}}, headers)

    def check(self, asked: Asked) -> str:
        if asked.path != "/v1/responses" or asked.headers.get("authorization") != f"Bearer {KEY}":
            return "Wrong door or wrong key"
        return objection_to(asked.body, _params) or _unpaired(asked.body["input"]) or _illegal(asked.body)

    def seen(self, asked: Asked) -> Seen:
        body = asked.body
        instructions = [one["content"] for one in body["input"] if one.get("role") in ("system", "developer")]
        choice = body.get("tool_choice", "auto")
        return Seen(
            [turn for one in body["input"] for turn in _turns(one)],
            system="\n".join(instructions),
            tools=[tool["name"] for tool in body.get("tools", ()) if tool["type"] == "function"],
            choice=choice if isinstance(choice, str) else choice["name"],
            parallel=body.get("parallel_tool_calls", True),
            schema=body.get("text", {}).get("format", {}).get("schema"),
            cache_key=body.get("prompt_cache_key", ""),
            stored=body.get("store", True),
        )


def _text_delta(text: str, kind: str = "response.output_text.delta") -> Any:
    place = {"item_id": "msg_1", "content_index": 0, "logprobs": []}
    return lambda index: told(kind, output_index=index, delta=text, **place)


def _items(said: Said) -> list[tuple[dict[str, Any], dict[str, Any], list[Any]]]:
    items: list[tuple[dict[str, Any], dict[str, Any], list[Any]]] = []
    if said.thought is not None:
        head = {"type": "reasoning", "id": "rs_1", "summary": []}
        summary = [{"type": "summary_text", "text": said.thought}] if said.thought else []
        deltas = [_text_delta(said.thought, "response.reasoning_summary_text.delta")] if said.thought else []
        items.append((head, {**head, "summary": summary, "encrypted_content": said.signature}, deltas))
    contents = [{"type": "output_text", "text": "".join(said.text), "annotations": []}] if said.text else []
    contents += [{"type": "refusal", "refusal": "".join(said.refusal)}] if said.refusal else []
    if contents:
        head = {"type": "message", "id": "msg_1", "role": "assistant", "content": []}
        deltas = [_text_delta(one) for one in said.text]
        deltas += [_text_delta(one, "response.refusal.delta") for one in said.refusal]
        items.append((head, {**head, "content": contents, "status": "completed"}, deltas))
    for call in said.calls:
        head = {"type": "function_call", "id": f"fc_{call.id}", "call_id": call.id, "name": call.name, "arguments": ""}
        deltas = [_text_delta(one, "response.function_call_arguments.delta") for one in call.arguments]
        items.append((head, {**head, "arguments": "".join(call.arguments), "status": "completed"}, deltas))
    return items


def _params() -> type[Any]:
    from openai.types.responses.response_create_params import ResponseCreateParamsStreaming

    return ResponseCreateParamsStreaming


def _turns(one: dict[str, Any]) -> list[tuple[str, str, Any]]:
    if one["type"] == "reasoning":
        return [("assistant", "reasoning", (one["id"], [s["text"] for s in one["summary"]], one["encrypted_content"]))]
    if one["type"] == "function_call":
        return [("assistant", "call", (one["call_id"], one["name"], one["arguments"]))]
    if one["type"] == "function_call_output":
        return _output(one)
    if one["role"] in ("system", "developer"):
        return []
    content = one["content"]
    parts = [{"type": "input_text", "text": content}] if isinstance(content, str) else content
    return [(one["role"], _KINDS[part["type"]], part.get("text") or part) for part in parts]


def _output(one: dict[str, Any]) -> list[tuple[str, str, Any]]:
    output = one["output"]
    if isinstance(output, str):
        return [("tool", "result", (one["call_id"], output))]
    pictures = [("tool", "image", part) for part in output if part["type"] == "input_image"]
    return [("tool", "result", (one["call_id"], output[0]["text"])), *pictures]


def _unpaired(items: list[dict[str, Any]]) -> str:
    """As the API has it: calls and outputs pair up by id, and something follows what is thought."""
    calls = [one["call_id"] for one in items if one["type"] == "function_call"]
    answered = [one["call_id"] for one in items if one["type"] == "function_call_output"]
    if sorted(calls) != sorted(answered) or len(set(calls)) != len(calls) or not all(calls):
        return f"Calls {calls} are answered by {answered}"
    after = zip(items, [*items[1:], {"type": "nothing"}], strict=True)
    alone = [one["id"] for one, following in after if one["type"] == "reasoning" and not _is_said(following)]
    return f"Nothing follows {alone}" if alone else ""


def _is_said(one: dict[str, Any]) -> bool:
    return one["type"] in ("function_call", "reasoning") or one.get("role") == "assistant"


def _illegal(body: dict[str, Any]) -> str:
    named = [one["name"] for one in [*body["input"], *body.get("tools", ())] if "name" in one]
    wrong = [name for name in named if not re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", name)]
    return f"Illegal names: {wrong}" if wrong else ""
