"""The folders that an editor has open, and the event log of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pygls.uris import to_fs_path

from agentinfra.core.errors import InputError
from agentinfra_server.protocol.language import tr

if TYPE_CHECKING:
    from agentinfra.workflow.event_log import SqliteEventLog


class Workspaces:
    """Finds folders by URI; nothing is opened before it is needed.

    Args:
        uris: Tells the URIs of the open folders.
    """

    def __init__(self, uris: Callable[[], Sequence[str]]) -> None:
        self._uris = uris
        self._logs: dict[Path, SqliteEventLog] = {}

    def folders(self) -> list[Path]:
        """The open folders that lie on this machine's disk."""
        paths = [to_fs_path(uri) for uri in self._uris()]
        return [Path(path) for path in paths if path]

    def folder(self, uri: str | None) -> Path:
        """One of the open folders; the first for None.

        Raises:
            InputError: None is open, or not this one.
        """
        folders = self.folders()
        if not folders:
            raise InputError(tr("No folder is open"), next_step=tr("Open the folder to work in"))
        if uri is None:
            return folders[0]
        wanted = to_fs_path(uri)
        for folder in folders:
            if wanted and Path(wanted) == folder:
                return folder
        raise InputError(tr("{uri} is no open folder", uri=uri), next_step=tr("Name one of the open folders"))

    def locate(self, uri: str) -> tuple[Path, str] | None:
        """The innermost open folder that a file lies in, and its path there with forward slashes; None for none."""
        path = Path(to_fs_path(uri) or "") if uri.startswith("file:") else Path()
        folders = [folder for folder in self.folders() if path.is_relative_to(folder) and path != folder]
        if not folders:
            return None
        folder = max(folders, key=lambda one: len(one.parts))
        return folder, path.relative_to(folder).as_posix()

    def has_log(self, folder: Path) -> bool:
        """Whether there ever was a run in a folder; nothing is made to find out."""
        return (engine_file(folder).parent / "events.db").exists()

    def log(self, folder: Path) -> SqliteEventLog:
        """The event log of a folder's runs."""
        if folder not in self._logs:
            # Not before a run is looked at.
            from agentinfra.workflow.event_log import SqliteEventLog  # noqa: PLC0415

            place = engine_file(folder).parent
            place.mkdir(parents=True, mode=0o700, exist_ok=True)
            self._logs[folder] = SqliteEventLog(place / "events.db")
        return self._logs[folder]

    def close(self) -> None:
        """Close what was opened."""
        for log in self._logs.values():
            log.close()
        self._logs.clear()


def engine_file(folder: Path) -> Path:
    """The file of the engine that works on a folder's runs; their event log lies beside it."""
    from agentinfra.core.config import workspace_folder  # noqa: PLC0415  (not before a run is looked at)

    return workspace_folder(folder.resolve()) / "engine.db"
