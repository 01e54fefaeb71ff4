"""One process follows a workspace's files; the lock that says so ends with it, whatever ends it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from agentinfra.core.config import workspace_folder
from agentinfra.core.errors import StoreError


def lock_path(root: Path, data: Path | None = None) -> Path:
    """Where the lock of a workspace lies.

    Args:
        root: The workspace's folder.
        data: Instead of the user's data folder.
    """
    return workspace_folder(root, data) / "indexing.lock"


@contextmanager
def following(path: Path) -> Generator[None]:
    """Be the one that follows the files.

    Raises:
        StoreError: Another one does, or the lock cannot be made.
    """
    descriptor = _open(path)
    try:
        if not _take(descriptor):
            raise StoreError(
                "The index of this workspace is kept up to date by another process already",
                why=f"Process {_written(descriptor)} does it",
                next_step="Search as usual: what is found is up to date. To do it here, end that process first",
            )
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)  # and with it the lock


def follower(path: Path) -> str:
    """The number of the process that follows the files; "" where none does.

    Raises:
        StoreError: The lock cannot be looked at.
    """
    descriptor = _open(path)
    try:
        return "" if _take(descriptor) else _written(descriptor)
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        step = "See that its folder is yours and writable"
        raise StoreError(f"{path} cannot be opened", why=str(error), next_step=step) from error


def _take(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _written(descriptor: int) -> str:
    return os.pread(descriptor, 20, 0).decode(errors="replace") or "?"
