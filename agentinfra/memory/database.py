"""SQLite files as the memory wants them: private to the user, for many processes, with sqlite-vec where it loads."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, cast

from agentinfra.core.errors import StoreError

BUSY_MILLISECONDS = 5_000


class Rows(Protocol):
    """What a statement gives."""

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        """The rows that are left."""
        ...

    def fetchone(self) -> tuple[Any, ...] | None:
        """The next row; None where there is none."""
        ...


class Connection(Protocol):
    """The part of apsw's connection that is used here; its own types are incomplete."""

    def execute(self, statements: str, bindings: Sequence[Any] = (), /) -> Rows:
        """Run SQL."""
        ...

    def changes(self) -> int:
        """How many rows the last statement changed."""
        ...

    def close(self) -> None:
        """Close it."""
        ...


def open_database(path: Path, read_only: bool = False) -> Connection:
    """Open a file, or make it: mode 0600 in a folder of mode 0700, write-ahead log, what is deleted overwritten.

    Raises:
        StoreError: It cannot be opened, or is no database.
    """
    import apsw  # noqa: PLC0415  (heavy, and needed by memories alone)

    flags = apsw.SQLITE_OPEN_READONLY if read_only else apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
    with reporting(path):
        if not read_only:
            _make_private(path)
        opened = apsw.Connection(str(path), flags=flags)
        opened.set_busy_timeout(BUSY_MILLISECONDS)
        connection = cast("Connection", opened)
        if not read_only:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("SELECT count(*) FROM sqlite_schema")
        _load_vectors(opened)
    return connection


@contextmanager
def reporting(path: Path) -> Generator[None]:
    """Turn the driver's errors into ours.

    Raises:
        StoreError: In the place of any of them.
    """
    import apsw  # noqa: PLC0415  (heavy, and needed by memories alone)

    try:
        yield
    except (apsw.Error, OSError) as error:
        raise StoreError(
            f"The memory in {path} cannot be used",
            why=str(error),
            next_step="See that the folder is writable and has room; a damaged file may be moved away",
        ) from error


@contextmanager
def transaction(connection: Connection) -> Generator[None]:
    """All of what is written within is kept, or none; other processes write before or after."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def leave_no_byte(connection: Connection) -> None:
    """Write the file and its log anew, so that nothing deleted is left in free pages."""
    connection.execute("VACUUM")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def has_vectors(connection: Connection) -> bool:
    """Whether sqlite-vec could be loaded."""
    found = connection.execute("SELECT 1 FROM pragma_function_list WHERE name = 'vec_distance_cosine'").fetchone()
    return found is not None


def _make_private(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def _load_vectors(connection: Any) -> None:
    import apsw  # noqa: PLC0415
    import sqlite_vec  # noqa: PLC0415  # pyright: ignore[reportMissingTypeStubs]  (it has none)

    try:
        connection.enable_load_extension(True)
        connection.load_extension(sqlite_vec.loadable_path())
        connection.enable_load_extension(False)
    except (apsw.Error, AttributeError):
        # Without it vectors are compared in Python; see has_vectors.
        return
