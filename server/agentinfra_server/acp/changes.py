"""What a commit changed, as diffs that an editor shows."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agentinfra.core.errors import AgentInfraError, WorkspaceError

MOST_FILES = 20
MOST_LINES = 2_000


async def changes_of(folder: Path, commit: str) -> list[Mapping[str, Any]]:
    """The files of a commit before and after it; none where the commit or its repository is gone.

    Binary files and very large changes are left out, and no more than 20 files are told.

    Args:
        folder: A folder of the repository.
        commit: Its id.
    """
    from agentinfra.environment.git_workspace import GitWorkspace  # noqa: PLC0415  (loads git at first use)

    before = f"{commit}^"
    try:
        git = await asyncio.to_thread(GitWorkspace.open, folder)
        stats = await git.diff_stat(before, commit)
    except AgentInfraError:
        return []

    async def text(ref: str, path: str) -> str | None:
        try:
            return await git.read_file(ref, path)
        except WorkspaceError:
            return None  # it was not there

    small = [one.path for one in stats if one.added is not None and one.added + (one.removed or 0) <= MOST_LINES]
    return [
        {
            "type": "diff",
            "path": str(Path(git.root) / path),
            "oldText": await text(before, path),
            "newText": await text(commit, path) or "",
        }
        for path in small[:MOST_FILES]
    ]
