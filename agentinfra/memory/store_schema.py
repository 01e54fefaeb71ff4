"""The tables of an index file, and the way from an older version to this one."""

from __future__ import annotations

import re
from pathlib import Path

from agentinfra.memory.database import Connection, check_version, transaction

_USING = re.compile(r"\A\s*CREATE VIRTUAL TABLE .*? USING (\w+)", re.IGNORECASE | re.DOTALL)
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
    model INTEGER NOT NULL, hash TEXT NOT NULL, vector BLOB NOT NULL, UNIQUE (model, hash)
);
CREATE VIRTUAL TABLE words USING fts5(
    name, path, body, content='', contentless_delete=1, tokenize='porter unicode61'
);
INSERT INTO words (words, rank) VALUES ('secure-delete', 1);
"""


_VERSIONS = (_TABLES,)
"""What leads from each version to the next; a version that was released is never changed."""
VERSION = len(_VERSIONS)
_SORTED = {
    "chunks_of_hash": "chunks (hash)",
    "definitions_of_symbol": "definitions (symbol)",
    "definitions_of_last": "definitions (last)",
    "uses_of_name": "uses (name)",
}
"""Indexes whose entries come in no order: sorted all at once they take a quarter of the time of one after the other."""
_OTHERS = ("memories", "memory_revision", "unfinished_forgetting")
"""Tables in the same file that are not the index's."""


def prepare(connection: Connection, path: Path) -> None:
    """Make the tables of a new file, and bring those of an older one up to date.

    Raises:
        StoreError: The file is of a newer version.
    """
    if check_version(connection, path, VERSION) == VERSION:
        return
    with transaction(connection):
        for script in _VERSIONS[check_version(connection, path, VERSION) :]:
            connection.execute(script)
        connection.execute(f"PRAGMA user_version = {VERSION}")


def begin_filling(connection: Connection) -> None:
    """Leave the indexes that are dear to keep out of an empty file until it is full.

    What is asked without them has the same answers, and takes longer.
    """
    with transaction(connection):
        if connection.execute("SELECT 1 FROM files LIMIT 1").fetchone() is None:
            for name in _SORTED:
                connection.execute(f"DROP INDEX IF EXISTS {name}")


def end_filling(connection: Connection) -> None:
    """Make the indexes that are missing, also where whoever began to fill the file did not come to its end."""
    there = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'index'")}
    if not there.issuperset(_SORTED):
        with transaction(connection):
            for name, columns in _SORTED.items():
                connection.execute(f"CREATE INDEX IF NOT EXISTS {name} ON {columns}")


def make_anew(connection: Connection) -> None:
    """Drop the index with all that is in it, and make it anew; within a transaction."""
    modules = {name for (name,) in connection.execute("SELECT name FROM pragma_module_list")}
    tables = "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'"
    found = [(name, _USING.search(sql or "")) for name, sql in connection.execute(tables) if name not in _OTHERS]
    for name, using in sorted(found, key=lambda table: table[1] is None):  # a virtual table takes its own along
        if using is None or using[1].lower() in modules:
            connection.execute(f'DROP TABLE IF EXISTS "{name}"')
        else:
            _drop_without_module(connection, name)
    for script in _VERSIONS:
        connection.execute(script)


def _drop_without_module(connection: Connection, name: str) -> None:
    """Take a virtual table out of the schema whose extension cannot be loaded; its own tables are dropped as any."""
    connection.execute("PRAGMA writable_schema = ON")
    connection.execute("DELETE FROM sqlite_schema WHERE name = ?", (name,))
    connection.execute("PRAGMA writable_schema = RESET")
