"""The processes of a stand-in for ``agentinfra`` that waits to be stopped."""

import json
import time
from pathlib import Path


def processes(folder):
    """Ids of it and of its own child, once it has said them in its events."""
    file = folder / "events.jsonl"
    lines = file.read_text().splitlines() if file.exists() else []
    if len(lines) != 2 or not lines[1].endswith("}"):
        return []
    return [int(pid) for pid in json.loads(lines[1])["data"]["text"].split()]


def survivors(folder, seconds=5.0):
    """Those of them that are still there after a while; a dead one that nobody has fetched is not."""
    pids = processes(folder)
    assert len(pids) == 2
    end = time.monotonic() + seconds
    while (alive := [pid for pid in pids if lives(pid)]) and time.monotonic() < end:
        time.sleep(0.02)
    return alive


def lives(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
