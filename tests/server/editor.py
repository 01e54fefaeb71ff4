"""The smallest editor: frames and JSON, nothing of pygls in it."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

SCRIPT = (str(Path(sys.executable).with_name("agentinfra-server")),)
MODULE = (sys.executable, "-P", "-m", "agentinfra_server")
_ALONE = """
import runpy, sys

def refuse(event, _arguments):
    if event == "socket.connect":
        raise ConnectionRefusedError("nobody else is on this machine")

sys.addaudithook(refuse)
runpy.run_module("agentinfra_server", run_name="__main__", alter_sys=True)
"""
ALONE = (sys.executable, "-P", "-c", _ALONE)
"""The server on a machine where it reaches nobody: no model server of this machine, no provider."""
LIMIT = 60
OURS = {"version": 1, "questions": True, "permissions": True, "secrets": True, "models": True, "updates": True}

Answer = Callable[[Any], Awaitable[Any]]


class Refusal(Exception):
    """An answer of the editor that is an error."""

    def __init__(self, code: int, message: str = "refused") -> None:
        super().__init__(message)
        self.code = code


class Editor:
    """Sends, receives, and answers what the server asks.

    Args:
        process: The server.

    Attributes:
        notes: Notifications of the server, by method.
        asked: Requests of the server, in order.
        answers: How the editor answers them, by method; others are unknown to it.
    """

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.notes: dict[str, list[Any]] = {}
        self.asked: list[tuple[str, Any]] = []
        self.answers: dict[str, Answer] = {}
        self.unasked: list[dict[str, Any]] = []
        self._last_id = 0
        self._open: dict[object, asyncio.Future[dict[str, Any]]] = {}
        self._news = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()
        self._reading = asyncio.create_task(self._read())

    def notify(self, method: str, params: Any = None) -> None:
        self.send({"jsonrpc": "2.0", "method": method, "params": params})

    async def request(self, method: str, params: Any = None, number: object = None) -> dict[str, Any]:
        """The whole answer, result or error."""
        if number is None:
            self._last_id += 1
            number = self._last_id
        self._open[number] = asyncio.get_running_loop().create_future()
        self.send({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        return await asyncio.wait_for(self._open[number], LIMIT)

    async def result(self, method: str, params: Any = None) -> Any:
        reply = await self.request(method, params)
        assert "error" not in reply, reply
        return reply["result"]

    def send(self, message: object) -> None:
        self.send_raw(json.dumps(message).encode())

    def send_raw(self, body: bytes) -> None:
        assert self.process.stdin
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)

    async def until(self, happened: Callable[[], object], seconds: float = LIMIT) -> Any:
        """Wait until something is true of what came from the server; returns it."""
        async with asyncio.timeout(seconds), self._news:
            while not (found := happened()):
                await self._news.wait()
        return found

    async def initialize(
        self,
        *folders: Path,
        capabilities: Mapping[str, Any] | None = None,
        ours: bool = False,
        locale: str | None = None,
    ):
        own = {"experimental": {"agentinfra": OURS}} if ours else {}
        params = {
            "processId": None,
            "rootUri": None,
            **({"locale": locale} if locale else {}),
            "capabilities": {**own, **(capabilities or {})},
            "workspaceFolders": [{"uri": folder.as_uri(), "name": folder.name} for folder in folders] or None,
        }
        result = await self.result("initialize", params)
        self.notify("initialized", {})
        return result

    async def leave(self) -> int:
        await self.request("shutdown")
        self.notify("exit")
        return await asyncio.wait_for(self.process.wait(), LIMIT)

    async def close(self) -> None:
        if self.process.returncode is None:
            self.process.kill()
        await self._reading
        await self.process.wait()
        for task in self._tasks:
            task.cancel()

    async def _read(self) -> None:
        assert self.process.stdout
        try:
            while True:
                header = await self.process.stdout.readuntil(b"\r\n\r\n")
                length = int(header.split(b"Content-Length:")[1].split(b"\r\n")[0])
                await self._take(json.loads(await self.process.stdout.readexactly(length)))
        except asyncio.IncompleteReadError:
            return

    async def _take(self, message: dict[str, Any]) -> None:
        if "method" not in message:
            waiting = self._open.pop(message["id"], None)
            if waiting is None:
                self.unasked.append(message)
            elif not waiting.done():
                waiting.set_result(message)
        elif "id" in message:
            self.asked.append((message["method"], message.get("params")))
            task = asyncio.create_task(self._answer(message))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        else:
            self.notes.setdefault(message["method"], []).append(message["params"])
        async with self._news:
            self._news.notify_all()

    async def _answer(self, message: dict[str, Any]) -> None:
        reply: dict[str, Any] = {"jsonrpc": "2.0", "id": message["id"]}
        answer = self.answers.get(message["method"])
        try:
            if answer is None:
                raise Refusal(-32601, "unknown to this editor")
            reply["result"] = await answer(message.get("params"))
        except Refusal as error:
            reply["error"] = {"code": error.code, "message": str(error)}
        self.send(reply)


@asynccontextmanager
async def serving(
    cwd: Path, command: tuple[str, ...] = SCRIPT, stderr: int | None = subprocess.DEVNULL, **variables: str
) -> AsyncIterator[Editor]:
    """A server in a home of its own."""
    own = {"AGENTINFRA_DATA_DIR": str(cwd / "data"), "XDG_CACHE_HOME": str(cwd / "cache"), "HOME": str(cwd)}
    own |= {"GIT_CONFIG_GLOBAL": os.devnull, "AGENTINFRA_CONFIG": str(cwd / "config.toml")}
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=cwd,
        env={**os.environ, **own, **variables},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
        limit=2**24,
    )
    editor = Editor(process)
    try:
        yield editor
    finally:
        await editor.close()
