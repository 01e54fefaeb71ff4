"""Two peers over real sockets, and one that is spoken to by hand."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest

from agentinfra.core.errors import InputError
from agentinfra.protocols.json_rpc import (
    INTERNAL_ERROR,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    PARSE_ERROR,
    REQUEST_CANCELLED,
    ConnectionLost,
    Handler,
    JsonRpcPeer,
    RpcError,
)

LIMIT = 5


async def stream(end: socket.socket) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection(sock=end, limit=100_000)


@asynccontextmanager
async def peer_and_line(handlers: Mapping[str, Handler], most_open: int = 100) -> AsyncIterator[Line]:
    """A peer that serves, and the other end of its line in our hands."""
    here, there = socket.socketpair()
    reader, writer = await stream(there)
    own_reader, own_writer = await stream(here)
    peer = JsonRpcPeer(reader, writer, handlers, most_open)
    serving = asyncio.create_task(peer.serve())
    line = Line(peer, own_reader, own_writer)
    try:
        yield line
    finally:
        own_writer.close()
        await asyncio.wait_for(serving, LIMIT)
        writer.close()


class Line:
    def __init__(self, peer: JsonRpcPeer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.peer = peer
        self.reader = reader
        self.writer = writer

    def say(self, message: object) -> None:
        self.writer.write((message if isinstance(message, bytes) else json.dumps(message).encode()) + b"\n")

    async def hear(self) -> dict:
        return json.loads(await asyncio.wait_for(self.reader.readline(), LIMIT))


async def double(params):
    return params["n"] * 2


async def refuse(_params):
    raise RpcError(-33001, "not allowed", {"by": "policy"})


async def fail(_params):
    raise InputError("The number is missing", next_step="Pass one")


async def wait(_params):
    await asyncio.sleep(60)


async def test_requests_go_both_ways():
    async with peer_and_line({"double": double}) as line:
        line.say({"jsonrpc": "2.0", "id": 7, "method": "double", "params": {"n": 21}})
        assert await line.hear() == {"jsonrpc": "2.0", "id": 7, "result": 42}

        asked = asyncio.create_task(line.peer.request("name", {"of": "ü"}))
        question = await line.hear()
        assert (question["method"], question["params"]) == ("name", {"of": "ü"})
        line.say({"jsonrpc": "2.0", "id": question["id"], "result": ["Ada"]})
        assert await asked == ["Ada"]


async def test_answers_come_as_they_are_ready_not_in_order():
    gate = asyncio.Event()

    async def gated(_params):
        await gate.wait()
        return "late"

    async with peer_and_line({"gated": gated, "double": double}) as line:
        line.say({"id": "a", "method": "gated", "params": {}})
        line.say({"id": "b", "method": "double", "params": {"n": 1}})
        assert (await line.hear())["id"] == "b"
        gate.set()
        assert await line.hear() == {"jsonrpc": "2.0", "id": "a", "result": "late"}


async def test_notifications_are_heard_in_order_and_never_answered():
    heard: list[int] = []

    async def note(params):
        await asyncio.sleep(0.01 / params["n"])
        heard.append(params["n"])

    async with peer_and_line({"note": note, "double": double}) as line:
        for number in (1, 2, 3):
            line.say({"method": "note", "params": {"n": number}})
        line.say({"method": "unknown", "params": {}})
        line.say({"id": 1, "method": "double", "params": {"n": 0}})
        assert (await line.hear())["id"] == 1
        assert heard == [1, 2, 3]


@pytest.mark.parametrize(
    ("method", "code", "message"),
    [
        ("refuse", -33001, "not allowed"),
        ("fail", INTERNAL_ERROR, "The number is missing. Pass one."),
        ("double", INTERNAL_ERROR, "'n'"),
        ("absent", METHOD_NOT_FOUND, "there is no method absent"),
    ],
)
async def test_what_goes_wrong_is_an_answer(method, code, message):
    async with peer_and_line({"double": double, "refuse": refuse, "fail": fail}) as line:
        line.say({"id": 1, "method": method, "params": {}})
        error = (await line.hear())["error"]
        assert (error["code"], error["message"]) == (code, message)


async def test_an_error_of_the_other_side_is_raised_with_its_code():
    async with peer_and_line({}) as line:
        asked = asyncio.create_task(line.peer.request("lm/request", {}))
        number = (await line.hear())["id"]
        line.say({"id": number, "error": {"code": -33002, "message": "quota", "data": {"until": "noon"}}})
        with pytest.raises(RpcError, match="quota") as caught:
            await asked
        assert (caught.value.code, caught.value.data) == (-33002, {"until": "noon"})


@pytest.mark.parametrize(
    ("line_of_bytes", "code"),
    [
        (b"{", PARSE_ERROR),
        (b"\xff\xfe", PARSE_ERROR),
        (b"[" * 50_000, PARSE_ERROR),
        (b"[]", INVALID_REQUEST),
        (b'{"id": 1, "method": 5}', INVALID_REQUEST),
        (b'{"id": 1, "method": "double", "params": []}', INVALID_REQUEST),
        (b'{"id": {}, "method": "double", "params": {}}', INVALID_REQUEST),
    ],
)
async def test_noise_is_refused_and_the_line_lives(line_of_bytes, code):
    async with peer_and_line({"double": double}) as line:
        line.say(line_of_bytes)
        assert (await line.hear())["error"]["code"] == code
        line.say({"id": 2, "method": "double", "params": {"n": 2}})
        assert (await line.hear())["result"] == 4


async def test_answers_that_nobody_waits_for_are_passed_over():
    async with peer_and_line({"double": double}) as line:
        line.say({"id": 99, "result": 1})
        line.say({"id": "x", "error": {"code": 1, "message": "m"}})
        line.say({"id": 2, "method": "double", "params": {"n": 2}})
        assert (await line.hear())["result"] == 4


async def test_cancelling_withdraws_the_request_on_the_other_side():
    async with peer_and_line({"wait": wait}) as line:
        asked = asyncio.create_task(line.peer.request("slow", {}))
        number = (await line.hear())["id"]
        asked.cancel()
        assert await line.hear() == {"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": number}}

        line.say({"id": 1, "method": "wait", "params": {}})
        line.say({"method": "$/cancelRequest", "params": {"id": 1}})
        assert (await line.hear())["error"]["code"] == REQUEST_CANCELLED


async def test_too_many_open_requests_are_refused():
    async with peer_and_line({"wait": wait}, most_open=2) as line:
        for number in (1, 2, 3):
            line.say({"id": number, "method": "wait", "params": {}})
        refused = await line.hear()
        assert (refused["id"], refused["error"]["message"]) == (3, "more than 2 requests are open")


async def test_the_same_id_twice_is_refused():
    async with peer_and_line({"wait": wait}) as line:
        line.say({"id": 1, "method": "wait", "params": {}})
        line.say({"id": 1, "method": "wait", "params": {}})
        assert (await line.hear())["error"]["code"] == INVALID_REQUEST


async def test_when_the_other_side_goes_everything_open_ends():
    ended = asyncio.Event()

    async def work(_params):
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    async with peer_and_line({"work": work}) as line:
        line.say({"id": 1, "method": "work", "params": {}})
        asked = asyncio.create_task(line.peer.request("name", {}))
        assert (await line.hear())["method"] == "name"
        line.writer.close()
        with pytest.raises(ConnectionLost):
            await asked
        await asyncio.wait_for(ended.wait(), LIMIT)
        with pytest.raises(ConnectionLost):
            await line.peer.request("name", {})
        await line.peer.notify("note", {})


async def test_a_line_beyond_the_limit_ends_the_connection():
    async with peer_and_line({"double": double}) as line:
        asked = asyncio.create_task(line.peer.request("name", {}))
        await line.hear()
        line.say(b'"' + b"x" * 200_000 + b'"')
        with pytest.raises(ConnectionLost):
            await asyncio.wait_for(asked, LIMIT)
