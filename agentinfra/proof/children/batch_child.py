"""The program that runs many of our programs in one sandbox, each in a fork of a Python that has loaded pytest already.

It is started as a file, never imported. No program reaches another: each has a folder of its own, whatever processes
it leaves are killed, and one whose folder was touched while another ran has no sound result.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import runpy
import select
import signal
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

import pytest

PRELOADED = pytest.__version__  # every fork would otherwise spend most of its time on loading it
_SET_DUMPABLE, _SET_CHILD_SUBREAPER = 4, 36  # of prctl(2)
_Mark = list[tuple[str, int, int, int]]


def _mark(folder: str) -> _Mark:
    """What stands in a folder; nobody can set the change times in it."""
    seen: _Mark = []
    for place, folders, files in os.walk(folder):
        for path in (Path(place), *(Path(place, name) for name in (*folders, *files))):
            status = path.lstat()
            seen.append((str(path), status.st_ino, status.st_size, status.st_ctime_ns))
    return sorted(seen)


def _become(argv: list[str], folder: str) -> NoReturn:
    """Turn this fork into the program; it never returns."""
    code = 1
    try:
        _prctl(_SET_DUMPABLE, 1)
        os.setsid()
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(null, descriptor)
        os.chdir(folder)
        sys.argv = argv
        runpy.run_path(argv[0], run_name="__main__")
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    finally:
        os._exit(code)


def _run(argv: list[str], folder: str, seconds: float) -> dict[str, Any]:
    started = time.monotonic()
    pid = os.fork()
    if pid == 0:
        _become(argv, folder)
    handle = os.pidfd_open(pid)
    ended, _, _ = select.select([handle], [], [], seconds)
    if not ended:
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    os.close(handle)
    code = os.waitstatus_to_exitcode(status)
    spent = time.monotonic() - started
    return {"exit_code": code if code >= 0 else 128 - code, "seconds": spent, "timed_out": not ended}


def _children() -> list[int]:
    """Ids of the processes below this one that have no other parent any more."""
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        try:
            stat = (entry / "stat").read_text("utf-8", "replace") if entry.name.isdecimal() else ""
        except OSError:  # it has ended meanwhile
            continue
        if stat and int(stat.rpartition(")")[2].split()[1]) == os.getpid():
            found.append(int(entry.name))
    return found


def _end_leftovers() -> None:
    while left := _children():
        for pid in left:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def _prctl(option: int, value: int) -> None:
    ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _run_all(commands: list[dict[str, Any]], seconds: float) -> list[dict[str, Any]]:
    deadline = time.monotonic() + seconds
    before = [_mark(one["folder"]) for one in commands]
    after: list[_Mark] = []
    results: list[dict[str, Any]] = []
    for one, mark in zip(commands, before, strict=True):
        left = deadline - time.monotonic()
        if left > 0 and _mark(one["folder"]) == mark:
            result = _run(one["argv"], one["folder"], min(one["seconds"], left))
            # Cut short for the others' sake it is not known to be endless.
            result["timed_out"] &= left >= one["seconds"]
            results.append(result)
            _end_leftovers()
        else:
            results.append({"exit_code": 137, "seconds": 0.0, "timed_out": False})
        after.append(_mark(one["folder"]))
    for result, one, mark in zip(results, commands, after, strict=True):
        result["intact"] = _mark(one["folder"]) == mark
    return results


def main() -> None:
    """Run the commands that the order names, one after the other, and leave what became of each."""
    order_file = Path(sys.argv[1])
    order = json.loads(order_file.read_text("utf-8"))
    order_file.unlink()
    # Orphans come back here to be ended, and no fork may look into this process.
    _prctl(_SET_CHILD_SUBREAPER, 1)
    _prctl(_SET_DUMPABLE, 0)
    gc.freeze()  # otherwise every fork would copy, to collect, what it shares with this process
    results = _run_all(order["commands"], order["seconds"])
    Path(order["report"]).write_text(json.dumps(results), "utf-8")


if __name__ == "__main__":
    main()
