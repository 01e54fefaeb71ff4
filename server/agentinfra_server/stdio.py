"""The server over standard input and output."""

from __future__ import annotations

import asyncio
import logging
import os
import stat
import threading
from contextlib import suppress
from typing import BinaryIO

from pygls.io_ import StdinAsyncReader, StdoutWriter, run_async

from agentinfra_server.session.connection import Connection

_SILENT = logging.getLogger(__name__)
_READ_AHEAD = 1 << 20
"""Bytes read before they are handled; a longer message is read in pieces of this size."""


class PipeReader:
    """Reads a pipe on the event loop: no hand-over between threads, of which pygls' reader takes three a message.

    Args:
        stream: What is read.
    """

    def __init__(self, stream: asyncio.StreamReader) -> None:
        self._stream = stream

    async def readline(self) -> bytes:
        """The next line of a header; empty at the end."""
        await asyncio.sleep(0)  # what lies here already is handed out without a wait: let others have their turn
        try:
            return await self._stream.readline()
        except ValueError:  # longer than any header
            return b"?"

    async def readexactly(self, n: int) -> bytes:
        """A message's body of ``n`` bytes; empty where the input ends within it."""
        try:
            return await self._stream.readexactly(n)
        except asyncio.IncompleteReadError:
            return b""


def serve(server: Connection, stdin: BinaryIO, stdout: BinaryIO) -> None:
    """Serve the one editor at the other end until it leaves.

    Args:
        server: Made for it.
        stdin: What it writes.
        stdout: What it reads; writing must not block.
    """
    server.protocol.set_writer(StdoutWriter(stdout))
    try:
        asyncio.run(_serve(server, stdin))
    except (BrokenPipeError, KeyboardInterrupt, SystemExit):
        pass  # it is gone, has said "exit", or a person has
    finally:
        server.shutdown()


async def _serve(server: Connection, stdin: BinaryIO) -> None:
    reader = await _reader(server, stdin)
    await run_async(threading.Event(), reader, server.protocol, _SILENT, server.report_server_error)


async def _reader(server: Connection, stdin: BinaryIO) -> PipeReader | StdinAsyncReader:
    mode = os.fstat(stdin.fileno()).st_mode
    with suppress(NotImplementedError):  # Windows' event loop cannot wait for a pipe that others made
        if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
            stream = asyncio.StreamReader(limit=_READ_AHEAD)
            protocol = asyncio.StreamReaderProtocol(stream)
            await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, stdin)
            return PipeReader(stream)
    return StdinAsyncReader(stdin, server.thread_pool)
