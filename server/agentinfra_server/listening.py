"""The server over a socket of this machine, for debugging: one editor, which has to know the token."""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import secrets
import threading
from collections.abc import Awaitable, Callable
from typing import Any, TextIO, cast

from pygls.io_ import run_async, run_websocket
from websockets.asyncio.server import ServerConnection
from websockets.asyncio.server import serve as serve_websockets

from agentinfra_server.session.connection import Connection
from agentinfra_server.stdio import PipeReader

HOST = "127.0.0.1"
MOST_MESSAGE_BYTES = 64 << 20
_SILENT = logging.getLogger(__name__)

Serve = Callable[[], Awaitable[None]]


class Listener:
    """Serves the first editor that names the token in its initialization options; then nobody else.

    Args:
        create: Makes a server for a connection.
        out: Told, in a line of JSON, the port and the token.
    """

    def __init__(self, create: Callable[[], Connection], out: TextIO) -> None:
        self._create = create
        self._out = out
        self._token = secrets.token_urlsafe(32)
        self._over = asyncio.Event()
        self._served: Connection | None = None
        self.may_exit = False
        """Whether the editor asked for the shutdown before it left."""

    async def tcp(self, port: int) -> None:
        """Serve over TCP, with the headers of the protocol; 0 is any free port."""
        listening = await asyncio.start_server(self._take_stream, HOST, port)
        async with listening:
            self._announce("tcp", listening.sockets[0].getsockname()[1])
            await self._over.wait()

    async def websocket(self, port: int) -> None:
        """Serve over WebSocket, a message each; 0 is any free port."""
        async with serve_websockets(self._take_websocket, HOST, port, max_size=MOST_MESSAGE_BYTES) as listening:
            self._announce("ws", next(iter(listening.sockets)).getsockname()[1])
            await self._over.wait()

    def _announce(self, scheme: str, port: int) -> None:
        self._out.write(json.dumps({"address": f"{scheme}://{HOST}:{port}", "token": self._token}) + "\n")
        self._out.flush()

    async def _take_stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server = self._guarded()
        server.protocol.set_writer(writer)
        stop = threading.Event()
        try:
            await self._until_ended(
                server,
                lambda: run_async(stop, PipeReader(reader), server.protocol, _SILENT, server.report_server_error),
            )
        finally:
            writer.close()

    async def _take_websocket(self, websocket: ServerConnection) -> None:
        server = self._guarded()
        stop = threading.Event()
        await self._until_ended(
            server, lambda: run_websocket(websocket, stop, server.protocol, _SILENT, server.report_server_error)
        )

    def _guarded(self) -> Connection:
        server = self._create()
        server.wire.admits = lambda options: self._admit(server, options)
        return server

    def _admit(self, server: Connection, options: object) -> bool:
        told = cast("dict[str, Any]", options).get("token") if isinstance(options, dict) else None
        is_known = isinstance(told, str) and hmac.compare_digest(told.encode(), self._token.encode())
        if not is_known or self._served is not None:
            return False
        self._served = server
        return True

    async def _until_ended(self, server: Connection, serve: Serve) -> None:
        try:
            await serve()
        except (ConnectionError, asyncio.IncompleteReadError):
            return  # it is gone, which is all there is to know
        finally:
            if server is self._served:
                self.may_exit = server.may_exit
                await server.end()
                self._over.set()
