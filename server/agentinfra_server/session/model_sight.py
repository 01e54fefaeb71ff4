"""Whether there is a model that could be asked, looked at now and then so that nobody waits for it."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from agentinfra.core.errors import AgentInfraError
from agentinfra_server.protocol.language import tr
from agentinfra_server.session.editor import Editor
from agentinfra_server.session.runs import secrets_of

FRESH_SECONDS = 30.0
PATIENCE_SECONDS = 1.5
"""So long the first to ask waits; then there is taken to be one."""


class ModelSight:
    """Looks in the person's settings, in the environment, at this machine's servers and files.

    Args:
        editor: Whose models and keys count, too.
    """

    def __init__(self, editor: Editor) -> None:
        self._editor = editor
        self._missing = ""
        self._seen_at = float("-inf")
        self._looking: asyncio.Task[None] | None = None

    async def missing(self, folder: Path) -> str:
        """Why there is none, "" where there is one."""
        if self._editor.can("models"):
            return ""
        is_first = self._seen_at == float("-inf")
        if self._looking is None and time.monotonic() - self._seen_at > FRESH_SECONDS:
            self._looking = asyncio.create_task(self._look(folder))
        if is_first and self._looking is not None:
            await asyncio.wait((self._looking,), timeout=PATIENCE_SECONDS)
        return self._missing

    def aclose(self) -> None:
        """Stop looking."""
        if self._looking is not None:
            self._looking.cancel()

    async def _look(self, folder: Path) -> None:
        try:
            self._missing = "" if await secrets_of(self._editor) else await _missing(folder)
        finally:
            self._seen_at = time.monotonic()
            self._looking = None


async def _missing(folder: Path) -> str:
    # Not before the first code action.
    from agentinfra.core.config import load_settings  # noqa: PLC0415
    from agentinfra.models.local_servers import find_local_servers  # noqa: PLC0415
    from agentinfra.models.model_manager import model_choices  # noqa: PLC0415

    try:
        settings = await asyncio.to_thread(load_settings, folder, own_planner=False)
    except AgentInfraError as error:
        return str(error)
    if settings.models.default or await asyncio.to_thread(model_choices):
        return ""
    if await find_local_servers():
        return ""
    return tr("No model is configured. Set a key, start a model server, or: agentinfra models pull")
