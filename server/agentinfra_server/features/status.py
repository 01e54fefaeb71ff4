"""The command ``agentinfra.status``: the runs of a folder."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from pygls.exceptions import JsonRpcInternalError

from agentinfra.core.errors import AgentInfraError
from agentinfra.workflow.run_list import list_runs
from agentinfra_server.session.connection import Connection


def handlers(server: Connection) -> dict[str, Callable[..., Awaitable[list[dict[str, Any]]]]]:
    """What answers the command."""

    async def status(*_arguments: Any) -> list[dict[str, Any]]:
        return await runs_of_first_folder(server)

    return {"status": status}


async def runs_of_first_folder(server: Connection) -> list[dict[str, Any]]:
    """The runs of the first workspace folder, oldest first; none without a folder.

    Raises:
        JsonRpcInternalError: The event log cannot be read; the message says why.
    """
    folders = server.workspaces.folders()
    if not folders:
        return []
    try:
        return await asyncio.to_thread(list_runs, folders[0])
    except AgentInfraError as error:
        raise JsonRpcInternalError(str(error)) from error
