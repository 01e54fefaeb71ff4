"""The index of a workspace in one SQLite file: files, their chunks, names, words and vectors."""

from __future__ import annotations

import json
import os
from collections import defaultdict
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
from agentinfra.memory.embedders.words import index_words
from agentinfra.memory.search_store import Floats
from agentinfra.memory.store_check import check_index
from agentinfra.memory.store_schema import VERSION, make_anew, prepare
from agentinfra.memory.store_vectors import StoreVectors
from agentinfra.memory.store_words import Filter, search_words

T = TypeVar("T")
_CHUNK = "SELECT c.id, f.path, c.start, c.end, c.kind, c.symbol, c.text FROM chunks c JOIN files f ON f.id = c.file"

_AMONG = "WHERE c.id IN (SELECT value FROM json_each(?))"
_DEFINITIONS = "SELECT f.path, d.symbol, d.kind, d.line, d.signature FROM definitions d JOIN files f ON f.id = d.file"
_USES = "SELECT f.path, u.name, u.kind, u.line FROM uses u JOIN files f ON f.id = u.file"


@dataclass(frozen=True, slots=True)
class FileStamp:
    """By what a changed file is known.

    Attributes:
        mtime_ns: When it was last written.
        size: Its bytes.
        blob: Hash of its content; "" where it was not read.
    """

    mtime_ns: int
    size: int
    blob: str = ""


@dataclass(frozen=True, slots=True)
class IndexedChunk:
    """A chunk with its number and its file."""

    id: int
    path: str
    chunk: Chunk


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

    def skipped(self) -> dict[str, str]:
        """The files that were looked at and left out, with the reason."""
        rows = "SELECT path, reason FROM files WHERE reason <> '' ORDER BY path"
        return dict(self._made(lambda row: (os.fsdecode(row[0]), str(row[1])), rows))

    def put_file(self, path: str, stamp: FileStamp, parsed: ParsedFile) -> int:
        """Index a file in the place of what was known of it; a chunk that it had already keeps its number.

        Returns:
            How many of its chunks are new.
        """
        file = self._put_stamp(path, stamp, parsed.language, "")
        left: defaultdict[str, list[int]] = defaultdict(list)
        for number, key in self._rows("SELECT id, hash FROM chunks WHERE file = ? ORDER BY id DESC", (file,)):
            left[key].append(number)
        fresh: list[Chunk] = []
        for chunk in parsed.chunks:
            if left[chunk.hash]:
                moved = (chunk.start, chunk.end, chunk.kind, left[chunk.hash].pop())
                self._rows("UPDATE chunks SET start = ?, end = ?, kind = ? WHERE id = ?", moved)
            else:
                fresh.append(chunk)
        self._remove_chunks([number for numbers in left.values() for number in numbers])
        for chunk in fresh:
            self._add_chunk(file, path, chunk)
        self._put_names(file, parsed)
        return len(fresh)

    def touch_file(self, path: str, stamp: FileStamp) -> None:
        """Note that a file was written again with the content that it had."""
        bound = (stamp.mtime_ns, stamp.size, os.fsencode(path))
        self._rows("UPDATE files SET mtime_ns = ?, size = ? WHERE path = ?", bound)

    def put_skipped(self, path: str, stamp: FileStamp, reason: str) -> None:
        """Note why a file is left out; what was indexed of it goes."""
        self._clear(self._put_stamp(path, stamp, "", reason))

    def remove_files(self, paths: Collection[str]) -> None:
        """Forget files that are gone."""
        for path in paths:
            for (file,) in self._rows("SELECT id FROM files WHERE path = ?", (os.fsencode(path),)):
                self._clear(file)
                self._rows("DELETE FROM files WHERE id = ?", (file,))

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
            return search_words(self._connection, query, k, Filter(paths, kinds))

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

    def _put_stamp(self, path: str, stamp: FileStamp, language: str, reason: str) -> int:
        bound = (os.fsencode(path), stamp.mtime_ns, stamp.size, stamp.blob, language, reason)
        sql = (
            "INSERT INTO files (path, mtime_ns, size, blob, language, reason) VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
            " ON CONFLICT (path) DO UPDATE SET mtime_ns = ?2, size = ?3, blob = ?4, language = ?5, reason = ?6"
            " RETURNING id"
        )
        return int(self._rows(sql, bound)[0][0])

    def _add_chunk(self, file: int, path: str, chunk: Chunk) -> None:
        bound = (file, chunk.start, chunk.end, chunk.kind, chunk.symbol, chunk.hash, chunk.text)
        sql = (
            "INSERT INTO chunks (file, start, end, kind, symbol, hash, text) VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id"
        )
        number = int(self._rows(sql, bound)[0][0])
        words = (number, index_words(chunk.symbol), index_words(path), index_words(chunk.text))
        self._rows("INSERT INTO words (rowid, name, path, body) VALUES (?, ?, ?, ?)", words)
        self._vectors.note_chunk(number, chunk.hash)

    def _put_names(self, file: int, parsed: ParsedFile) -> None:
        self._drop_names(file)
        for one in parsed.definitions:
            bound = (file, one.symbol, one.symbol.rpartition(".")[2], one.kind, one.line, one.signature)
            self._rows("INSERT INTO definitions VALUES (?, ?, ?, ?, ?, ?)", bound)
        for use in parsed.references:
            self._rows("INSERT INTO uses VALUES (?, ?, ?, ?)", (file, use.name, use.kind, use.line))

    def _clear(self, file: int) -> None:
        self._remove_chunks([number for (number,) in self._rows("SELECT id FROM chunks WHERE file = ?", (file,))])
        self._drop_names(file)

    def _drop_names(self, file: int) -> None:
        self._rows("DELETE FROM definitions WHERE file = ?", (file,))
        self._rows("DELETE FROM uses WHERE file = ?", (file,))

    def _remove_chunks(self, numbers: Collection[int]) -> None:
        for number in numbers:
            self._rows("DELETE FROM words WHERE rowid = ?", (number,))
            self._rows("DELETE FROM chunks WHERE id = ?", (number,))
        self._vectors.drop_chunks(numbers)


def _chunk(row: Sequence[Any]) -> IndexedChunk:
    return IndexedChunk(row[0], os.fsdecode(row[1]), Chunk(*row[2:]))


def _encoded(path: str | None) -> bytes | None:
    return None if path is None else os.fsencode(path)


def _where(conditions: Mapping[str, Any]) -> tuple[str, list[Any]]:
    """SQL of the conditions whose value is wanted, and the values."""
    wanted = {sql: value for sql, value in conditions.items() if value is not None}
    told = [sql.format(n=number) for number, sql in enumerate(wanted, 1)]
    return (f"WHERE {' AND '.join(told)}" if told else ""), [*wanted.values()]
