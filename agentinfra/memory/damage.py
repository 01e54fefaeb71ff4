"""Damaged files: moved aside, so that new ones can be made in their place, and removed when they must be forgotten."""

from __future__ import annotations

import fcntl
import os
import warnings
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

_ENDS = ("-shm", "-wal", "")
"""The log goes before its database: a log beside a new database would be taken for its own."""
FileIdentity = tuple[int, int]


def identity(path: Path) -> FileIdentity | None:
    """Which file lies there; None for none."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_dev, stat.st_ino


def aside(path: Path) -> Path:
    """Where a damaged file is moved to; the one that was there before goes."""
    return path.with_name(f"{path.name}.damaged")


def set_aside(path: Path, seen: FileIdentity | None) -> bool:
    """Move a damaged database aside with its log, so that the next opening makes a new one; warns of it.

    Args:
        path: The file.
        seen: Which file was found to be damaged.

    Returns:
        Whether it was moved: not where another process was faster, and the file that lies there is a new one.

    Raises:
        OSError: It cannot be moved.
    """
    with _folder_lock(path.parent):
        if seen is None or identity(path) != seen:
            return False
        for end in _ENDS:
            with suppress(FileNotFoundError):
                Path(f"{path}{end}").replace(f"{aside(path)}{end}")
    what = f"The memory in {path} was damaged: it was moved to {aside(path).name} and is made again"
    warnings.warn(what, RuntimeWarning, stacklevel=2)
    return True


def remove_aside(path: Path) -> None:
    """Remove what was moved aside: it may hold what is to be forgotten."""
    for end in _ENDS:
        Path(f"{aside(path)}{end}").unlink(missing_ok=True)


@contextmanager
def _folder_lock(folder: Path) -> Generator[None]:
    """Held for the moment of a few renames; ends with the process."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
