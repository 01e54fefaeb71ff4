"""Whether an index is what it was when it was written: its parts among each other, and what stands in them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from agentinfra.core.errors import DamagedStore
from agentinfra.memory.chunk import hash_of
from agentinfra.memory.database import Connection

_RULES = {
    "chunks without a file": "SELECT 1 FROM chunks WHERE file NOT IN (SELECT id FROM files)",
    "chunks without words": "SELECT 1 FROM chunks WHERE id NOT IN (SELECT rowid FROM words)",
    "words without a chunk": "SELECT 1 FROM words WHERE rowid NOT IN (SELECT id FROM chunks)",
    "definitions without a file": "SELECT 1 FROM definitions WHERE file NOT IN (SELECT id FROM files)",
    "uses without a file": "SELECT 1 FROM uses WHERE file NOT IN (SELECT id FROM files)",
    "vectors without a model": "SELECT 1 FROM vectors WHERE model NOT IN (SELECT id FROM models)",
    "vectors of another length": "SELECT 1 FROM vectors v JOIN models m ON m.id = v.model"
    " WHERE length(v.vector) <> 4 * m.dimensions",
}
"""What no row of an index may be."""


def check_index(connection: Connection, path: Path) -> None:
    """Look at all chunks and vectors.

    Raises:
        DamagedStore: There is a row that should not be, or one with another content than was written.
    """
    found = [what for what, sql in _RULES.items() if connection.execute(f"{sql} LIMIT 1").fetchone()]
    if not _chunks_are_whole(connection):
        found.append("chunks with another text")
    elif not found and not _vectors_are_whole(connection):
        found.append("vectors with other numbers")
    if found:
        raise DamagedStore(f"The index in {path} is damaged", why=f"It has {', '.join(found)}")


def _chunks_are_whole(connection: Connection) -> bool:
    rows = connection.execute("SELECT hash, symbol, text FROM chunks")
    return all(key == hash_of(symbol, text) for key, symbol, text in rows)


def _vectors_are_whole(connection: Connection) -> bool:
    """All are of length 1; noise is not."""
    rows = connection.execute("SELECT vector FROM vectors")
    return all(abs(float(np.linalg.norm(np.frombuffer(blob, np.float32))) - 1) < 0.001 for (blob,) in rows)
