"""A process that carries one run, started by the server and gone with it."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agentinfra.core.errors import EngineError
from agentinfra.protocols.json_rpc import LINE_BYTES, ConnectionLost, Handler, JsonRpcPeer, Params, RpcError
from agentinfra_server.protocol.language import tr

START_SECONDS = 60.0
END_SECONDS = 25.0
_TAIL_BYTES = 4_000


class RunProcess:
    """One child process; see :mod:`agentinfra.cli.engine` for what is said.

    Args:
        folder: The workspace folder.
        secrets: Environment variables for it alone.

    Attributes:
        end: What it said of its run's end; None before, and where it died.
    """

    def __init__(self, folder: Path, secrets: Mapping[str, str] | None = None) -> None:
        self._folder = folder
        self._secrets = dict(secrets or {})
        self._process: asyncio.subprocess.Process | None = None
        self._peer: JsonRpcPeer | None = None
        self._serving: asyncio.Task[None] | None = None
        self._errors = b""
        self.end: Params | None = None

    async def begin(self, method: str, params: Params, handlers: Mapping[str, Handler]) -> str:
        """Start the process and its run.

        Args:
            method: "run/plan", "run/change" or "run/resume".
            params: What belongs to it.
            handlers: What the child may ask and tell.

        Returns:
            The run's id.

        Raises:
            EngineError: The process does not start, or its run ended before it began; why is said.
            RpcError: The run was refused.
        """
        await self.open(handlers)
        try:
            async with asyncio.timeout(START_SECONDS):
                reply = await self.request(method, params)
        except ConnectionLost as error:
            await self.ended()
            raise EngineError(tr("The run's process ended before the run began"), why=self.complaint()) from error
        except RpcError as error:
            await self.stop()
            if self.end is None:
                raise
            raise EngineError(self.end["message"], why=self.end["why"], next_step=self.end["next"]) from error
        except BaseException:
            await self.stop()
            raise
        return str(reply["run"])

    async def open(self, handlers: Mapping[str, Handler]) -> None:
        """Start the process; nothing is asked of it yet.

        Raises:
            EngineError: It does not start.
        """
        process = await self._start()
        assert process.stdout
        assert process.stdin
        self._peer = JsonRpcPeer(process.stdout, process.stdin, {**handlers, "run/ended": self._take_end})
        self._serving = asyncio.create_task(self._serve(self._peer))

    async def request(self, method: str, params: Params) -> Any:
        """Ask the process; cancelling withdraws the request.

        Raises:
            RpcError: It refused.
            ConnectionLost: It is gone.
        """
        if self._peer is None:
            raise ConnectionLost(f"The process was not started; {method} is not answered")
        return await self._peer.request(method, params)

    @property
    def is_alive(self) -> bool:
        """Whether there is somebody to ask."""
        return self._serving is not None and not self._serving.done()

    async def tell(self, method: str, params: Params) -> None:
        """Send a notification, if anybody is there."""
        if self._peer is not None:
            await self._peer.notify(method, params)

    async def ended(self) -> None:
        """Return when the process is gone."""
        if self._serving is not None:
            await asyncio.wait((self._serving,))

    def complaint(self) -> str:
        """The end of what the process wrote to standard error."""
        return self._errors.decode(errors="replace").strip()

    async def stop(self) -> None:
        """Close the line, upon which the child stops its run and goes; kill it where it does not in time."""
        if self._process is None or self._process.stdin is None:
            return
        self._process.stdin.close()
        try:
            async with asyncio.timeout(END_SECONDS):
                await self.ended()
        except TimeoutError:
            self._process.kill()
            await self.ended()

    async def _take_end(self, params: Params) -> None:
        self.end = params

    async def _start(self) -> asyncio.subprocess.Process:
        pipe = asyncio.subprocess.PIPE
        try:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-X", "utf8", "-m", "agentinfra.cli.engine", str(self._folder)),
                cwd=self._folder,
                env={**os.environ, **self._secrets},
                stdin=pipe,
                stdout=pipe,
                stderr=pipe,
                limit=LINE_BYTES,
                start_new_session=True,  # Ctrl-C at the editor's terminal is not meant for it
            )
        except OSError as error:
            raise EngineError(tr("The run's process cannot be started"), why=str(error)) from error
        return self._process

    async def _serve(self, peer: JsonRpcPeer) -> None:
        assert self._process
        listening = asyncio.create_task(self._listen())
        await peer.serve()
        await self._process.wait()
        await listening

    async def _listen(self) -> None:
        """Keep the end of what the child complains of, so that its pipe never fills."""
        assert self._process
        assert self._process.stderr
        while block := await self._process.stderr.read(65_536):
            self._errors = (self._errors + block)[-_TAIL_BYTES:]
