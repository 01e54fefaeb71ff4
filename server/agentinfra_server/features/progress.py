"""Stopping a run where its progress is shown."""

from __future__ import annotations

from lsprotocol import types as lsp

from agentinfra_server.session.connection import Connection
from agentinfra_server.session.progress import run_of


def register(server: Connection) -> None:
    """Register the notification on a server."""

    async def cancelled(params: lsp.WorkDoneProgressCancelParams) -> None:
        if (run := run_of(params.token)) is not None:
            await server.runs.stop(run)

    server.feature(lsp.WINDOW_WORK_DONE_PROGRESS_CANCEL)(cancelled)
