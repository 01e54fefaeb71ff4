"""Messages between a real editor and the server: written down by a program between the two, and played again.

    python -m tests.server.message_log LOG -- agentinfra-server

stands in the place of the server's command, hands every message on and writes it to LOG, a line of JSON each.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

FROM_CLIENT, FROM_SERVER = "client", "server"
ROOT = "$ROOT"


async def _read(stream: asyncio.StreamReader) -> bytes:
    length = 0
    while (header := await stream.readline()).strip():
        name, _, value = header.partition(b":")
        length = int(value) if name.lower() == b"content-length" else length
    return await stream.readexactly(length) if length else b""


async def _hand_on(source: asyncio.StreamReader, take: Callable[[bytes], None], note: Callable[[bytes], None]) -> None:
    while body := await _read(source):
        note(body)
        take(b"Content-Length: %d\r\n\r\n" % len(body) + body)


async def record(log: Path, command: list[str]) -> int:
    """Run the server between standard input and output, and write down what is said."""
    loop = asyncio.get_running_loop()
    mine = asyncio.StreamReader(limit=2**24)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(mine), sys.stdin)
    server = await asyncio.create_subprocess_exec(*command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, limit=2**24)
    assert server.stdin and server.stdout
    with log.open("x", encoding="utf-8") as lines:  # of one server: one that is started after it leaves it alone

        def note(who: str) -> Callable[[bytes], None]:
            def write(body: bytes) -> None:
                lines.write(json.dumps({"from": who, "message": json.loads(body)}, ensure_ascii=False) + "\n")
                lines.flush()

            return write

        down = asyncio.create_task(_hand_on(mine, server.stdin.write, note(FROM_CLIENT)))
        up = asyncio.create_task(_hand_on(server.stdout, _say, note(FROM_SERVER)))
        code = await server.wait()
        await up
        down.cancel()
    return code


def _say(frame: bytes) -> None:
    os.write(1, frame)


def tidy(text: str, root: str) -> str:
    """A log without the place that it was made at."""
    return text.replace(root, ROOT)


def read(log: Path, root: Path) -> list[dict[str, Any]]:
    """A log's lines, as if it had been made in another place."""
    return [json.loads(line.replace(ROOT, str(root))) for line in log.read_text("utf-8").splitlines()]


if __name__ == "__main__":
    sys.exit(asyncio.run(record(Path(sys.argv[1]), sys.argv[3:])))
