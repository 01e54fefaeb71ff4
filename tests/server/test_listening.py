"""The server over a socket: for whoever knows the token, and for nobody else."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from websockets.asyncio.client import connect

LIMIT = 20
PROGRAM = (sys.executable, "-P", "-m", "agentinfra_server")


class Listening(NamedTuple):
    process: asyncio.subprocess.Process
    port: int
    token: str


@asynccontextmanager
async def listening(door: str, cwd: Path) -> AsyncIterator[Listening]:
    pipe = subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*PROGRAM, f"--{door}", "0", cwd=cwd, stdout=pipe, stderr=pipe)
    assert process.stdout
    try:
        told = json.loads(await asyncio.wait_for(process.stdout.readline(), LIMIT))
        assert told["address"].startswith(f"{door}://127.0.0.1:")
        yield Listening(process, int(told["address"].rpartition(":")[2]), told["token"])
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


def initialize(token: object, number: int = 1) -> dict[str, Any]:
    options = {"token": token} if token is not None else None
    params = {"processId": None, "rootUri": None, "capabilities": {}, "initializationOptions": options}
    return {"jsonrpc": "2.0", "id": number, "method": "initialize", "params": params}


class Stream:
    """A client over TCP."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        self.reader, self.writer = reader, writer

    @classmethod
    async def to(cls, port: int) -> Stream:
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def ask(self, message: dict[str, Any]) -> dict[str, Any]:
        body = json.dumps(message).encode()
        self.writer.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        header = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), LIMIT)
        length = int(header.split(b"Content-Length:")[1].split(b"\r\n")[0])
        return json.loads(await self.reader.readexactly(length))

    def say(self, method: str) -> None:
        body = json.dumps({"jsonrpc": "2.0", "method": method}).encode()
        self.writer.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)


STATUS = {"jsonrpc": "2.0", "id": 5, "method": "workspace/executeCommand", "params": {"command": "agentinfra.status"}}
SHUTDOWN = {"jsonrpc": "2.0", "id": 6, "method": "shutdown"}


async def test_over_tcp_until_the_editor_leaves(tmp_path):
    async with listening("tcp", tmp_path) as server:
        client = await Stream.to(server.port)
        assert "result" in await client.ask(initialize(server.token))
        assert (await client.ask(STATUS))["result"] == []
        await client.ask(SHUTDOWN)
        client.say("exit")
        assert await asyncio.wait_for(server.process.wait(), LIMIT) == 0
        client.writer.close()


@pytest.mark.parametrize("token", ["", "wrong", 3, ["x"], None])
async def test_without_the_token_nothing_is_answered(tmp_path, token):
    async with listening("tcp", tmp_path) as server:
        stranger, client = await Stream.to(server.port), await Stream.to(server.port)
        assert "token" in (await stranger.ask(initialize(token)))["error"]["message"]
        assert (await stranger.ask(STATUS))["error"]["code"] == -32002
        assert "result" in await client.ask(initialize(server.token))
        assert "error" in await stranger.ask(initialize(server.token, 2))  # one editor is served
        client.writer.close()
        assert await asyncio.wait_for(server.process.wait(), LIMIT) == 1  # it left without a word
        stranger.writer.close()


async def test_over_websocket(tmp_path):
    async with listening("ws", tmp_path) as server:
        async with connect(f"ws://127.0.0.1:{server.port}") as stranger:
            await stranger.send(json.dumps(initialize("wrong")))
            assert "token" in json.loads(await stranger.recv())["error"]["message"]
        async with connect(f"ws://127.0.0.1:{server.port}") as client:
            await client.send(json.dumps(initialize(server.token)))
            assert "result" in json.loads(await client.recv())
            await client.send("{")
            assert json.loads(await client.recv())["error"]["code"] == -32700
            await client.send(json.dumps(STATUS))
            assert json.loads(await client.recv())["result"] == []
        assert await asyncio.wait_for(server.process.wait(), LIMIT) == 1


def test_a_port_that_is_taken_is_said(tmp_path):
    ran = subprocess.run(
        [*PROGRAM, "--tcp", "1", "--ws", "2"], capture_output=True, text=True, timeout=LIMIT, check=False
    )
    assert ran.returncode == 2
    assert "not allowed with" in ran.stderr
    with asyncio.Runner() as runner:
        taken = runner.run(asyncio.start_server(lambda *_: None, "127.0.0.1", 0))
        port = taken.sockets[0].getsockname()[1]
        ran = subprocess.run(
            [*PROGRAM, "--tcp", str(port)], capture_output=True, text=True, timeout=LIMIT, check=False, cwd=tmp_path
        )
        assert ran.returncode == 2
        assert "address already in use" in ran.stderr
        taken.close()
