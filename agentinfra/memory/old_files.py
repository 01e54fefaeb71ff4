"""Files of earlier versions, which nothing reads any more: they go when their like is forgotten."""

from __future__ import annotations

from itertools import product
from pathlib import Path

from agentinfra.core.errors import StoreError

_ENDS = ("-shm", "-wal", "-journal", "", ".damaged-shm", ".damaged-wal", ".damaged")


def remove_old_files(workspace: Path, data: Path) -> None:
    """Remove the index of earlier versions, and their vectors.

    Args:
        workspace: The workspace's folder in the data folder.
        data: The user's data folder.

    Raises:
        StoreError: One of them cannot be removed.
    """
    for path, end in product((workspace / "index.db", data / "vectors.db"), _ENDS):
        try:
            Path(f"{path}{end}").unlink(missing_ok=True)
        except OSError as error:
            step = "Remove it by hand"
            raise StoreError(
                f"{path}{end} cannot be removed", why=error.strerror or str(error), next_step=step
            ) from error
