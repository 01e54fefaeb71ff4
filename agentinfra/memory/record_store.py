"""Memory records in a SQLite file, with a copy beside it that outlives the file's damage."""

from __future__ import annotations

import json
import warnings
from collections.abc import Collection, Generator
from contextlib import contextmanager, suppress
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, Self

from agentinfra.core.errors import DamagedStore, StoreError
from agentinfra.memory.damage import remove_aside
from agentinfra.memory.database import (
    Connection,
    begin_forgetting,
    check_pages,
    check_version,
    leave_no_byte,
    open_database,
    reporting,
    transaction,
)
from agentinfra.memory.record_copy import RecordCopy
from agentinfra.memory.records import MemoryRecord
from agentinfra.memory.store_schema import VERSION

_SCHEMA = """
CREATE TABLE IF NOT EXISTS memories (id TEXT PRIMARY KEY, record TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS memory_revision (number INTEGER NOT NULL);
"""
_FIELDS = frozenset(field.name for field in fields(MemoryRecord))


class SqliteRecordStore:
    """Implements :class:`agentinfra.memory.records.RecordStore`; used by one thread.

    After each change a copy of all records is written beside the file. A file that lacks changes which the copy has
    (it is new in the place of a damaged one, or its log was lost) gets them when it is opened.

    Args:
        path: The file.
        connection: To it, open.
    """

    def __init__(self, path: Path, connection: Connection) -> None:
        self.path = path
        self._connection = connection
        self._copy = RecordCopy(path)
        self._changed = self._copied = False

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open the file, or make it.

        Raises:
            StoreError: It cannot be opened, or is of a newer version.
            DamagedStore: It is damaged.
        """
        connection = open_database(path)
        store = cls(path, connection)
        try:
            with reporting(path):
                check_version(connection, path, VERSION)
                store._agree_with_copy()
        except BaseException:
            connection.close()
            raise
        return store

    def memories(self) -> list[MemoryRecord]:
        """All records, oldest first.

        Raises:
            DamagedStore: The file is damaged.
        """
        with reporting(self.path):
            return [_read(self.path, text) for text in self._texts()]

    def put_memory(self, record: MemoryRecord) -> None:
        """Keep a record, in the place of the one with the same id; within a transaction."""
        text = json.dumps(asdict(record), ensure_ascii=False)
        with reporting(self.path):
            self._connection.execute("INSERT OR REPLACE INTO memories VALUES (?, ?)", (record.id, text))
        self._changed = True

    def remove_memories(self, ids: Collection[str]) -> int:
        """Remove records so that no byte of them is left; how many there were.

        Raises:
            StoreError: Someone still reads what was there before; it is gone when the file is opened next.
        """
        chosen = json.dumps(list(ids))
        with self.transaction():
            self._connection.execute("DELETE FROM memories WHERE id IN (SELECT value FROM json_each(?))", (chosen,))
            gone = self._connection.changes()
            self._changed = self._changed or gone > 0
            if gone:
                begin_forgetting(self._connection)
        if gone:
            with reporting(self.path):
                remove_aside(self.path)
                leave_no_byte(self._connection)
        return gone

    def check(self) -> None:
        """Look at every page and every record.

        Raises:
            DamagedStore: Something is not as it was written.
        """
        check_pages(self._connection, self.path)
        self.memories()

    @contextmanager
    def transaction(self) -> Generator[None]:
        """What is read and written within is one."""
        self._changed = self._copied = False
        with reporting(self.path):
            try:
                with transaction(self._connection):
                    yield
                    if self._changed:
                        self._keep_copy()
            except BaseException:
                if self._copied:
                    self._take_copy_back()
                raise

    def close(self) -> None:
        """Close the file."""
        with reporting(self.path):
            self._connection.close()

    def _texts(self) -> list[str]:
        return [text for (text,) in self._connection.execute("SELECT record FROM memories ORDER BY id")]

    def _revision(self) -> int | None:
        """How many changes the file has seen; None where it has no tables yet."""
        if not self._connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'memory_revision'").fetchone():
            return None
        found = self._connection.execute("SELECT max(number) FROM memory_revision").fetchone()
        return int(found[0] or 0) if found else 0

    def _agree_with_copy(self) -> None:
        if self._revision() == self._copy.revision():
            return
        with transaction(self._connection):
            self._connection.execute(_SCHEMA)
            revision, kept = self._revision() or 0, self._copy.read()
            if kept is not None and kept.revision > revision:
                self._restore(kept.revision, kept.records)
                if kept.revision > revision + 1:  # one alone was being written when its process ended
                    self._tell_of_loss(len(kept.records))
            elif kept is None or kept.revision < revision:
                self._keep_copy()

    def _restore(self, revision: int, records: Collection[str]) -> None:
        begin_forgetting(self._connection)  # the change that the file lacks may be a removal
        self._connection.execute("DELETE FROM memories")
        for text in records:
            self._connection.execute("INSERT INTO memories VALUES (?, ?)", (_read(self._copy.path, text).id, text))
        self._set_revision(revision)

    def _tell_of_loss(self, restored: int) -> None:
        what = f"The memory in {self.path} had lost changes: {restored} memories are restored from their copy"
        warnings.warn(what, RuntimeWarning, stacklevel=2)

    def _keep_copy(self) -> None:
        revision = (self._revision() or 0) + 1
        self._set_revision(revision)
        self._copied = True
        self._copy.write(revision, self._texts())

    def _take_copy_back(self) -> None:
        """The change was not kept, so the copy must not have it either; if this fails, too, the copy holds."""
        with suppress(StoreError), reporting(self.path), transaction(self._connection):
            self._copy.write(self._revision() or 0, self._texts())

    def _set_revision(self, number: int) -> None:
        self._connection.execute("DELETE FROM memory_revision")
        self._connection.execute("INSERT INTO memory_revision VALUES (?)", (number,))


def _read(path: Path, text: Any) -> MemoryRecord:
    """What a later version added is left out."""
    try:
        return MemoryRecord(**{name: value for name, value in json.loads(text).items() if name in _FIELDS})
    except (ValueError, TypeError, AttributeError) as error:
        raise DamagedStore(f"The memory in {path} is damaged", why=f"A record is no record: {error}") from error
