"""The index of a workspace in one SQLite file: files, their chunks, names, words and vectors."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

from agentinfra.memory.chunk import Chunk, Definition, ParsedFile, Reference
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
from agentinfra.memory.search_store import Floats
from agentinfra.memory.store_check import check_index
from agentinfra.memory.store_files import FileStamp, StoreFiles
from agentinfra.memory.store_schema import VERSION, begin_filling, end_filling, make_anew, prepare
from agentinfra.memory.store_vectors import StoreVectors
from agentinfra.memory.store_words import Filter, StoreWords, merge_words

T = TypeVar("T")
_CHUNK = """
SELECT c.id, f.path, c.start, c.end, c.kind, c.symbol, c.text, c.hash FROM chunks c JOIN files f ON f.id = c.file
"""

_AMONG = "WHERE c.id IN (SELECT value FROM json_each(?))"
_DEFINITIONS = "SELECT f.path, d.symbol, d.kind, d.line, d.signature FROM definitions d JOIN files f ON f.id = d.file"
_USES = "SELECT f.path, u.name, u.kind, u.line FROM uses u JOIN files f ON f.id = u.file"


@dataclass(frozen=True, slots=True)
class IndexedChunk:
    """A chunk with its number, its file, and its hash, which would take time to make."""

    id: int
    path: str
    chunk: Chunk
    hash: str


class MemoryStore:
    """Implements :class:`agentinfra.memory.search_store.SearchStore`; belongs to one thread at a time.

    Args:
        path: The file.
        connection: To it, open and prepared.
    """

    def __init__(self, path: Path, connection: Connection) -> None:
        self.path = path
        self._connection = connection
        self._vectors = StoreVectors(connection)
        self._words = StoreWords(connection)
        self._files = StoreFiles(connection, self._vectors)

    @classmethod
    def open(cls, path: Path, *, read_only: bool = False) -> Self:
        """Open the file, or make it.

        Raises:
            StoreError: It cannot be opened, or is of a newer version.
            DamagedStore: It is no database, or a damaged one.
        """
        connection = open_database(path, read_only)
        try:
            with reporting(path):
                if read_only:
                    check_version(connection, path, VERSION)
                    return cls(path, connection)
                prepare(connection, path)
                store = cls(path, connection)
                store._catch_up()
                return store
        except BaseException:
            connection.close()
            raise

    def close(self) -> None:
        """Close the file."""
        with reporting(self.path, self._connection):
            self._connection.close()

    @contextmanager
    def transaction(self) -> Generator[None]:
        """What is written within is kept whole or not at all."""
        with reporting(self.path, self._connection), transaction(self._connection):
            yield

    def stamps(self, among: Collection[str] | None = None) -> dict[str, FileStamp]:
        """What is known of each file, or of some of them; those that are left out included."""
        sql = "SELECT path, mtime_ns, size, blob FROM files"
        if among is None:
            rows = self._rows(sql)
        else:
            rows = [row for path in among for row in self._rows(f"{sql} WHERE path = ?", (os.fsencode(path),))]
        return {os.fsdecode(path): FileStamp(*stamp) for path, *stamp in rows}

    def stamps_at(self, paths: Collection[str]) -> dict[str, FileStamp]:
        """What is known of some files, and of all that are in folders of these names."""
        with reporting(self.path, self._connection):
            return self._files.stamps_at(paths)

    def count_files(self) -> int:
        """How many files are in the index, without those that are left out."""
        return int(self._rows("SELECT count(*) FROM files WHERE reason = ''")[0][0])

    def skipped(self) -> dict[str, str]:
        """The files that were looked at and left out, with the reason."""
        rows = "SELECT path, reason FROM files WHERE reason <> '' ORDER BY path"
        return dict(self._made(lambda row: (os.fsdecode(row[0]), str(row[1])), rows))

    def put_file(self, path: str, stamp: FileStamp, parsed: ParsedFile) -> int:
        """Index a file in the place of what was known of it; a chunk that it had already keeps its number.

        Returns:
            How many of its chunks are new.
        """
        with reporting(self.path, self._connection):
            return self._files.put(path, stamp, parsed)

    def touch_file(self, path: str, stamp: FileStamp) -> None:
        """Note that a file was written again with the content that it had."""
        with reporting(self.path, self._connection):
            self._files.touch(path, stamp)

    def put_skipped(self, path: str, stamp: FileStamp, reason: str) -> None:
        """Note why a file is left out; what was indexed of it goes."""
        with reporting(self.path, self._connection):
            self._files.skip(path, stamp, reason)

    def remove_files(self, paths: Collection[str]) -> None:
        """Forget files that are gone."""
        with reporting(self.path, self._connection):
            self._files.remove(paths)

    def begin_filling(self) -> None:
        """Get an empty index ready for many files; one that is not filled to the end is right, but slow."""
        with reporting(self.path, self._connection):
            begin_filling(self._connection)

    def end_filling(self) -> None:
        """Make what is made faster of a whole: what begin_filling left out, by whomever."""
        with reporting(self.path, self._connection):
            end_filling(self._connection)

    def drop_unused_vectors(self) -> int:
        """Drop the oldest vectors of texts that are gone, where they are many; how many went."""
        with self.transaction():
            return self._vectors.drop_unused()

    def merge_words(self) -> None:
        """Make search by words faster after much was written; see :func:`agentinfra.memory.store_words.merge_words`."""
        with reporting(self.path, self._connection):
            merge_words(self._connection)

    def forget(self) -> None:
        """Forget everything, so that no byte of it is left in the file, nor in a damaged one that was moved aside.

        Raises:
            StoreError: Someone still reads what was there before; it is gone when the file is opened next.
        """
        with self.transaction():
            make_anew(self._connection)
            begin_forgetting(self._connection)
        with reporting(self.path, self._connection):
            remove_aside(self.path)
            leave_no_byte(self._connection)

    def check(self) -> None:
        """Look at every page, chunk and vector; takes about a second for 100 MB.

        Raises:
            DamagedStore: Something is not as it was written.
        """
        with reporting(self.path, self._connection):
            check_pages(self._connection, self.path)
            check_index(self._connection, self.path)

    def missing_vectors(self, model: str) -> list[str]:
        """Hashes of chunks that have no vector of the model, the newest first."""
        with reporting(self.path, self._connection):
            return self._vectors.missing(model)

    def texts(self, hashes: Collection[str]) -> dict[str, str]:
        """Texts of chunks by their hashes; those that no chunk has any more are left out."""
        sql = "SELECT hash, text FROM chunks WHERE hash IN (SELECT value FROM json_each(?))"
        return dict(self._made(lambda row: (str(row[0]), str(row[1])), sql, (json.dumps([*hashes]),)))

    def put_vectors(self, model: str, hashes: Sequence[str], vectors: Floats) -> None:
        """Keep vectors by the hashes of their chunks."""
        with reporting(self.path, self._connection):
            self._vectors.put(model, hashes, vectors)

    def hashes(self) -> list[str]:
        """The keys of all vectors that may be kept here or elsewhere."""
        return [key for (key,) in self._rows("SELECT hash FROM chunks UNION SELECT hash FROM vectors")]

    def vectors(self, model: str, hashes: Collection[str]) -> dict[str, Floats]:
        """The vectors that are kept, by the hash of their chunk."""
        with reporting(self.path, self._connection):
            return self._vectors.of(model, hashes)

    def search_text(
        self, query: str, k: int, *, paths: str | None = None, kinds: Collection[str] | None = None
    ) -> list[tuple[int, float]]:
        """Ids of chunks with words of the query and their BM25 scores, the best first."""
        with reporting(self.path, self._connection):
            return self._words.search(query, k, Filter(paths, kinds))

    def search_vector(
        self, model: str, vector: Floats, k: int, *, paths: str | None = None, kinds: Collection[str] | None = None
    ) -> list[tuple[int, float]]:
        """Ids of the chunks that lie nearest to a vector and their cosines, the best first."""
        with reporting(self.path, self._connection):
            return self._vectors.search(model, vector, k, Filter(paths, kinds))

    def chunks(self, ids: Collection[int]) -> dict[int, IndexedChunk]:
        """Chunks by their numbers."""
        return {one.id: one for one in self._made(_chunk, " ".join([_CHUNK, _AMONG]), (json.dumps([*ids]),))}

    def chunk_at(self, path: str, line: int) -> IndexedChunk | None:
        """The smallest chunk that a line is in."""
        bound = (os.fsencode(path), line)
        where = "WHERE f.path = ?1 AND ?2 BETWEEN c.start AND c.end ORDER BY c.end - c.start LIMIT 1"
        return next(iter(self._made(_chunk, f"{_CHUNK} {where}", bound)), None)

    def file_chunks(self, path: str) -> list[IndexedChunk]:
        """A file's chunks in its order."""
        return self._made(_chunk, f"{_CHUNK} WHERE f.path = ? ORDER BY c.start, c.end", (os.fsencode(path),))

    def definitions(self, name: str | None = None, path: str | None = None) -> list[tuple[str, Definition]]:
        """Definitions of a name, which is a whole symbol or its last part; of a file; or all."""
        where, bound = _where({"(d.symbol = ?{n} OR d.last = ?{n})": name, "f.path = ?{n}": _encoded(path)})
        sql = " ".join([_DEFINITIONS, where, "ORDER BY f.path, d.line"])
        return self._made(lambda row: (os.fsdecode(row[0]), Definition(*row[1:])), sql, bound)

    def definitions_like(self, pattern: str, most: int) -> list[tuple[str, Definition]]:
        """Definitions whose symbol fits a pattern of SQL's LIKE with ``!`` as escape, those with short names first."""
        sql = f"{_DEFINITIONS} WHERE d.symbol LIKE ? ESCAPE '!' ORDER BY length(d.last), d.symbol LIMIT ?"
        return self._made(lambda row: (os.fsdecode(row[0]), Definition(*row[1:])), sql, (pattern, most))

    def references(self, name: str | None = None, path: str | None = None) -> list[tuple[str, Reference]]:
        """Uses of a name, in a file, or all."""
        where, bound = _where({"u.name = ?{n}": name, "f.path = ?{n}": _encoded(path)})
        sql = " ".join([_USES, where, "ORDER BY f.path, u.line"])
        return self._made(lambda row: (os.fsdecode(row[0]), Reference(*row[1:])), sql, bound)

    def _rows(self, sql: str, bound: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with reporting(self.path, self._connection):
            return list(self._connection.execute(sql, bound))

    def _catch_up(self) -> None:
        if self._vectors.is_behind:
            with transaction(self._connection):
                self._vectors.catch_up()

    def _made(self, make: Callable[[tuple[Any, ...]], T], sql: str, bound: Sequence[Any] = ()) -> list[T]:
        """What is made of each row."""
        with reporting(self.path, self._connection):
            return [make(row) for row in self._connection.execute(sql, bound)]


def _chunk(row: Sequence[Any]) -> IndexedChunk:
    return IndexedChunk(row[0], os.fsdecode(row[1]), Chunk(*row[2:7]), row[7])


def _encoded(path: str | None) -> bytes | None:
    return None if path is None else os.fsencode(path)


def _where(conditions: Mapping[str, Any]) -> tuple[str, list[Any]]:
    """SQL of the conditions whose value is wanted, and the values."""
    wanted = {sql: value for sql, value in conditions.items() if value is not None}
    told = [sql.format(n=number) for number, sql in enumerate(wanted, 1)]
    return (f"WHERE {' AND '.join(told)}" if told else ""), [*wanted.values()]
