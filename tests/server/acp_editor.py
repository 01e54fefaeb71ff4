"""An editor that talks to agents: the protocol's official client, and a raw one that may say anything."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from acp.client.connection import ClientSideConnection
from acp.exceptions import RequestError
from acp.schema import (
    AllowedOutcome,
    ClientCapabilities,
    DeniedOutcome,
    FileSystemCapabilities,
    ReadTextFileResponse,
    RequestPermissionResponse,
)
from acp.stdio import spawn_agent_process

from tests.server.acp_schema import Inspector

AGENTINFRA = str(Path(sys.executable).with_name("agentinfra"))
LIMIT = 60

Choose = Callable[[Any, list[Any]], str]


def own_home(home: Path) -> dict[str, str]:
    """Variables of a home of its own."""
    own = {"AGENTINFRA_DATA_DIR": str(home / "data"), "XDG_CACHE_HOME": str(home / "cache"), "HOME": str(home)}
    own |= {"GIT_CONFIG_GLOBAL": os.devnull, "AGENTINFRA_CONFIG": str(home / "config.toml"), "OPENAI_API_KEY": "x"}
    return {**os.environ, **own}


class Person:
    """The person before the editor: sees what is told, and chooses where something is asked.

    Attributes:
        heard: Every update with its session, in order.
        asked: What was asked, with the options.
        choose: Which option they choose; "" closes the box.
        unsaved: Files by their path as they are open with edits that are not saved; only these are shown to agents.
    """

    def __init__(self) -> None:
        self.heard: list[tuple[str, Any]] = []
        self.asked: list[tuple[Any, list[Any]]] = []
        self.unsaved: dict[str, str] = {}
        self.choose: Choose = lambda _call, options: options[0].option_id
        self._news = asyncio.Condition()

    async def session_update(self, session_id: str, update: Any, **_meta: Any) -> None:
        self.heard.append((session_id, update))
        async with self._news:
            self._news.notify_all()

    async def request_permission(self, session_id: str, tool_call: Any, options: list[Any], **_meta: Any):
        self.asked.append((tool_call, options))
        async with self._news:
            self._news.notify_all()
        chosen = self.choose(tool_call, options)
        if not chosen:
            return RequestPermissionResponse(outcome=DeniedOutcome(outcome="cancelled"))
        return RequestPermissionResponse(outcome=AllowedOutcome(outcome="selected", option_id=chosen))

    async def read_text_file(self, session_id: str, path: str, **_more: Any) -> ReadTextFileResponse:
        if path not in self.unsaved:
            raise RequestError.resource_not_found(path)
        return ReadTextFileResponse(content=self.unsaved[path])

    async def write_text_file(self, session_id: str, path: str, content: str, **_more: Any) -> None:
        self.unsaved.pop(path)
        Path(path).write_text(content)

    @property
    def told(self) -> list[Any]:
        """Every update, of whichever session."""
        return [update for _, update in self.heard]

    def updates(self, kind: str) -> list[Any]:
        return [update for update in self.told if update.session_update == kind]

    @property
    def plan(self) -> list[Any]:
        """The newest plan's entries."""
        plans = self.updates("plan")
        return plans[-1].entries if plans else []

    @property
    def said(self) -> str:
        """All that was said to the person."""
        return "".join(update.content.text for update in self.updates("agent_message_chunk"))

    async def until(self, happened: Callable[[], object], seconds: float = LIMIT) -> None:
        async with asyncio.timeout(seconds), self._news:
            while not happened():
                await self._news.wait()


@asynccontextmanager
async def editor(
    home: Path, *options: str, files: FileSystemCapabilities | None = None
) -> AsyncIterator[tuple[Person, ClientSideConnection]]:
    """The official client with ``agentinfra acp`` behind it; all that the agent says has to fit the official schema."""
    person, inspector = Person(), Inspector()
    command = (AGENTINFRA, "acp", *options)
    streams: Mapping[str, Any] = {"limit": 2**24, "stderr": subprocess.DEVNULL, "shutdown_timeout": 30.0}
    spawned = spawn_agent_process(
        lambda _agent: person,
        *command,
        env=own_home(home),
        cwd=home,
        transport_kwargs=streams,
        observers=[inspector.hear],
        use_unstable_protocol=True,  # the SDK counts closing and resuming among it, its schema does not
    )
    async with spawned as (connection, process):
        await connection.initialize(1, ClientCapabilities(fs=files))
        yield person, connection
    assert process.returncode == 0
    assert inspector.problems == []
    assert "initialize" in inspector.inspected


class RawEditor:
    """Lines of bytes, whatever they say.

    Attributes:
        process: The agent.
    """

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self._inspector = Inspector()

    def send(self, line: bytes) -> None:
        assert self.process.stdin
        self.process.stdin.write(line + b"\n")

    def say(self, message: dict[str, Any]) -> None:
        """Send what is a message."""
        self._inspector.ask(message)
        self.send(json.dumps({"jsonrpc": "2.0", **message}).encode())

    async def hear(self) -> dict[str, Any]:
        """The next message of the agent."""
        assert self.process.stdout
        line = await asyncio.wait_for(self.process.stdout.readline(), LIMIT)
        message = json.loads(line)
        self._inspector.inspect(message)
        assert self._inspector.problems == []
        return message

    async def request(self, method: str, params: Any, number: int = 1) -> dict[str, Any]:
        """The whole answer, result or error."""
        self.say({"id": number, "method": method, "params": params})
        return await self.answer(number)

    async def answer(self, number: int) -> dict[str, Any]:
        """The answer to a request; what is told or asked meanwhile is dropped."""
        while "method" in (message := await self.hear()):
            pass
        assert message["id"] == number
        return message

    async def hear_method(self, method: str) -> dict[str, Any]:
        """The next message of the method; others are dropped."""
        while (message := await self.hear()).get("method") != method:
            assert "method" in message, message
        return message

    async def leave(self) -> bytes:
        """Close the line; what came until the end."""
        rest, _ = await asyncio.wait_for(self.process.communicate(b""), LIMIT)
        assert self.process.returncode == 0
        return rest


@asynccontextmanager
async def raw_editor(home: Path, *options: str) -> AsyncIterator[RawEditor]:
    """A raw client with ``agentinfra acp`` behind it."""
    pipe = subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *(AGENTINFRA, "acp", *options),
        cwd=home,
        env=own_home(home),
        stdin=pipe,
        stdout=pipe,
        stderr=subprocess.DEVNULL,
        limit=2**24,
    )
    try:
        yield RawEditor(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
