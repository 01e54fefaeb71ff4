"""The consent to make a folder that holds files a Git repository."""

from __future__ import annotations

import asyncio
from pathlib import Path

from agentinfra.core.errors import InputError
from agentinfra_server.protocol import messages as wire
from agentinfra_server.protocol.language import tr, tr_count
from agentinfra_server.session.connection import Connection

_OF_RUNS = frozenset(("idea.md", "spec.md", "tasks.md"))


async def require_consent(server: Connection, folder: Path, params: wire.RunStartParams) -> None:
    """Ask the person before a folder with files in it becomes a repository; an unattended run was told to do so.

    Raises:
        InputError: The person denies it, or nobody answers.
    """
    if not params.initialize or params.mode == "unattended":
        return
    count = await asyncio.to_thread(_files, folder)
    if count == 0:
        return
    asked = wire.PermissionParams(
        run_id="",
        title=tr("Planner: make {folder} a Git repository?", folder=folder.name),
        detail=tr_count(
            "git init -b main in {path}, which holds {count} file. Work arrives there as commits.",
            "git init -b main in {path}, which holds {count} files. Work arrives there as commits.",
            count,
            path=folder,
        ),
    )
    if not await server.editor.permit(asked):
        raise InputError(
            tr("The folder was not made a Git repository"),
            why=tr("You did not allow it, and work arrives as commits"),
            next_step=tr("Allow it, or open a folder that is one"),
        )


def _files(folder: Path) -> int:
    """How many files and folders of the person lie in a folder that is no repository; 0 for one that is."""
    if (folder / ".git").exists() or not folder.is_dir():
        return 0
    return sum(1 for path in folder.iterdir() if path.name not in _OF_RUNS and not path.name.startswith("."))
