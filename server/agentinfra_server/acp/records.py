"""Which runs a session began. All else about them is in the runs' own log."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from agentinfra.core.config import workspace_folder

FILE = "acp-sessions.jsonl"


def add(folder: Path, session: str, run: str) -> None:
    """Put on record that a session of a workspace began a run; blocks."""
    place = workspace_folder(folder)
    place.mkdir(parents=True, mode=0o700, exist_ok=True)
    line = json.dumps({"session": session, "run": run}).encode() + b"\n"
    # One write that is appended whole, since several editors may have the workspace open.
    file = os.open(place / FILE, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(file, line)
    finally:
        os.close(file)


def sessions(folder: Path) -> Mapping[str, list[str]]:
    """The sessions of a workspace with their runs, both oldest first; damaged lines are passed over; blocks."""
    found: dict[str, list[str]] = {}
    try:
        lines = (workspace_folder(folder) / FILE).read_text("utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return found
    for line in lines:
        if (record := _record(line)) is not None:
            found.setdefault(record[0], []).append(record[1])
    return found


def _record(line: str) -> tuple[str, str] | None:
    try:
        value = cast("object", json.loads(line))
    except ValueError:
        return None
    fields = cast("Mapping[str, object]", value if isinstance(value, dict) else {})
    session, run = fields.get("session"), fields.get("run")
    return (session, run) if isinstance(session, str) and isinstance(run, str) else None
