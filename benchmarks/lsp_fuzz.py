"""Random and mutated messages for the language server: none may bring it down, every request gets an answer.

    python -m benchmarks.lsp_fuzz --messages 100000 --seed 1

Messages are made from real ones of every method that the server or the protocol knows; values, keys, types, ids and
bytes are changed at random. After them the server must still answer, within its limits, and leave when it is asked.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import string
import sys
import tempfile
import time
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from agentinfra_server.protocol.messages import METHODS
from lsprotocol import types as lsp

SERVER = (sys.executable, "-P", "-m", "agentinfra_server")
BATCH = 200
LIMIT_SECONDS = 30.0
OWN = (*(method.name for method in METHODS), "agentinfra/nothing")
# These would end the session, or start work of minutes.
LEFT_OUT = {"initialize", "initialized", "shutdown", "exit"}
ODD: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    2**70,
    1.5,
    "",
    "x",
    "\0",
    "\ud800",
    "é" * 50,
    [],
    {},
    [[]],
    {"a": {"b": []}},
)

_NO_IDS: tuple[Any, ...] = (None, True, [], {}, 1.5)


@dataclass
class Tally:
    """What was sent, and what became of it.

    Attributes:
        messages: How many were sent.
        requests: How many of them wanted an answer.
        answers: How many answers came, by code; 0 is a result.
        unanswered: Ids of requests without an answer.
        crashed: Whether the server was gone, or deaf.
        seconds: How long it took.
    """

    messages: int = 0
    requests: int = 0
    answers: dict[int, int] = field(default_factory=dict[int, int])
    unanswered: list[object] = field(default_factory=list[object])
    crashed: bool = False
    seconds: float = 0.0


class Messages:
    """An endless source of messages.

    Args:
        folder: The open folder.
        seed: For the same messages again.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        self._random = random.Random(seed)
        self._uri = (folder / "spec.md").as_uri()
        self._methods = [*sorted(set(lsp.METHOD_TO_TYPES) - LEFT_OUT), *OWN]

    def bodies(self, count: int, first_id: int) -> Iterator[tuple[bytes, object]]:
        """Bodies of messages, each with the id that must be answered, or None."""
        for number in range(first_id, first_id + count):
            message: dict[str, Any] = {"jsonrpc": "2.0", "method": self._random.choice(self._methods)}
            message["params"] = self._params(message["method"])
            is_request = self._random.random() < 0.7
            if is_request:
                message["id"] = number
            if self._random.random() < 0.3:
                yield self._damaged(message)
            else:
                yield json.dumps(message).encode(), number if is_request else None

    def _params(self, method: str) -> Any:
        shape: dict[str, Any] = {
            "textDocument": {"uri": self._uri, "version": 1, "languageId": "markdown", "text": "# A\n"},
            "position": self._position(),
            "range": {"start": self._position(), "end": self._position()},
            "contentChanges": [{"text": "# B\n\n## Goal\n"}],
            "context": {"diagnostics": []},
            "command": self._random.choice(["agentinfra.status", "agentinfra.nothing"]),
            "arguments": [],
            "query": "x",
            "runId": "nothing",
            "settings": {},
            "token": "t",
            "value": {"kind": "end"},
            "id": 1,
        }
        if method == "agentinfra/run/start":
            shape["prompt"] = ""  # refused: a blank idea starts nothing
        for _ in range(self._random.randint(0, 3)):
            self._mutate(shape)
        return shape if self._random.random() < 0.95 else self._random.choice(ODD)

    def _position(self) -> dict[str, int]:
        return {"line": self._random.choice([0, 1, 5, 10**6]), "character": self._random.choice([0, 3, 10**6])}

    def _mutate(self, shape: dict[str, Any]) -> None:
        key = self._random.choice([*shape])
        value = shape[key]
        if isinstance(value, dict) and value and self._random.random() < 0.5:
            self._mutate(cast("dict[str, Any]", value))
        elif self._random.random() < 0.3:
            del shape[key]
            shape["".join(self._random.choices(string.ascii_letters, k=5))] = value
        else:
            shape[key] = deepcopy(self._random.choice(ODD))
        if not shape:
            shape["x"] = 1

    def _damaged(self, message: dict[str, Any]) -> tuple[bytes, object]:
        """A message with another shape, or bytes that are none; nobody can say which id they meant."""
        kind = self._random.randrange(5)
        if kind == 0:
            message["jsonrpc"] = self._random.choice(ODD)
        elif kind == 1:
            message["method"] = self._random.choice(ODD)
        elif kind == 2:
            message["id"] = self._random.choice(_NO_IDS)
        elif kind == 3:
            return json.dumps(self._random.choice(ODD)).encode(), None
        body = bytearray(json.dumps(message).encode())
        if kind == 4:
            for _ in range(self._random.randint(1, 5)):
                body[self._random.randrange(len(body))] = self._random.randrange(256)
        return bytes(body), None


async def fuzz(count: int, seed: int) -> Tally:
    """Send the messages to a server of its own, in batches, and wait for what each batch must be answered."""
    tally, started = Tally(), time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *SERVER, cwd=folder, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.DEVNULL, limit=2**24
        )
        session = _Session(process, tally)
        try:
            await session.run(Messages(Path(folder), seed), count)
        except (asyncio.IncompleteReadError, ConnectionError, TimeoutError):
            tally.crashed = True
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()
    tally.seconds = time.monotonic() - started
    return tally


class _Session:
    def __init__(self, process: asyncio.subprocess.Process, tally: Tally) -> None:
        assert process.stdin
        assert process.stdout
        self._input, self._output = process.stdin, process.stdout
        self._tally = tally
        self._waiting: set[object] = set()

    async def run(self, messages: Messages, count: int) -> None:
        await self._ask("initialize", {"processId": None, "rootUri": None, "capabilities": {}}, "begin")
        self._send(json.dumps({"jsonrpc": "2.0", "method": "initialized", "params": {}}).encode())
        for start in range(0, count, BATCH):
            for body, number in messages.bodies(min(BATCH, count - start), start + 1):
                self._send(body)
                self._tally.messages += 1
                if number is not None:
                    self._waiting.add(number)
                    self._tally.requests += 1
            # An answer to this says that everything before was taken in.
            await self._ask("workspace/executeCommand", {"command": "agentinfra.status"}, f"batch-{start}")
            await self._rest()
        await self._ask("shutdown", None, "end")

    async def _ask(self, method: str, params: Any, number: str) -> None:
        self._waiting.add(number)
        self._send(json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}).encode())
        async with asyncio.timeout(LIMIT_SECONDS):
            while number in self._waiting:
                await self._receive()

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(LIMIT_SECONDS):
                while self._waiting:
                    await self._receive()
        except TimeoutError:
            self._tally.unanswered += sorted(self._waiting, key=str)
            self._waiting.clear()

    def _send(self, body: bytes) -> None:
        self._input.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)

    async def _receive(self) -> None:
        header = await self._output.readuntil(b"\r\n\r\n")
        length = int(header.split(b"Content-Length:")[1].split(b"\r\n")[0])
        message = json.loads(await self._output.readexactly(length))
        if "method" in message:
            return
        code = message.get("error", {}).get("code", 0)
        self._tally.answers[code] = self._tally.answers.get(code, 0) + 1
        self._waiting.discard(message.get("id"))


def main() -> int:
    """Run it and say what was seen; 1 when the server fell or left a request unanswered."""
    parser = argparse.ArgumentParser(description="Random messages for the language server.")
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    tally = asyncio.run(fuzz(arguments.messages, arguments.seed))
    print(f"{tally.messages} messages, {tally.requests} requests, {tally.seconds:.1f} s")
    print("answers by code:", dict(sorted(tally.answers.items())))
    print(f"unanswered: {len(tally.unanswered)} {tally.unanswered[:5]}; crashed: {tally.crashed}")
    return 1 if tally.crashed or tally.unanswered else 0


if __name__ == "__main__":
    sys.exit(main())
