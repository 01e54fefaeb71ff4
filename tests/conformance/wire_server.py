"""A loopback HTTP server that answers as it is told, and checks what it is asked as a provider would."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any


class Fault(Enum):
    """What a server may do in the middle of an answer, besides sending: break the line, or fall silent for ever."""

    CUT = auto()
    STALL = auto()


Piece = str | bytes | float | Fault
"""Something to send, a pause in seconds, or a fault."""


@dataclass(frozen=True)
class Answer:
    """What one request is answered with; without a fault the body ends in order."""

    pieces: Iterable[Piece] = ()
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"content-type": "text/event-stream"})


@dataclass(frozen=True)
class Asked:
    """A request as it came; the body is parsed where it is JSON."""

    path: str
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> dict[str, Any]:
        return json.loads(self.raw)


def event(data: object, kind: str = "") -> str:
    """One server-sent event."""
    text = data if isinstance(data, str) else json.dumps(data)
    return (f"event: {kind}\n" if kind else "") + f"data: {text}\n\n"


def refusal(status: int, body: object, headers: dict[str, str] | None = None) -> Answer:
    """An answer that is one JSON body."""
    return Answer([json.dumps(body)], status, {"content-type": "application/json", **(headers or {})})


class WireServer:
    """Gives the answers in order, the last again and again.

    Args:
        answers: What to say; a function of the request may stand for one.
        check: What the provider has against a request, or ""; such a request is answered with 400.
        reject: Builds that answer.
    """

    def __init__(
        self,
        answers: Sequence[Answer | Callable[[Asked], Answer]],
        check: Callable[[Asked], str],
        reject: Callable[[int, str], Answer],
    ) -> None:
        self._answers = answers
        self._check = check
        self._reject = reject
        self.asked: list[Asked] = []
        self.objections: list[str] = []
        self.connections = 0
        self.busy = 0
        self.most_busy = 0
        self.client_left = asyncio.Event()
        self.url = ""

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [one.body for one in self.asked]

    @asynccontextmanager
    async def running(self, host: str = "127.0.0.1") -> AsyncIterator[WireServer]:
        handlers: set[asyncio.Task[None]] = set()

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            handlers.add(task)
            task.add_done_callback(handlers.discard)
            # Cancelled at the end of the test; asyncio's streams would call that an error of ours.
            with suppress(asyncio.CancelledError):
                await self._serve(reader, writer)

        server = await asyncio.start_server(connected, host, 0, limit=1 << 26, backlog=2048)
        self.url = "http://{}:{}".format(*server.sockets[0].getsockname())
        try:
            yield self
        finally:
            server.close()
            for handler in tuple(handlers):
                handler.cancel()
            await asyncio.gather(*handlers, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while (asked := await _read(reader)) is not None:
                answer = self._answer_to(asked)
                self.busy += 1
                self.most_busy = max(self.most_busy, self.busy)
                try:
                    await self._give(answer, reader, writer)
                finally:
                    self.busy -= 1
                if asked.headers.get("connection") == "close":
                    break
        except (ConnectionError, asyncio.IncompleteReadError, _LeftError):
            self.client_left.set()
        finally:
            writer.close()

    def _answer_to(self, asked: Asked) -> Answer:
        self.asked.append(asked)
        objection = self._check(asked)
        if objection:
            self.objections.append(objection)
            return self._reject(400, objection)
        answer = self._answers[min(len(self.asked), len(self._answers)) - 1]
        return answer(asked) if callable(answer) else answer

    async def _give(self, answer: Answer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = {"transfer-encoding": "chunked", **answer.headers}
        lines = [f"HTTP/1.1 {answer.status} X", *(f"{name}: {value}" for name, value in head.items()), "", ""]
        writer.write("\r\n".join(lines).encode())
        # A client that leaves is seen at once, not only by the next piece.
        left = asyncio.ensure_future(reader.read(1))
        try:
            for piece in answer.pieces:
                await _unless(left, self._send(piece, writer))
            writer.write(b"0\r\n\r\n")
            await writer.drain()
        finally:
            await _withdraw(left)

    async def _send(self, piece: Piece, writer: asyncio.StreamWriter) -> None:
        if isinstance(piece, Fault):
            if piece is Fault.CUT:
                raise ConnectionResetError
            await asyncio.Event().wait()
        elif isinstance(piece, float):
            await asyncio.sleep(piece)
        else:
            data = piece.encode() if isinstance(piece, str) else piece
            writer.write(b"%x\r\n%s\r\n" % (len(data), data))
            await writer.drain()


class _LeftError(Exception):
    """The client has closed its side."""


async def _unless(left: asyncio.Future[bytes], work: Any) -> None:
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait((left, task), return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise _LeftError
        task.result()
    finally:
        task.cancel()


async def _withdraw(left: asyncio.Future[bytes]) -> None:
    left.cancel()
    await asyncio.wait((left,))


async def _read(reader: asyncio.StreamReader) -> Asked | None:
    head = await reader.readuntil(b"\r\n\r\n") if not reader.at_eof() else b""
    if not head:
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in lines if line)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Asked(first.split()[1], headers, body)
