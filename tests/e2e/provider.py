"""A small Chat Completions server on loopback: a good model by default, and whatever a test makes of it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

IDEA = """Please make two small Python modules.

`sums.py`: `add(a, b)` adds two whole numbers, so `add(2, 3)` gives 5 and `add(-1, 4)` gives 3.
`half(n)` is half of a whole number, rounded down, so `half(10)` gives 5 and `half(7)` gives 3.

`words.py`: `shown(a, b)` writes the sum by `add` as text, so `shown(2, 3)` gives "= 5" and `shown(1, 1)` gives "= 2".
"""
SHORT = """Please make a small Python module.

`sums.py`: `half(n)` is half of a whole number, rounded down, so `half(10)` gives 5 and `half(7)` gives 3.
"""
WITHOUT_EXAMPLES = """Please make a small Python module.

`sums.py`: `half(n)` is half of a whole number, rounded down.
"""
CODE = '''```python
from sums import add


def add(a, b):
    """Add two numbers."""
    return a + b


def half(n):
    """Halve a number."""
    return n // 2


def shown(a, b):
    """Write the sum."""
    return f"= {add(a, b)}"
```'''
CUT = object()
ECHO = object()
"""Refuses the key, and repeats it in the message as providers do."""

Reply = str | Iterable[str] | object
Answer = Callable[[dict[str, Any]], Reply]


def planned(file: str, signature: str) -> dict[str, Any]:
    return {"file": file, "signature": signature, "title": f"The {signature}", "rules": "As the request says."}


PLAN = {
    "title": "Sums",
    "goal": "Calculate a little.",
    "requirements": [
        planned("sums.py", "add(a, b)"),
        planned("sums.py", "half(n)"),
        planned("words.py", "shown(a, b)"),
    ],
}
GOOD: Mapping[str, Reply] = {
    "OpenQuestions": json.dumps({"questions": []}),
    "Plan": json.dumps(PLAN),
    "ProposedCases": json.dumps({"cases": []}),
    "code": CODE,
}


class Provider:
    """The server; a context manager.

    Args:
        answers: By kind (a reply type's name, or "code") what is answered: a text, pieces of one, CUT for a broken
            connection, or a function of the request that returns one of these. What is not given is answered well.
        tokens: What a request is said to have used.
        port: Where to listen; any free port for 0.

    Attributes:
        requests: The bodies that came, in order, each with its kind.
        cut: How many answers the client did not read to the end.
        keys: Every ``Authorization`` header that came.
    """

    def __init__(self, answers: Mapping[str, Reply | Answer] | None = None, *, tokens: int = 10, port: int = 0) -> None:
        self.answers = {**GOOD, **(answers or {})}
        self.tokens = tokens
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.cut = 0
        self.keys: set[str] = set()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self._server.daemon_threads = True

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def port(self) -> int:
        return self._server.server_address[1]

    @property
    def options(self) -> tuple[str, ...]:
        """What makes a run ask this server."""
        return ("--model", "openai:gpt-4o", "--base-url", f"http://127.0.0.1:{self.port}/v1")

    def asked(self, kind: str) -> list[dict[str, Any]]:
        """The requests of a kind."""
        return [body for own, body in self.requests if own == kind]

    def cuts(self, least: int, seconds: float = 10) -> int:
        """How many answers were not read to the end, as soon as it is so many: the socket tells of it late."""
        end = time.monotonic() + seconds
        while self.cut < least and time.monotonic() < end:
            time.sleep(0.02)
        return self.cut

    def answer(self, body: dict[str, Any]) -> Reply:
        kind = kind_of(body)
        self.requests.append((kind, body))
        found = self.answers[kind]
        return found(body) if callable(found) else found

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                key = self.headers.get("Authorization", "")
                provider.keys.add(key)
                reply = provider.answer(body)
                if reply is ECHO:
                    self._refuse(key)
                    return
                if reply is CUT:
                    self.close_connection = True
                    return
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.end_headers()
                try:
                    for piece in [reply] if isinstance(reply, str) else reply:
                        self._send({"choices": [{"index": 0, "delta": {"content": piece}}]})
                    self._send({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
                    usage = {"prompt_tokens": provider.tokens, "completion_tokens": provider.tokens}
                    self._send({"choices": [], "usage": usage | {"total_tokens": 2 * provider.tokens}})
                    self.wfile.write(b"data: [DONE]\n\n")
                except (BrokenPipeError, ConnectionResetError):
                    provider.cut += 1

            def _refuse(self, key: str) -> None:
                error = {
                    "message": f"Incorrect API key provided: {key.removeprefix('Bearer ')}.",
                    "code": "invalid_api_key",
                }
                body = json.dumps({"error": error}).encode()
                self.send_response(401)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("X-Echo", key)
                self.end_headers()
                self.wfile.write(body)

            def _send(self, chunk: dict[str, Any]) -> None:
                whole = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "small", **chunk}
                self.wfile.write(f"data: {json.dumps(whole)}\n\n".encode())

            def log_message(self, format: str, *args: Any) -> None:
                """Nothing: the test's output is for the test."""

        return Handler


def kind_of(body: dict[str, Any]) -> str:
    """What a request asks for: a reply type's name, or "code"."""
    if "response_format" in body:
        return body["response_format"]["json_schema"]["schema"]["title"]
    return "code"


def in_turn(*replies: Reply) -> Answer:
    """One reply after the other; the last one again and again."""
    left = list(replies)
    return lambda body: left.pop(0) if len(left) > 1 else left[0]
