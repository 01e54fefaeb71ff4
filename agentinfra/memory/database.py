"""SQLite files as the memory wants them: private to the user, for many processes, with sqlite-vec where it loads."""

from __future__ import annotations

import errno
import os
import warnings
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, Protocol, cast

from agentinfra.core.errors import DamagedStore, StoreError

BUSY_MILLISECONDS = 30_000
"""How long a writer waits for another one; a batch of large files takes seconds on a slow machine."""
_UNFINISHED = "unfinished_forgetting"


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

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        ...

    def execute(self, statements: str, bindings: Sequence[Any] = (), /) -> Rows:
        """Run SQL."""
        ...

    def executemany(self, statements: str, sequence: Iterable[Sequence[Any]], /) -> Rows:
        """Run SQL once for each of the bindings."""
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
        StoreError: It cannot be opened.
        DamagedStore: It is no database, or a damaged one.
    """
    import apsw  # noqa: PLC0415  (heavy, and needed by memories alone)

    flags = apsw.SQLITE_OPEN_READONLY if read_only else apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
    with reporting(path):
        if not read_only:
            _make_private(path)
        opened = apsw.Connection(str(path), flags=flags)
        try:
            opened.set_busy_timeout(BUSY_MILLISECONDS)
            _set_up(cast("Connection", opened), read_only)
            _load_vectors(opened)
        except BaseException:
            opened.close()
            raise
    return cast("Connection", opened)


@contextmanager
def reporting(path: Path, connection: Connection | None = None) -> Generator[None]:
    """Turn the driver's errors into ours.

    Args:
        path: The file.
        connection: To it; asked whether the file is damaged where an error does not say so.

    Raises:
        StoreError: In the place of any of them.
        DamagedStore: In the place of those that say that the file is damaged.
    """
    import apsw  # noqa: PLC0415  (heavy, and needed by memories alone)

    try:
        yield
    except (apsw.CorruptError, apsw.NotADBError, UnicodeDecodeError) as error:
        raise _damaged(path, str(error)) from error
    except (TypeError, ValueError) as error:  # from values that no row was written with, or a mistake of ours
        if connection is not None:
            _check_after(error, connection, path)
        raise
    except (apsw.Error, OSError) as error:
        if connection is not None and isinstance(error, apsw.SQLError):
            _check_after(error, connection, path)
        raise StoreError(f"The memory in {path} cannot be used", why=str(error), next_step=_next_step(error)) from error


@contextmanager
def transaction(connection: Connection) -> Generator[None]:
    """All of what is written within is kept, or none; other processes write before or after."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # some errors, such as a full disk, have ended it already
            connection.execute("ROLLBACK")
        raise


def begin_forgetting(connection: Connection) -> None:
    """Say in the transaction that deletes something that its bytes are still to be overwritten.

    Whatever comes between, leave_no_byte or the next opening of the file ends it.
    """
    connection.execute(f"CREATE TABLE IF NOT EXISTS {_UNFINISHED} (empty)")


def leave_no_byte(connection: Connection) -> None:
    """Write the file and its log anew, so that nothing deleted is left in free pages.

    Raises:
        StoreError: Someone still reads what was there before.
    """
    connection.execute("VACUUM")
    _empty_log(connection)
    connection.execute(f"DROP TABLE IF EXISTS {_UNFINISHED}")
    _empty_log(connection)


def has_vectors(connection: Connection) -> bool:
    """Whether sqlite-vec could be loaded."""
    found = connection.execute("SELECT 1 FROM pragma_function_list WHERE name = 'vec_distance_cosine'").fetchone()
    return found is not None


def content_version(connection: Connection) -> object:
    """Is another one after each change of the file, by others and by this connection."""
    return connection.execute("SELECT data_version, total_changes() FROM pragma_data_version").fetchone()


def check_version(connection: Connection, path: Path, known: int) -> int:
    """The version of a file's tables.

    Raises:
        StoreError: They are of a newer version than this program knows.
    """
    found = connection.execute("PRAGMA user_version").fetchone()
    version = int(found[0]) if found else 0
    if version > known:
        raise StoreError(
            f"The memory in {path} is of version {version}, this program knows {known}",
            why="A newer program wrote it",
            next_step="Use that program; nothing was changed in the file",
        )
    return version


def check_pages(connection: Connection, path: Path) -> None:
    """Look at every page of a file.

    Raises:
        DamagedStore: One is not as it should be.
    """
    with reporting(path):
        found = [str(told) for (told,) in connection.execute("PRAGMA integrity_check(1)")]
    if found != ["ok"]:
        raise _damaged(path, found[0])


def _check_after(error: Exception, connection: Connection, path: Path) -> None:
    try:
        check_pages(connection, path)
    except DamagedStore as damage:
        raise damage from error


def _damaged(path: Path, why: str) -> DamagedStore:
    step = "Do it again: the file is moved aside and made anew; the damaged one stays beside it"
    return DamagedStore(f"The memory in {path} is damaged", why=why, next_step=step)


def _empty_log(connection: Connection) -> None:
    found = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if found and found[0]:
        raise StoreError(
            "What was to be forgotten is deleted, but its bytes are still in the file's log",
            why="Another program has been reading the file all the while",
            next_step="End that program; the bytes are overwritten when the memory is opened next",
        )


def _set_up(connection: Connection, read_only: bool) -> None:
    connection.execute("PRAGMA secure_delete = ON")
    if not read_only:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
    found = connection.execute("SELECT count(*) FROM sqlite_schema WHERE name = ?", (_UNFINISHED,)).fetchone()
    if found and found[0] and not read_only:
        with suppress(StoreError):  # who still reads keeps the bytes; the next opening tries again
            leave_no_byte(connection)


def _next_step(error: Exception) -> str:
    import apsw  # noqa: PLC0415

    no_room = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    if no_room or isinstance(error, (apsw.FullError, apsw.IOError)):
        return "Make room on the disk and do it again; all that was kept before is still there"
    if isinstance(error, (apsw.BusyError, apsw.LockedError)):
        return "Wait until the other program that writes to it is done, and do it again"
    return "See that its folder is yours and writable, and has room"


def _make_private(path: Path) -> None:
    _make_folder(path.parent)
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        # Not opened here: closing it again would drop the locks that this process holds on it elsewhere.
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)


def _make_folder(folder: Path) -> None:
    if not folder.is_dir():
        _make_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def _load_vectors(connection: Any) -> None:
    import apsw  # noqa: PLC0415

    try:
        import sqlite_vec  # noqa: PLC0415  # pyright: ignore[reportMissingTypeStubs]  (it has none)

        connection.enable_load_extension(True)
        connection.load_extension(sqlite_vec.loadable_path())
        connection.enable_load_extension(False)
    except (apsw.Error, AttributeError, ImportError) as error:
        _warn_of_vectors(str(error))


@cache
def _warn_of_vectors(why: str) -> None:
    warnings.warn(
        f"sqlite-vec cannot be loaded ({why}): search by meaning gives the same answers, but takes longer",
        RuntimeWarning,
        stacklevel=2,
    )
