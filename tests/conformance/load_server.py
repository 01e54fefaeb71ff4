"""A Chat Completions server for very many requests at once, which keeps account of what it was asked and has answered.

A request says who it is by its last message, ``request 17``; the answer repeats that and has tokens of its own. Run it
as a program to have it in a process of its own: it prints its address and serves until its input ends.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from enum import Enum, auto
from typing import Any

from tests.conformance.wire_server import event

RETRY_AFTER = 0.5


class LoadFault(Enum):
    """What happens to the first attempt of a request."""

    RATE_LIMIT = auto()
    """429, with the time after which to ask again."""

    SERVER_ERROR = auto()
    """500."""

    CUT_BEFORE = auto()
    """The line is cut before a byte of the answer."""

    CUT_WITHIN = auto()
    """The line is cut when half of the words are said."""


def tokens_of(name: str) -> tuple[int, int]:
    """Input and output tokens of a request's answer; no two neighbours have the same."""
    number = int(name.rpartition(" ")[2])
    return 100 + number % 97, 10 + number % 13


def words_of(name: str) -> list[str]:
    """The answer's pieces of text."""
    return ["answer", " to ", name, "."]


class LoadServer:
    """Answers every request, or gives it its fault the first time.

    Args:
        faults: By request.
        together: No answer begins before this many requests were in flight at the same time.

    Attributes:
        attempts: How often each request came.
        answered: How often each was answered to the end.
        waits: Seconds between a request's first two attempts.
        billed: Input and output tokens of all finished answers.
        most_at_once: The most requests that were in flight at the same time.
        connections: How many were made.
    """

    def __init__(self, faults: Mapping[str, LoadFault] | None = None, *, together: int = 0) -> None:
        self._faults = faults or {}
        self._together = together
        self._gate = asyncio.Event()
        self._came: dict[str, float] = {}
        self._at_once = 0
        self.attempts: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()
        self.waits: dict[str, float] = {}
        self.billed = (0, 0)
        self.most_at_once = 0
        self.connections = 0
        self.url = ""

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[LoadServer]:
        """Serve on a free port of the loopback."""
        handlers: set[asyncio.Task[None]] = set()

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            handlers.add(task)
            task.add_done_callback(handlers.discard)
            with suppress(asyncio.CancelledError):
                await self._serve(reader, writer)

        server = await asyncio.start_server(connected, "127.0.0.1", 0, backlog=4096)
        self.url = "http://{}:{}/v1".format(*server.sockets[0].getsockname())
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
            while (request := await _read(reader)) is not None:
                close, body = request
                self._at_once += 1
                try:
                    await self._answer(body["messages"][-1]["content"], writer)
                finally:
                    self._at_once -= 1
                if close:
                    return
        except ConnectionError:
            return
        finally:
            writer.close()

    async def _answer(self, name: str, writer: asyncio.StreamWriter) -> None:
        self._count(name)
        if not self._gate.is_set():
            await self._gate.wait()
        fault = self._faults.get(name) if self.attempts[name] == 1 else None
        if fault is LoadFault.CUT_BEFORE:
            raise ConnectionResetError
        if fault in _REFUSALS:
            writer.write(_REFUSALS[fault])
            await writer.drain()
        else:
            await self._say(name, writer, cut=fault is LoadFault.CUT_WITHIN)

    async def _say(self, name: str, writer: asyncio.StreamWriter, *, cut: bool) -> None:
        writer.write(_STREAM_HEAD)
        words = words_of(name)
        for word in words[: len(words) // 2] if cut else words:
            writer.write(_piece(_chunk(name, {"content": word})))
            await writer.drain()
        if cut:
            raise ConnectionResetError
        await self._finish(name, writer)

    async def _finish(self, name: str, writer: asyncio.StreamWriter) -> None:
        asked, said = tokens_of(name)
        usage = {"prompt_tokens": asked, "completion_tokens": said, "total_tokens": asked + said}
        last = [
            _chunk(name, {}, finish="stop"),
            event({**_frame(name), "choices": [], "usage": usage}),
            event("[DONE]"),
        ]
        # Before it is sent: who has read the end must find it counted.
        self.answered[name] += 1
        self.billed = (self.billed[0] + asked, self.billed[1] + said)
        writer.write(_piece("".join(last)) + b"0\r\n\r\n")
        await writer.drain()

    def _count(self, name: str) -> None:
        now = asyncio.get_running_loop().time()
        self.attempts[name] += 1
        if self.attempts[name] == 1:
            self._came[name] = now
        else:
            self.waits.setdefault(name, now - self._came[name])
        self.most_at_once = max(self.most_at_once, self._at_once)
        if self._at_once >= self._together:
            self._gate.set()


_STREAM_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


def _refusal(status: str, headers: str = "") -> bytes:
    body = json.dumps({"error": {"message": status, "type": "load", "code": None, "param": None}})
    head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n{headers}\r\n"
    return (head + body).encode()


_REFUSALS = {
    LoadFault.RATE_LIMIT: _refusal("429 Too Many Requests", f"retry-after: {RETRY_AFTER}\r\n"),
    LoadFault.SERVER_ERROR: _refusal("500 Internal Server Error"),
}


def _frame(name: str) -> dict[str, Any]:
    return {"id": name, "object": "chat.completion.chunk", "created": 0, "model": "load"}


def _chunk(name: str, delta: Mapping[str, Any], *, finish: str | None = None) -> str:
    return event({**_frame(name), "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})


def _piece(text: str) -> bytes:
    return b"%x\r\n%s\r\n" % (len(text.encode()), text.encode())


async def _read(reader: asyncio.StreamReader) -> tuple[bool, dict[str, Any]] | None:
    """Whether the client wants the connection closed, and the body; None when the client has left."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    except asyncio.IncompleteReadError:
        return None
    lines = head.split("\r\n")
    length = next(line.partition(":")[2] for line in lines if line.startswith("content-length:"))
    return "connection: close" in lines, json.loads(await reader.readexactly(int(length)))


async def _main(arguments: Sequence[str]) -> None:
    async with LoadServer(together=int(arguments[0]) if arguments else 0).running() as server:
        print(server.url, flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1:]))
