"""What comes over standard input: in pieces, too long, cut off, or from a file."""

from __future__ import annotations

import asyncio
import json
import subprocess
from typing import Any

import pytest

from tests.server.editor import SCRIPT, serving

LIMIT = 60
MEGABYTE = 1 << 20
METHOD_NOT_FOUND = -32601


def message(number: int | None, method: str, params: Any = None) -> bytes:
    said = {"jsonrpc": "2.0", "method": method, "params": params} | ({} if number is None else {"id": number})
    body = json.dumps(said).encode()
    return b"Content-Length: %d\r\n\r\n" % len(body) + body


HELLO = message(1, "initialize", {"processId": None, "rootUri": None, "capabilities": {}})


@pytest.mark.parametrize("line", [b"x" * 3 * MEGABYTE + b"\r\n", b"\r\n" * 50], ids=["long", "empty"])
async def test_lines_that_are_no_headers_are_passed_over(tmp_path, line):
    async with serving(tmp_path) as editor:
        await editor.initialize(tmp_path)
        editor.process.stdin.write(line)
        assert await editor.leave() == 0


@pytest.mark.parametrize("kept", [10, 30, len(HELLO) - 5])
async def test_input_that_ends_within_a_message_ends_the_server(tmp_path, kept):
    async with serving(tmp_path) as editor:
        await editor.initialize(tmp_path)
        editor.process.stdin.write(HELLO[:kept])
        editor.process.stdin.close()
        assert await asyncio.wait_for(editor.process.wait(), LIMIT) == 1  # nobody asked for the shutdown


async def test_a_message_of_many_megabytes_comes_whole(tmp_path):
    async with serving(tmp_path) as editor:
        await editor.initialize(tmp_path)
        reply = await editor.request("agentinfra/nothing", {"text": "x" * 10 * MEGABYTE})
        assert reply["error"]["code"] == METHOD_NOT_FOUND


async def test_a_flood_leaves_others_their_turn(tmp_path):
    """Ten thousand notifications in one piece, and an answer that needs several turns of the loop among them."""
    async with serving(tmp_path) as editor:
        await editor.initialize(tmp_path)
        flood = message(None, "$/nothing", {"text": "x" * 40})
        asked = asyncio.create_task(editor.result("workspace/symbol", {"query": "x"}))
        await asyncio.sleep(0)
        editor.process.stdin.write(flood * 10_000)
        assert await asked == []


def test_a_file_is_read_as_well(tmp_path):
    said = tmp_path / "said"
    said.write_bytes(HELLO)
    with said.open("rb") as stdin:
        done = subprocess.run(SCRIPT, stdin=stdin, capture_output=True, timeout=LIMIT, check=False)
    assert done.returncode == 1  # it ends without a goodbye
    assert b'"capabilities"' in done.stdout
    assert done.stderr == b""
