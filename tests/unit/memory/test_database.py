import subprocess
import sys
import threading
from pathlib import Path

import pytest

from agentinfra.core.errors import StoreError
from agentinfra.memory.database import has_vectors, open_database, reporting, transaction


def test_a_file_is_private_and_has_vectors(tmp_path: Path) -> None:
    path = tmp_path / "private" / "memory.db"
    connection = open_database(path)
    assert has_vectors(connection)
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    connection.close()


def test_a_transaction_keeps_others_waiting_until_it_is_over(tmp_path: Path) -> None:
    first, second = open_database(tmp_path / "memory.db"), open_database(tmp_path / "memory.db")
    first.execute("CREATE TABLE t (n)")
    seen: list[int] = []

    def other() -> None:
        with transaction(second):
            seen.append(next(iter(second.execute("SELECT count(*) FROM t")))[0])

    thread = threading.Thread(target=other)
    with transaction(first):
        assert list(first.execute("SELECT * FROM t")) == []
        thread.start()
        thread.join(0.2)
        assert seen == []
        first.execute("INSERT INTO t VALUES (1)")
    thread.join(10)
    assert seen == [1]
    for connection in (first, second):
        connection.close()


def test_a_transaction_that_fails_leaves_nothing(tmp_path: Path) -> None:
    connection = open_database(tmp_path / "memory.db")
    connection.execute("CREATE TABLE t (n)")
    with pytest.raises(ZeroDivisionError), transaction(connection):
        connection.execute("INSERT INTO t VALUES (1)")
        raise ZeroDivisionError
    assert list(connection.execute("SELECT * FROM t")) == []
    connection.close()


def test_what_is_open_read_only_reads_beside_a_writer_and_does_not_write(tmp_path: Path) -> None:
    path = tmp_path / "memory.db"
    writer = open_database(path)
    writer.execute("CREATE TABLE t (n)")
    reader = open_database(path, read_only=True)
    with transaction(writer):
        writer.execute("INSERT INTO t VALUES (1)")
        assert list(reader.execute("SELECT * FROM t")) == []
    assert list(reader.execute("SELECT * FROM t")) == [(1,)]
    with pytest.raises(StoreError, match="cannot be used"), reporting(path):
        reader.execute("INSERT INTO t VALUES (2)")
    for connection in (writer, reader):
        connection.close()


def test_what_is_deleted_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "memory.db"
    connection = open_database(path)
    connection.execute("CREATE TABLE t (text)")
    for number in range(50):
        connection.execute("INSERT INTO t VALUES (?)", (f"zqxjkvbp {number}",))
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    assert b"zqxjkvbp 7" in path.read_bytes()
    connection.execute("DELETE FROM t")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    assert b"zqxjkvbp" not in path.read_bytes()
    connection.close()


def test_a_file_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    path = tmp_path / "data" / "workspaces" / "memory.db"
    open_database(path).close()
    assert path.parent.parent.stat().st_mode & 0o777 == 0o700
    path.chmod(0o644)
    open_database(path).close()
    assert path.stat().st_mode & 0o777 == 0o600


def test_opening_a_file_twice_keeps_the_locks_of_the_first(tmp_path: Path) -> None:
    path = tmp_path / "memory.db"
    first = open_database(path)
    first.execute("CREATE TABLE t (n)")
    with transaction(first):
        open_database(path).close()
        program = "import sys, apsw; apsw.Connection(sys.argv[1]).execute('BEGIN IMMEDIATE')"
        other = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=False)
        assert "BusyError" in other.stderr
    first.close()


@pytest.mark.parametrize("content", [b"no database" * 100, None])
def test_what_cannot_be_opened_is_an_error_that_helps(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "memory.db"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    with pytest.raises(StoreError) as caught:
        open_database(path)
    assert str(path) in caught.value.what
    assert caught.value.next_step
