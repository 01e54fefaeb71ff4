"""OpenAI's Chat Completions, from the provider's side."""

from __future__ import annotations

import re
from typing import Any

from agentinfra.core.interfaces import ModelProfile
from agentinfra.models.openai_chat_model import OpenAIChatModel
from agentinfra.models.timeouts import Timeouts
from tests.conformance.sdk_types import objection_to
from tests.conformance.wire_format import ALL_PARTS, INPUT_TOKENS, KEY, OUTPUT_TOKENS, QUICK, Said, Seen
from tests.conformance.wire_server import Answer, Asked, Piece, event, refusal

_FINISH = {"stop": "stop", "tool_calls": "tool_calls", "length": "length", "content_filter": "content_filter"}
_KINDS = {"text": "text", "image_url": "image", "input_audio": "audio", "file": "file"}


def chunk(delta: dict[str, Any] | None = None, *, finish: str | None = None, **more: Any) -> str:
    """One chunk of a stream."""
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    frame = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 0, "model": "m", "choices": choices}
    return event({**frame, **more})


def usage(said: Said) -> dict[str, Any]:
    return {
        "prompt_tokens": INPUT_TOKENS,
        "completion_tokens": OUTPUT_TOKENS,
        "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS,
        "prompt_tokens_details": {"cached_tokens": said.cached},
        "completion_tokens_details": {"reasoning_tokens": said.reasoning},
    }


class ChatFormat:
    """Spoken to a server that calls itself OpenAI, so that everything of the format is used."""

    name = "chat"
    replays_reasoning = False
    stops = frozenset({"length", "content_filter", "refusal"})
    reads = frozenset({"text", "image", "audio", "file"})

    def model(self, url: str, *, timeouts: Timeouts = QUICK, profile: ModelProfile = ALL_PARTS) -> OpenAIChatModel:
        return OpenAIChatModel(
            "openai-chat:tiny",
            base_url=f"{url}/v1",
            api_key=KEY,
            timeouts=timeouts,
            profile=profile,
            dialect="openai",
        )

    def answer(self, said: Said) -> Answer:
        pieces = self.begun()
        if said.thought is not None:
            pieces.append(chunk({"reasoning_content": said.thought}))
        pieces += [chunk({"content": text}) for text in said.text]
        pieces += [chunk({"refusal": text}) for text in said.refusal]
        for index, call in enumerate(said.calls):
            function = {"name": call.name, "arguments": ""}
            start = {"index": index, "id": call.id, "type": "function", "function": function}
            pieces.append(chunk({"tool_calls": [start]}))
            grown = ({"index": index, "function": {"arguments": text}} for text in call.arguments)
            pieces += [chunk({"tool_calls": [piece]}) for piece in grown]
        stop = "stop" if said.refusal else said.stop or ("tool_calls" if said.calls else "stop")
        return Answer([*pieces, chunk({}, finish=_FINISH[stop]), chunk(usage=usage(said)), event("[DONE]")])

    def begun(self, *text: str) -> list[Piece]:
        return [chunk({"role": "assistant", "content": ""}), *(chunk({"content": one}) for one in text)]

    def failed_event(self, code: str, message: str) -> Piece:
        return event({"error": {"message": message, "code": code, "type": code}})

    def failure(self, status: int, message: str, code: str = "", headers: dict[str, str] | None = None) -> Answer:
        return refusal(status, {"error": {"message": message, "type": code, "code": code, "param": None}}, headers)

    def check(self, asked: Asked) -> str:
        if asked.path != "/v1/chat/completions" or asked.headers.get("authorization") != f"Bearer {KEY}":
            return "Wrong door or wrong key"
        return objection_to(asked.body, _params) or _unpaired(asked.body["messages"]) or _illegal(asked.body)

    def seen(self, asked: Asked) -> Seen:
        body, seen = asked.body, Seen([])
        system = [str(one["content"]) for one in body["messages"] if one["role"] in ("system", "developer")]
        for message in body["messages"]:
            seen.turns.extend(_turns(message))
        choice = body.get("tool_choice", "auto")
        return Seen(
            seen.turns,
            system="\n".join(system),
            tools=[tool["function"]["name"] for tool in body.get("tools", ())],
            choice=choice if isinstance(choice, str) else choice["function"]["name"],
            parallel=body.get("parallel_tool_calls", True),
            schema=body.get("response_format", {}).get("json_schema", {}).get("schema"),
            cache_key=body.get("prompt_cache_key", ""),
            stored=body.get("store", True),
        )


def _params() -> type[Any]:
    from openai.types.chat.completion_create_params import CompletionCreateParamsStreaming

    return CompletionCreateParamsStreaming


def _turns(message: dict[str, Any]) -> list[tuple[str, str, Any]]:
    role, content = message["role"], message.get("content")
    if role in ("system", "developer"):
        return []
    if role == "tool":
        return [("tool", "result", (message["tool_call_id"], content))]
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content or []
    turns = [(role, _KINDS[part["type"]], part[part["type"]]) for part in parts]
    functions = ((call["id"], call["function"]) for call in message.get("tool_calls", ()))
    return turns + [("assistant", "call", (id_, one["name"], one["arguments"])) for id_, one in functions]


def _unpaired(messages: list[dict[str, Any]]) -> str:
    """As the API has it: every call is answered by the tool messages right after it, and these answer nothing else."""
    owed: set[str] = set()
    for message in messages:
        if message["role"] == "tool":
            if message["tool_call_id"] not in owed:
                return f"The result {message['tool_call_id']!r} answers no call"
            owed.remove(message["tool_call_id"])
        elif owed:
            return f"No result for {sorted(owed)}"
        calls = [call["id"] for call in message.get("tool_calls", ())]
        if len(set(calls)) != len(calls) or not all(calls):
            return f"Ids of calls are not unique: {calls}"
        owed |= set(calls)
    return f"No result for {sorted(owed)}" if owed else ""


def _illegal(body: dict[str, Any]) -> str:
    calls = (call["function"]["name"] for one in body["messages"] for call in one.get("tool_calls", ()))
    named = [*(tool["function"]["name"] for tool in body.get("tools", ())), *calls]
    wrong = [name for name in named if not re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", name)]
    return f"Illegal names: {wrong}" if wrong else ""
