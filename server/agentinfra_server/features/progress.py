"""Stopping a run where its progress is shown."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from lsprotocol import types as lsp

from agentinfra_server.session.connection import Connection
from agentinfra_server.session.progress import run_of


def handlers(server: Connection) -> dict[str, Callable[[lsp.WorkDoneProgressCancelParams], Awaitable[None]]]:
    """What heeds the notification."""

    async def cancelled(params: lsp.WorkDoneProgressCancelParams) -> None:
        if (run := run_of(params.token)) is not None:
            server.code_work.cancel(run)
            await server.runs.stop(run)

    return {lsp.WINDOW_WORK_DONE_PROGRESS_CANCEL: cancelled}
