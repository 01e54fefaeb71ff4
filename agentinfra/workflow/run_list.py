"""The runs of a workspace in short; nothing heavy is loaded for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from agentinfra.core.config import workspace_folder
from agentinfra.workflow.event_log import SqliteEventLog
from agentinfra.workflow.run_state import reduce


def list_runs(workspace: Path) -> list[dict[str, Any]]:
    """The runs of a workspace for a client: id, state and idea of each, oldest first."""
    path = workspace_folder(workspace) / "events.db"
    if not path.exists():
        return []
    log = SqliteEventLog(path)
    try:
        states = [reduce(log.read(run)) for run in log.runs()]
        return [{"run": one.run, "state": one.state, "idea": str(one.info.get("idea", ""))} for one in states]
    finally:
        log.close()
