"""The server: what it answers to an editor."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from lsprotocol.types import SHUTDOWN
from pygls.exceptions import JsonRpcInternalError
from pygls.lsp.server import LanguageServer
from pygls.uris import to_fs_path

from agentinfra import __version__
from agentinfra.core.errors import AgentInfraError


class Server(LanguageServer):
    """One editor's server.

    Attributes:
        may_exit: Whether the editor asked for the shutdown; leaving without it is a failure by the protocol.
    """

    may_exit = False


def create_server() -> Server:
    """Build a server with all its features; nothing runs before ``start_io``."""
    server = Server("agentinfra-server", __version__)
    server.feature(SHUTDOWN)(shutdown)
    server.command("agentinfra.status")(status)
    return server


def shutdown(server: Server, *_params: Any) -> None:
    """Note that the editor said goodbye."""
    server.may_exit = True


async def status(server: Server, *_arguments: Any) -> list[dict[str, Any]]:
    """The runs of the first workspace folder, oldest first; none without a folder.

    Raises:
        JsonRpcInternalError: The event log cannot be read; the message says why.
    """
    folder = workspace_folder(server)
    if folder is None:
        return []
    from agentinfra.app import list_runs  # noqa: PLC0415 - the library's heavy half loads at first use

    try:
        return await asyncio.to_thread(list_runs, folder)
    except AgentInfraError as error:
        raise JsonRpcInternalError(str(error)) from error


def workspace_folder(server: Server) -> Path | None:
    """The first folder that the editor has open, if it is on this machine's disk."""
    paths = [to_fs_path(folder.uri) for folder in server.workspace.folders.values()]
    return next((Path(path) for path in [*paths, server.workspace.root_path] if path), None)
