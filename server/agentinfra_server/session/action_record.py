"""The code actions that went on by themselves, on record: one that died with its server is seen by the next."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

from agentinfra.core.errors import EngineError
from agentinfra.core.events import EventDraft
from agentinfra.workflow.event_fields import integer, text
from agentinfra.workflow.event_log import FINAL_RUN_STATES, SqliteEventLog
from agentinfra.workflow.run_state import RunState, reduce
from agentinfra_server.protocol.messages import ActionItem, ActionState
from agentinfra_server.session.workspaces import engine_file

MOST_LISTED = 50
FILE = "actions.db"
_STATES: dict[str, ActionState] = {"done": "done", "failed": "failed", "stopped": "stopped"}


class ActionRecord:
    """One log for each folder, beside that of its runs; blocks for some milliseconds.

    Args:
        is_at_work: Whether this server works on the action with this id.
        process: Id of the server's process; this one's where it is left out.
    """

    def __init__(self, is_at_work: Callable[[str], bool], process: int | None = None) -> None:
        self._is_at_work = is_at_work
        self._process = process or os.getpid()
        self._logs: dict[Path, SqliteEventLog] = {}
        self._opening = threading.Lock()

    def begin(self, folder: Path, name: str, title: str) -> None:
        """An action goes on by itself.

        Raises:
            EngineError: The record cannot be written.
        """
        data = {"state": "building", "idea": title, "process": self._process}
        self._log(folder).append(name, EventDraft("state_update", data))

    def end(self, folder: Path, name: str, state: ActionState, reason: str = "") -> None:
        """It is over; "done", "failed" or "stopped"."""
        self._log(folder).append(name, EventDraft("state_update", {"state": state, "reason": reason}))

    def listed(self, folder: Path) -> list[ActionItem]:
        """The newest actions of a folder, oldest first; none where there never was one."""
        if folder not in self._logs and not (engine_file(folder).parent / FILE).exists():
            return []
        log = self._log(folder)
        return [self._item(name, reduce(log.read(name))) for name in log.runs()[-MOST_LISTED:]]

    def close(self) -> None:
        """Close what was opened."""
        for log in self._logs.values():
            log.close()
        self._logs.clear()

    def _item(self, name: str, state: RunState) -> ActionItem:
        return ActionItem(id=name, title=text(state.info, "idea"), state=self._state(name, state), reason=state.reason)

    def _state(self, name: str, state: RunState) -> ActionState:
        if state.state in FINAL_RUN_STATES:
            return _STATES[state.state]
        process = integer(state.info, "process")
        at_work = self._is_at_work(name) if process == self._process else _is_alive(process)
        return "working" if at_work else "interrupted"

    def _log(self, folder: Path) -> SqliteEventLog:
        with self._opening:
            if folder not in self._logs:
                place = engine_file(folder).parent
                try:
                    place.mkdir(parents=True, mode=0o700, exist_ok=True)
                except OSError as error:
                    raise EngineError(
                        f"The record of code actions cannot be kept in {place}", why=str(error)
                    ) from error
                self._logs[folder] = SqliteEventLog(place / FILE)
            return self._logs[folder]


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
