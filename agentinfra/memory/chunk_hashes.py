"""The hashes of the chunks that the user's workspaces hold, read beside whoever writes to them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from agentinfra.core.errors import StoreError
from agentinfra.memory.database import open_database, reporting

_HAS_CHUNKS = "SELECT 1 FROM sqlite_schema WHERE name = 'chunks'"


def chunk_hashes(data: Path) -> Iterator[str]:
    """Of all workspaces; some may come more than once.

    Args:
        data: The user's data folder.
    """
    for path in sorted(data.glob("workspaces/*/memory.db")):
        with suppress(StoreError):  # whoever works in that workspace is told
            yield from _hashes(path)


def _hashes(path: Path) -> Iterator[str]:
    connection = open_database(path, read_only=True)
    try:
        with reporting(path):
            if connection.execute(_HAS_CHUNKS).fetchone():
                yield from (str(key) for (key,) in connection.execute("SELECT DISTINCT hash FROM chunks"))
    finally:
        connection.close()
