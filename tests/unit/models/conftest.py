"""A loopback HTTP server that speaks what the providers speak, told what to answer."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

CUT = object()
"""Ends the connection in the middle of the body."""


@dataclass
class Answer:
    """Status, body pieces and headers; a number among the pieces is a pause in seconds."""

    status: int = 200
    pieces: Sequence[Any] = ()
    headers: dict[str, str] = field(default_factory=dict)


class WireServer:
    """Gives the answers in order, the last again and again, and remembers what it was asked."""

    def __init__(self, answers: list[Answer]) -> None:
        self.answers = answers
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.client_left = threading.Event()
        self.busy = 0
        self.most_busy = 0
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"owner": self}))
        self._http.daemon_threads = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    @contextmanager
    def running(self) -> Iterator[WireServer]:
        thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._http.shutdown()
            self._http.server_close()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    owner: WireServer
    # Connections stay open unless the client wants them closed.
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        owner = self.owner
        owner.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        owner.headers.append({name.lower(): value for name, value in self.headers.items()})
        answer = owner.answers[min(len(owner.bodies), len(owner.answers)) - 1]
        owner.busy += 1
        owner.most_busy = max(owner.most_busy, owner.busy)
        try:
            self._give(answer)
        except (BrokenPipeError, ConnectionResetError):
            owner.client_left.set()
            self.close_connection = True
        finally:
            owner.busy -= 1

    def _give(self, answer: Answer) -> None:
        self.send_response(answer.status)
        headers = {"Content-Type": "text/event-stream", "Transfer-Encoding": "chunked", **answer.headers}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        for piece in answer.pieces:
            if piece is CUT:
                self.close_connection = True
                return
            self._send(piece)
        self.wfile.write(b"0\r\n\r\n")

    def _send(self, piece: Any) -> None:
        if isinstance(piece, float):
            time.sleep(piece)
            return
        data = piece.encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:
        pass


def _event(data: Any, kind: str = "") -> str:
    text = data if isinstance(data, str) else json.dumps(data)
    return (f"event: {kind}\n" if kind else "") + f"data: {text}\n\n"


class Wire:
    """Starts servers and builds what they answer."""

    CUT = CUT
    Answer = Answer
    event = staticmethod(_event)

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack

    def start(self, *answers: Answer) -> WireServer:
        return self._stack.enter_context(WireServer(list(answers)).running())

    @staticmethod
    def chunk(delta: dict[str, Any] | None = None, *, finish: str | None = None, **more: Any) -> str:
        """One chunk of a Chat Completions stream."""
        choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
        frame = {"id": "c", "object": "chat.completion.chunk", "created": 0, "model": "m", "choices": choices}
        return _event({**frame, **more})

    def chat(self, *texts: str, finish: str = "stop", usage: dict[str, Any] | None = None) -> Answer:
        """A whole Chat Completions answer."""
        pieces = [self.chunk({"role": "assistant", "content": ""}), *(self.chunk({"content": text}) for text in texts)]
        pieces.append(self.chunk({}, finish=finish))
        pieces.append(self.chunk(usage=usage or {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}))
        return Answer(pieces=[*pieces, _event("[DONE]")])


@pytest.fixture
def wire() -> Iterator[Wire]:
    with ExitStack() as stack:
        yield Wire(stack)
