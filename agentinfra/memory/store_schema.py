"""The tables of an index file, and the way from an older version to this one."""

from __future__ import annotations

from agentinfra.core.errors import StoreError
from agentinfra.memory.database import Connection, transaction

VERSION = 1
_TABLES = """
CREATE TABLE files (
    id INTEGER PRIMARY KEY, path BLOB NOT NULL UNIQUE, mtime_ns INTEGER NOT NULL, size INTEGER NOT NULL,
    blob TEXT NOT NULL, language TEXT NOT NULL, reason TEXT NOT NULL
);
CREATE TABLE chunks (
    id INTEGER PRIMARY KEY, file INTEGER NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL, kind TEXT NOT NULL,
    symbol TEXT NOT NULL, hash TEXT NOT NULL, text TEXT NOT NULL
);
CREATE INDEX chunks_of_file ON chunks (file);
CREATE INDEX chunks_of_hash ON chunks (hash);
CREATE TABLE definitions (
    file INTEGER NOT NULL, symbol TEXT NOT NULL, last TEXT NOT NULL, kind TEXT NOT NULL, line INTEGER NOT NULL,
    signature TEXT NOT NULL
);
CREATE INDEX definitions_of_symbol ON definitions (symbol);
CREATE INDEX definitions_of_last ON definitions (last);
CREATE INDEX definitions_of_file ON definitions (file);
CREATE TABLE uses (file INTEGER NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL, line INTEGER NOT NULL);
CREATE INDEX uses_of_name ON uses (name);
CREATE INDEX uses_of_file ON uses (file);
CREATE TABLE models (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, dimensions INTEGER NOT NULL);
CREATE TABLE vectors (
    model INTEGER NOT NULL, hash TEXT NOT NULL, vector BLOB NOT NULL, PRIMARY KEY (model, hash)
) WITHOUT ROWID;
CREATE VIRTUAL TABLE words USING fts5(
    name, path, body, content='', contentless_delete=1, tokenize='porter unicode61'
);
INSERT INTO words (words, rank) VALUES ('secure-delete', 1);
"""


def prepare(connection: Connection) -> None:
    """Make the tables of a new file.

    Raises:
        StoreError: The file is of a newer version.
    """
    with transaction(connection):
        found = connection.execute("PRAGMA user_version").fetchone()
        version = int(found[0]) if found else 0
        if version > VERSION:
            raise StoreError(
                f"The index is of version {version}, this program knows {VERSION}",
                next_step="Use the newer program, or remove the index: it can be made again",
            )
        if version < VERSION:
            connection.execute(_TABLES)
            connection.execute(f"PRAGMA user_version = {VERSION}")
