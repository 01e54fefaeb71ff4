"""Replies kept on disk, each found again by the key of its request: one file, for many threads and processes at once.

The file holds replies and hashes, no requests. It is a cache and never in the way: what goes wrong with it is told, and
the model is asked as if it were not there.
"""

from __future__ import annotations

import json
import os
import sqlite3
import warnings
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from platformdirs import user_cache_path

from agentinfra.core.errors import EngineError
from agentinfra.core.messages import ChatReply
from agentinfra.models.reply_json import reply_in, reply_out

T = TypeVar("T")
MOST_BYTES = 256 << 20
FILE_NAME = "replies.db"
_BUSY_SECONDS = 5.0
_VERSION = 1
_BROKEN = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
# The triggers count, so that no call has to look through the whole table.
_SCHEMA = """
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS replies (
    key TEXT PRIMARY KEY, reply TEXT NOT NULL, size INTEGER NOT NULL, used INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS replies_by_use ON replies (used);
CREATE TABLE IF NOT EXISTS figures (
    id INTEGER PRIMARY KEY CHECK (id = 1), replies INTEGER, bytes INTEGER, hits INTEGER, misses INTEGER
);
INSERT OR IGNORE INTO figures VALUES (1, 0, 0, 0, 0);
CREATE TRIGGER IF NOT EXISTS reply_came AFTER INSERT ON replies BEGIN
    UPDATE figures SET replies = replies + 1, bytes = bytes + new.size;
END;
CREATE TRIGGER IF NOT EXISTS reply_went AFTER DELETE ON replies BEGIN
    UPDATE figures SET replies = replies - 1, bytes = bytes - old.size;
END;
PRAGMA user_version = 1;
COMMIT;
"""
_FIND = "UPDATE replies SET used = (SELECT max(used) + 1 FROM replies) WHERE key = ? RETURNING reply"
_KEEP = """
INSERT INTO replies VALUES (?, ?, ?, (SELECT coalesce(max(used), 0) + 1 FROM replies)) ON CONFLICT DO NOTHING
"""
_HIT, _MISS = "UPDATE figures SET hits = hits + 1", "UPDATE figures SET misses = misses + 1"
_DROP = "DELETE FROM replies WHERE key = ?"
_DROP_OLDEST = "DELETE FROM replies WHERE used = (SELECT min(used) FROM replies)"
_IS_TOO_BIG = "SELECT bytes > ? FROM figures"


@dataclass(frozen=True, slots=True)
class CacheFigures:
    """What a cache holds and how often it was of use since it was last emptied.

    Attributes:
        replies: How many it holds.
        bytes: Size of these replies.
        hits: How often it had the reply.
        misses: How often it had not.
    """

    replies: int = 0
    bytes: int = 0
    hits: int = 0
    misses: int = 0

    @property
    def hit_rate(self) -> float:
        """Hits by questions, from 0 to 1."""
        return self.hits / max(1, self.hits + self.misses)


class ReplyCache:
    """Implements the file; every method may be called from any thread.

    Nothing stays open between calls. Where there is no room, what was not used for the longest time goes.

    Args:
        folder: Where the file is, made with mode 0700; None is :func:`cache_folder`.
        most_bytes: Bound of all replies together, in bytes; the file is a little larger.
        tell: Told in words, each only once, what is wrong with the file; None warns.
    """

    def __init__(
        self, folder: Path | None = None, *, most_bytes: int = MOST_BYTES, tell: Callable[[str], None] | None = None
    ) -> None:
        self.path = (folder or cache_folder()) / FILE_NAME
        self._most_bytes = most_bytes
        self._tell = tell or _warn
        self._told: set[str] = set()

    def get(self, key: str) -> ChatReply | None:
        """The reply that was kept under the key, which now is the one used last; None where there is none."""

        def find(connection: sqlite3.Connection) -> str | None:
            found = connection.execute(_FIND, (key,)).fetchone()
            connection.execute(_HIT if found else _MISS)
            return found[0] if found else None

        text = self._attempt(find, None)
        try:
            return reply_in(json.loads(text)) if text is not None else None
        except (ValueError, TypeError, KeyError):  # of another version, or touched by somebody
            self._attempt(lambda connection: connection.execute(_DROP, (key,)), None)
            return None

    def put(self, key: str, reply: ChatReply) -> None:
        """Keep a reply; one that is there already stays, and one that is larger than the bound is not kept."""
        text = json.dumps(reply_out(reply), ensure_ascii=False, separators=(",", ":"))
        size = len(text.encode())
        if size > self._most_bytes:
            return

        def keep(connection: sqlite3.Connection) -> None:
            connection.execute(_KEEP, (key, text, size))
            while connection.execute(_IS_TOO_BIG, (self._most_bytes,)).fetchone()[0]:
                if not connection.execute(_DROP_OLDEST).rowcount:
                    break

        self._attempt(keep, None)

    def figures(self) -> CacheFigures:
        """How much it holds and how often it was of use."""
        if not self.path.exists():
            return CacheFigures()
        query = "SELECT replies, bytes, hits, misses FROM figures"
        return self._attempt(lambda connection: CacheFigures(*connection.execute(query).fetchone()), CacheFigures())

    def clear(self) -> int:
        """Forget everything, and what was set aside.

        Returns:
            How many replies there were.

        Raises:
            EngineError: The file cannot be written.
        """
        try:
            _aside(self.path).unlink(missing_ok=True)
            if not self.path.exists():
                return 0
            with _transaction(self.path) as connection:
                (count,) = connection.execute("SELECT replies FROM figures").fetchone()
                connection.execute("DELETE FROM replies")
                connection.execute("UPDATE figures SET hits = 0, misses = 0")
            with _connection(self.path) as connection:
                connection.execute("VACUUM")
        except (OSError, sqlite3.Error) as error:
            raise EngineError(
                f"The reply cache {self.path} cannot be emptied", why=str(error), next_step="Remove the file"
            ) from error
        return count

    def _attempt(self, work: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
        """Do the work in one transaction; where the file does not allow it, tell and give the other value."""
        try:
            self.path.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
            with _transaction(self.path) as connection:
                return work(connection)
        except sqlite3.DatabaseError as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in _BROKEN:
                self._set_aside(error)
            else:
                self._tell_once(f"The reply cache {self.path} cannot be used: {error}")
        except OSError as error:
            self._tell_once(f"The reply cache {self.path} cannot be used: {error.strerror}")
        return otherwise

    def _set_aside(self, error: sqlite3.Error) -> None:
        try:
            self.path.replace(_aside(self.path))
        except OSError as failed:  # another process was faster
            self._tell_once(f"The reply cache {self.path} is broken and cannot be moved: {failed.strerror}")
            return
        self._tell_once(f"The reply cache was broken ({error}) and begins anew; the old file is {_aside(self.path)}")

    def _tell_once(self, what: str) -> None:
        if what not in self._told:
            self._told.add(what)
            self._tell(what)


def cache_folder() -> Path:
    """Where replies are kept: a folder in the user's cache."""
    return user_cache_path("agentinfra") / "replies"


def _aside(path: Path) -> Path:
    return path.with_suffix(".broken")


@contextmanager
def _transaction(path: Path) -> Generator[sqlite3.Connection]:
    with _connection(path) as connection:
        if connection.execute("PRAGMA user_version").fetchone()[0] != _VERSION:
            connection.executescript(_SCHEMA)
        # Without its end, closing the connection takes it back.
        connection.execute("BEGIN IMMEDIATE")
        yield connection
        connection.execute("COMMIT")


@contextmanager
def _connection(path: Path) -> Generator[sqlite3.Connection]:
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
    try:
        # What power loss does to it is found out like any other damage; waiting for the disk would not pay.
        connection.execute("PRAGMA synchronous=OFF")
        yield connection
    finally:
        connection.close()


def _warn(what: str) -> None:
    warnings.warn(what, RuntimeWarning, stacklevel=2)
