"""Files of the index as they are written: their stamps, their chunks with the words in them, and their names."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from agentinfra.memory.chunk import Chunk, ParsedFile
from agentinfra.memory.database import Connection
from agentinfra.memory.embedders.words import index_words
from agentinfra.memory.store_vectors import StoreVectors

_STAMPS = "SELECT path, mtime_ns, size, blob FROM files WHERE path = ?1 OR path > ?2 AND path < ?3"


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


class StoreFiles:
    """The files' part of :class:`agentinfra.memory.store.MemoryStore`; a transaction around it makes it fast.

    Args:
        connection: To the index.
        vectors: Told which chunks come and go.
    """

    def __init__(self, connection: Connection, vectors: StoreVectors) -> None:
        self._connection = connection
        self._vectors = vectors

    def stamps_at(self, paths: Collection[str]) -> dict[str, FileStamp]:
        """What is known of some files, and of all that are in folders of these names."""
        found: dict[str, FileStamp] = {}
        for name in map(os.fsencode, paths):
            bound = (name, name + b"/", name + b"0")  # what begins with its name and a slash: zero comes next to that
            rows = self._connection.execute(_STAMPS, bound)
            found |= {os.fsdecode(path): FileStamp(*stamp) for path, *stamp in rows}
        return found

    def put(self, path: str, stamp: FileStamp, parsed: ParsedFile) -> int:
        """Index a file in the place of what was known of it; how many of its chunks are new."""
        file, is_known = self._put_stamp(path, stamp, parsed.language, "")
        chunks = [(chunk.hash, chunk) for chunk in parsed.chunks]
        if is_known:
            chunks = self._kept(file, chunks)
            self._drop_names(file)
        self._add_chunks(file, path, chunks)
        self._add_names(file, parsed)
        return len(chunks)

    def touch(self, path: str, stamp: FileStamp) -> None:
        """Note that a file was written again with the content that it had."""
        bound = (stamp.mtime_ns, stamp.size, os.fsencode(path))
        self._connection.execute("UPDATE files SET mtime_ns = ?, size = ? WHERE path = ?", bound)

    def skip(self, path: str, stamp: FileStamp, reason: str) -> None:
        """Note why a file is left out; what was indexed of it goes."""
        file, is_known = self._put_stamp(path, stamp, "", reason)
        if is_known:
            self._clear(file)

    def remove(self, paths: Collection[str]) -> None:
        """Forget files that are gone."""
        for path in paths:
            file = self._number(path)
            if file is not None:
                self._clear(file)
                self._connection.execute("DELETE FROM files WHERE id = ?", (file,))

    def _number(self, path: str) -> int | None:
        found = self._connection.execute("SELECT id FROM files WHERE path = ?", (os.fsencode(path),)).fetchone()
        return None if found is None else int(found[0])

    def _put_stamp(self, path: str, stamp: FileStamp, language: str, reason: str) -> tuple[int, bool]:
        """The file's number, and whether it had one."""
        known = self._number(path)
        told = (stamp.mtime_ns, stamp.size, stamp.blob, language, reason)
        if known is not None:
            sql = "UPDATE files SET mtime_ns = ?, size = ?, blob = ?, language = ?, reason = ? WHERE id = ?"
            self._connection.execute(sql, (*told, known))
            return known, True
        # Without RETURNING: SQLite then makes a savepoint, at which FTS5 writes down the few words that it holds.
        sql = "INSERT INTO files (path, mtime_ns, size, blob, language, reason) VALUES (?, ?, ?, ?, ?, ?)"
        self._connection.execute(sql, (os.fsencode(path), *told))
        return self._asked("SELECT last_insert_rowid()"), False

    def _asked(self, sql: str) -> int:
        found = self._connection.execute(sql).fetchone()
        return int(found[0] or 0) if found else 0

    def _kept(self, file: int, chunks: Sequence[tuple[str, Chunk]]) -> list[tuple[str, Chunk]]:
        """The chunks that the file did not have; those that it had keep their numbers, the others go."""
        left: defaultdict[str, list[int]] = defaultdict(list)
        sql = "SELECT id, hash FROM chunks WHERE file = ? ORDER BY id DESC"
        for number, key in self._connection.execute(sql, (file,)):
            left[key].append(number)
        moved: list[tuple[int, int, str, int]] = []
        fresh: list[tuple[str, Chunk]] = []
        for key, chunk in chunks:
            if left[key]:
                moved.append((chunk.start, chunk.end, chunk.kind, left[key].pop()))
            else:
                fresh.append((key, chunk))
        self._connection.executemany("UPDATE chunks SET start = ?, end = ?, kind = ? WHERE id = ?", moved)
        self._remove_chunks([number for numbers in left.values() for number in numbers])
        return fresh

    def _add_chunks(self, file: int, path: str, chunks: Sequence[tuple[str, Chunk]]) -> None:
        if not chunks:
            return
        numbered = [*enumerate(chunks, self._asked("SELECT max(id) FROM chunks") + 1)]
        rows = [(id_, file, one.start, one.end, one.kind, one.symbol, key, one.text) for id_, (key, one) in numbered]
        self._connection.executemany("INSERT INTO chunks VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        place = index_words(path)
        words = [(id_, index_words(one.symbol), place, index_words(one.text)) for id_, (_, one) in numbered]
        self._connection.executemany("INSERT INTO words (rowid, name, path, body) VALUES (?, ?, ?, ?)", words)
        if self._connection.execute("SELECT 1 FROM models LIMIT 1").fetchone():
            for id_, (key, _) in numbered:
                self._vectors.note_chunk(id_, key)

    def _add_names(self, file: int, parsed: ParsedFile) -> None:
        defined = [
            (file, one.symbol, one.symbol.rpartition(".")[2], one.kind, one.line, one.signature)
            for one in parsed.definitions
        ]
        self._connection.executemany("INSERT INTO definitions VALUES (?, ?, ?, ?, ?, ?)", defined)
        used = [(file, use.name, use.kind, use.line) for use in parsed.references]
        self._connection.executemany("INSERT INTO uses VALUES (?, ?, ?, ?)", used)

    def _clear(self, file: int) -> None:
        numbers = self._connection.execute("SELECT id FROM chunks WHERE file = ?", (file,))
        self._remove_chunks([int(number) for (number,) in numbers])
        self._drop_names(file)

    def _drop_names(self, file: int) -> None:
        self._connection.execute("DELETE FROM definitions WHERE file = ?", (file,))
        self._connection.execute("DELETE FROM uses WHERE file = ?", (file,))

    def _remove_chunks(self, numbers: Collection[int]) -> None:
        each = [(number,) for number in numbers]
        self._connection.executemany("DELETE FROM words WHERE rowid = ?", each)
        self._connection.executemany("DELETE FROM chunks WHERE id = ?", each)
        self._vectors.drop_chunks(numbers)
