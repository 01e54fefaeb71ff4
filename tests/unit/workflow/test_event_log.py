"""The event log: numbers, keys, waiting; across threads and processes."""

from __future__ import annotations

import asyncio
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from agentinfra.core.errors import EngineError
from agentinfra.core.events import EventDraft
from agentinfra.workflow.event_log import PAGE, SqliteEventLog

WRITER = """
import sys, time
from pathlib import Path
from agentinfra.core.events import EventDraft
from agentinfra.workflow.event_log import SqliteEventLog

log = SqliteEventLog(Path(sys.argv[1]))
while not log.read("go"):
    time.sleep(0.001)
for n in range(int(sys.argv[2])):
    log.append("r", EventDraft("notice", {"text": f"{sys.argv[3]} {n}"}, key=f"shared/{n}" if n % 2 else ""))
log.append("r", EventDraft("state_update", {"state": "done"}, key="end"))
log.close()
"""


def writer(path: Path, events: int, name: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", WRITER, str(path), str(events), name])


@pytest.fixture
def log(tmp_path: Path) -> Iterator[SqliteEventLog]:
    log = SqliteEventLog(tmp_path / "events.db")
    yield log
    log.close()


def notice(text: str, key: str = "") -> EventDraft:
    return EventDraft("notice", {"level": "info", "text": text}, ("planner", "micro:T-1"), key)


def test_events_are_numbered_per_run_and_read_back_as_written(log: SqliteEventLog) -> None:
    first, other, second = (log.append(run, notice(text)) for run, text in (("b", "ä"), ("a", "2"), ("b", "3")))
    assert first and other and second
    assert (first.seq, other.seq, second.seq) == (1, 1, 2)
    assert abs(first.time - time.time()) < 5
    assert log.read("b") == [first, second]
    assert log.read("b", since=1) == [second]
    assert log.read("b", limit=1) == [first]
    assert log.read("nothing") == []
    assert log.runs() == ["b", "a"]
    assert first.data == {"level": "info", "text": "ä"}
    assert first.agent == ("planner", "micro:T-1")


def test_a_key_counts_once_per_run_and_the_empty_key_always(log: SqliteEventLog) -> None:
    assert log.append("r", notice("a", "k"))
    assert log.append("r", notice("b", "k")) is None
    assert log.append("other", notice("c", "k"))
    assert log.append("r", notice("d"))
    assert log.append("r", notice("e"))
    assert [(event.seq, event.data["text"]) for event in log.read("r")] == [(1, "a"), (2, "d"), (3, "e")]


def test_what_is_no_json_is_refused_and_leaves_no_gap(log: SqliteEventLog) -> None:
    with pytest.raises(EngineError, match="JSON"):
        log.append("r", EventDraft("notice", {"text": object()}))
    event = log.append("r", notice("fine"))
    assert event and event.seq == 1


def test_the_log_survives_and_is_private(tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    log = SqliteEventLog(path)
    log.append("r", notice("kept"))
    assert {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()} == {0o600}
    log.close()
    log.close()
    with pytest.raises(EngineError, match="closed"):
        log.read("r")
    again = SqliteEventLog(path)
    assert [event.data["text"] for event in again.read("r")] == ["kept"]
    again.close()


def test_opening_it_twice_in_a_process_does_not_let_others_think_that_nobody_has_it(
    log: SqliteEventLog, tmp_path: Path
) -> None:
    path = tmp_path / "events.db"
    log.append("go", notice("now"))
    SqliteEventLog(path).close()
    assert writer(path, 2, "p").wait(30) == 0
    # The last one to leave takes the write-ahead log away; whoever still had it would go on in a deleted file.
    assert path.with_name("events.db-wal").exists()
    log.append("r", notice("kept"))
    log.close()
    again = SqliteEventLog(path)
    assert [event.data.get("text") for event in again.read("r")] == ["p 0", "p 1", None, "kept"]
    again.close()


def test_unusable_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("Dear reader, this is no database at all. " * 30)
    for path in (tmp_path / "missing" / "events.db", tmp_path / "letter"):
        with pytest.raises(EngineError, match=path.name):
            SqliteEventLog(path)


def test_threads_and_processes_share_one_gapless_numbering(log: SqliteEventLog, tmp_path: Path) -> None:
    processes = [writer(tmp_path / "events.db", 100, name) for name in ("p", "q")]
    time.sleep(0.3)
    log.append("go", notice("all at once"))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: log.append("r", notice(str(n), f"thread/{n % 50}")), range(100)))
    assert [process.wait(30) for process in processes] == [0, 0]
    events = log.read("r")
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    # 50 unkeyed events of each process, 50 keys that they share, 50 keys of the threads, one end.
    assert len(events) == 100 + 50 + 50 + 1
    assert len({event.key for event in events if event.key}) == 101


async def test_wait_returns_at_once_what_is_there_and_in_time_when_nothing_comes(log: SqliteEventLog) -> None:
    log.append("r", notice("there"))
    assert [event.seq for event in await log.wait("r")] == [1]
    began = time.monotonic()
    assert await log.wait("r", since=1, timeout=0.05) == []
    assert time.monotonic() - began < 2


async def test_wait_hears_of_an_append_in_this_process_before_it_would_poll(log: SqliteEventLog) -> None:
    log.append("r", notice("warm"))
    delays: list[float] = []
    for number in range(1, 6):
        waiting = asyncio.create_task(log.wait("r", since=number))
        await asyncio.sleep(0.02)
        began = time.monotonic()
        await asyncio.to_thread(log.append, "r", notice("news"))
        assert [event.seq for event in await waiting] == [number + 1]
        delays.append(time.monotonic() - began)
    assert min(delays) < 0.1


async def test_wait_is_bounded(log: SqliteEventLog) -> None:
    for number in range(PAGE + 3):
        log.append("r", notice(str(number)))
    assert len(await log.wait("r")) == PAGE
    assert len(await log.wait("r", since=PAGE)) == 3


async def test_follow_sees_another_process_through_to_the_end(log: SqliteEventLog, tmp_path: Path) -> None:
    process = writer(tmp_path / "events.db", 5, "p")
    log.append("go", notice("go"))
    async with asyncio.timeout(30):
        events = [event async for event in log.follow("r")]
    assert [event.data.get("text", "end") for event in events] == ["p 0", "p 1", "p 2", "p 3", "p 4", "end"]
    assert process.wait(30) == 0


async def test_follow_goes_on_after_a_stop(log: SqliteEventLog) -> None:
    for state in ("building", "stopped", "building", "done"):
        log.append("r", EventDraft("state_update", {"state": state}))
    assert [event.seq async for event in log.follow("r")] == [1, 2]
    assert [event.seq async for event in log.follow("r", since=2)] == [3, 4]
