"""The indexes of the open folders."""

from __future__ import annotations

import asyncio
from pathlib import Path

from agentinfra.core.errors import InputError
from agentinfra_server.protocol.language import tr
from agentinfra_server.protocol.messages import IndexStatus
from agentinfra_server.session.editor import Editor
from agentinfra_server.session.workspace_index import WorkspaceIndex
from agentinfra_server.session.workspaces import Workspaces


class Indexes:
    """One for each folder, made when it is first asked for; only in a workspace that is trusted.

    Args:
        editor: Is told how far they are.
        workspaces: Its folders.
    """

    def __init__(self, editor: Editor, workspaces: Workspaces) -> None:
        self._editor = editor
        self._workspaces = workspaces
        self._indexes: dict[Path, WorkspaceIndex] = {}
        self._telling: set[asyncio.Task[None]] = set()

    def of(self, folder: Path) -> WorkspaceIndex:
        """The index of a folder.

        Raises:
            InputError: The workspace is not trusted.
        """
        if not self._editor.trusts:
            raise InputError(
                tr("The workspace is not trusted, so its files are not indexed"),
                next_step=tr("Trust the workspace first"),
            )
        if folder not in self._indexes:
            self._indexes[folder] = WorkspaceIndex(folder, self._tell)
        return self._indexes[folder]

    def status(self, folder: Path) -> IndexStatus:
        """How far the index of a folder is; asking does not start it."""
        found = self._indexes.get(folder)
        return found.status() if found else IndexStatus(folder=folder.as_uri(), state="off")

    def take_text(self, path: Path, text: str | None) -> None:
        """Let what an editor has not saved be found; None once it is saved or closed. Cheap where nobody searches."""
        for folder, index in self._indexes.items():
            if path.is_relative_to(folder):
                index.take_text(path, text)

    async def close_others(self) -> None:
        """Let go of the folders that are not open any more."""
        gone = self._indexes.keys() - set(self._workspaces.folders())
        await asyncio.gather(*(self._indexes.pop(folder).aclose() for folder in gone))

    async def aclose(self) -> None:
        """End all their processes."""
        for task in tuple(self._telling):
            task.cancel()
        await asyncio.gather(*(index.aclose() for index in self._indexes.values()))
        self._indexes.clear()

    def _tell(self, status: IndexStatus) -> None:
        task = asyncio.create_task(self._editor.tell_index(status))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)
