"""An editor with language models of its own, in this process: says what it was told, and objects as one would."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterable
from typing import Any

from tests.conformance.wire_server import Fault


class Refusal(Exception):
    """What a JSON-RPC connection raises for an error response."""

    def __init__(self, code: int, message: str = "because of tuesday") -> None:
        super().__init__(message)
        self.code = code


Step = dict[str, Any] | str | float | Fault | Exception
"""A chunk (a text for short), a pause in seconds, a silence for ever, or what the request fails with."""


class Editor:
    """Gives the answers in order, the last again and again.

    Args:
        answers: The steps of each; without an ending of its own, an answer ends in order with ``result``.
        result: What a request is answered with in the end.
        whole: Whether the content comes in the result, and not in chunks.
    """

    def __init__(self, *answers: Iterable[Step], whole: bool = False, **result: Any) -> None:
        self._answers = answers
        self._result = {"model": "gpt-x", "stopReason": "stop", **result}
        self._whole = whole
        self.asked: list[dict[str, Any]] = []
        self.cancelled = 0
        self.busy = self.most_busy = 0
        self.late: Callable[[dict[str, Any]], None] = print

    async def send(self, params: dict[str, Any], on_chunk: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
        self.asked.append(json.loads(json.dumps(params)))
        assert objection_to(params) == ""
        self.late, self.busy = on_chunk, self.busy + 1
        self.most_busy = max(self.busy, self.most_busy)
        answer = self._answers[min(len(self.asked), len(self._answers)) - 1]
        try:
            return await self._give(answer, params["requestId"], on_chunk)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.busy -= 1

    async def count(self, params: dict[str, Any]) -> int:
        assert params["selector"] == {"vendor": "copilot", "family": "gpt-x"}
        return len(params["text"].split())

    async def _give(
        self, answer: Iterable[Step], request_id: str, on_chunk: Callable[[dict[str, Any]], None]
    ) -> dict[str, Any]:
        content: list[dict[str, Any]] = []
        for seq, step in enumerate(answer):
            if isinstance(step, Exception):
                raise step
            if isinstance(step, Fault):
                await asyncio.Event().wait()
            elif isinstance(step, float):
                await asyncio.sleep(step)
            else:
                part = {"type": "text", "text": step} if isinstance(step, str) else step
                content.append(part)
                if not self._whole:
                    on_chunk({"requestId": request_id, "seq": seq, "part": part})
        return {**self._result, "content": content} if self._whole else self._result


def objection_to(params: dict[str, Any]) -> str:
    """What an editor has against a request; "" where it takes it."""
    owed: list[str] = []
    for message in params["messages"]:
        results = [part["callId"] for part in message["content"] if part["type"] == "toolResult"]
        if message["role"] not in ("user", "assistant") or not message["content"]:
            return f"No message of {message['role']}"
        if owed and sorted(results) != sorted(owed):
            return f"No results for {owed}"
        owed = [part["callId"] for part in message["content"] if part["type"] == "toolUse"]
        if len(set(owed)) != len(owed) or not all(owed) or (owed and message["role"] == "user"):
            return f"Illegal calls {owed}"
    last = params["messages"][-1]
    if last["role"] != "user" or last["content"][-1]["type"] == "toolResult":
        return "The last message must be a user's, and no tool result"
    names = [tool["name"] for tool in params.get("tools", ())]
    if not all(re.fullmatch(r"[\w-]+", name) for name in names) or ("toolMode" in params) != bool(names):
        return f"Illegal tools {names}"
    return "" if params["justification"] and params["requestId"] else "Nobody says why"
