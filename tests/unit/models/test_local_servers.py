"""Finding the model servers of others."""

import asyncio
import contextlib
import json
import time

import pytest

from agentinfra.models.local_servers import LocalServer, find_local_servers

LIST = {"object": "list", "data": [{"id": "qwen2.5-coder:7b", "object": "model"}, {"id": "llama3"}]}


class Listener:
    """A server on loopback that gives one answer to everybody."""

    def __init__(self, body, *, status="200 OK", wait=0.0):
        self.answer = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body
        self.wait = wait
        self.asked = []
        self.serving = set()

    async def __aenter__(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self.server.sockets[0].getsockname()[1]}/v1"
        return self

    async def __aexit__(self, *_):
        self.server.close()
        for task in self.serving:
            task.cancel()
        await asyncio.gather(*self.serving, return_exceptions=True)

    async def serve(self, reader, writer):
        self.serving.add(asyncio.current_task())
        try:
            self.asked.append((await reader.readuntil(b"\r\n")).decode().strip())
            await asyncio.sleep(self.wait)
            writer.write(self.answer)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


async def test_a_server_that_lists_its_models_is_found_and_one_that_is_not_there_is_not(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    async with Listener(json.dumps(LIST).encode()) as there, Listener(b"") as gone:
        gone.server.close()
        found = await find_local_servers({"ollama": there.url, "lmstudio": gone.url})
    assert found == (LocalServer("ollama", there.url, ("qwen2.5-coder:7b", "llama3")),)
    assert found[0].names == ("ollama:qwen2.5-coder:7b", "ollama:llama3")
    assert there.asked == ["GET /v1/models HTTP/1.1"]


@pytest.mark.parametrize(
    "body",
    [b"<html>My app</html>", b"[]", b'{"data": "x"}', b'{"data": [1, {"id": 2}, {"id": ""}]}', b"{" * (2 << 20), b""],
)
async def test_whatever_else_listens_there_is_no_model_server(body):
    async with Listener(body) as other:
        assert await find_local_servers({"llamacpp": other.url}) == ()


async def test_a_list_behind_an_error_does_not_count():
    async with Listener(json.dumps(LIST).encode(), status="500 Oops") as broken:
        assert await find_local_servers({"llamacpp": broken.url}) == ()


async def test_one_that_does_not_answer_costs_a_second():
    async with Listener(b"", wait=30) as slow:
        began = time.monotonic()
        assert await find_local_servers({"ollama": slow.url}) == ()
    assert time.monotonic() - began < 5
