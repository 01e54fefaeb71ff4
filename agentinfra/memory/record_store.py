"""Memory records in a SQLite file."""

from __future__ import annotations

import json
from collections.abc import Collection, Generator
from contextlib import contextmanager
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, Self

from agentinfra.memory.database import Connection, leave_no_byte, open_database, reporting, transaction
from agentinfra.memory.records import MemoryRecord

SCHEMA = "CREATE TABLE IF NOT EXISTS memories (id TEXT PRIMARY KEY, record TEXT NOT NULL) WITHOUT ROWID"
_FIELDS = frozenset(field.name for field in fields(MemoryRecord))


class SqliteRecordStore:
    """Implements :class:`agentinfra.memory.records.RecordStore`; used by one thread.

    Args:
        path: The file.
        connection: To it, open.
    """

    def __init__(self, path: Path, connection: Connection) -> None:
        self.path = path
        self._connection = connection

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open the file, or make it.

        Raises:
            StoreError: It cannot be opened, or is no database.
        """
        connection = open_database(path)
        with reporting(path):
            connection.execute(SCHEMA)
        return cls(path, connection)

    def memories(self) -> list[MemoryRecord]:
        """All records, oldest first."""
        with reporting(self.path):
            return [_read(row) for (row,) in self._connection.execute("SELECT record FROM memories ORDER BY id")]

    def put_memory(self, record: MemoryRecord) -> None:
        """Keep a record, in the place of the one with the same id."""
        text = json.dumps(asdict(record), ensure_ascii=False)
        with reporting(self.path):
            self._connection.execute("INSERT OR REPLACE INTO memories VALUES (?, ?)", (record.id, text))

    def remove_memories(self, ids: Collection[str]) -> int:
        """Remove records so that no byte of them is left; how many there were."""
        with reporting(self.path):
            self._connection.execute(
                "DELETE FROM memories WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(list(ids)),)
            )
            gone = self._connection.changes()
            if gone:
                leave_no_byte(self._connection)
        return gone

    @contextmanager
    def transaction(self) -> Generator[None]:
        """What is read and written within is one."""
        with reporting(self.path), transaction(self._connection):
            yield

    def close(self) -> None:
        """Close the file."""
        with reporting(self.path):
            self._connection.close()


def _read(row: Any) -> MemoryRecord:
    """What a later version added is left out."""
    return MemoryRecord(**{name: value for name, value in json.loads(row).items() if name in _FIELDS})
