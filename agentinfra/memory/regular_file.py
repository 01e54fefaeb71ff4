"""Reading files of a workspace that anyone may change meanwhile: no wait, no link, no endless device."""

from __future__ import annotations

import os
from pathlib import Path
from stat import S_ISREG


def changed_ns(stat: os.stat_result) -> int:
    """When a file was last changed, in nanoseconds: the time of writing can be set back, that of its entry cannot."""
    return max(stat.st_mtime_ns, stat.st_ctime_ns)


def read_regular(path: Path, limit: int, *, follow: bool = False) -> tuple[os.stat_result, bytes]:
    """A file's state and its bytes; none of what is no regular file, or is larger than ``limit`` bytes.

    Args:
        path: The file.
        limit: Most bytes to read.
        follow: Whether the file that a symbolic link points to is meant.

    Raises:
        OSError: It is gone, is a link, or cannot be read.
    """
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
    descriptor = os.open(path, flags)
    try:
        stat = os.fstat(descriptor)
        if not S_ISREG(stat.st_mode) or stat.st_size > limit:
            return stat, b""
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return stat, file.read(min(limit, stat.st_size + 1))  # room is made for as many as are asked for
    finally:
        os.close(descriptor)
