"""Replies on disk: what is kept is found again, and nothing that happens to the file harms a call."""

import json
import sqlite3
import stat
import subprocess
import sys
import threading
from contextlib import closing

import pytest

from agentinfra.core.errors import EngineError
from agentinfra.core.messages import Audio, ChatReply, File, Image, Reasoning, Text, ToolCall, Usage
from agentinfra.models.reply_cache import CacheFigures, ReplyCache, cache_folder

RICH = ChatReply(
    (
        Reasoning("hm", "m:x", "r1", "sealed"),
        Text("Grüße 🎈"),
        ToolCall("c1", "add", {"a": [1, None]}),
        Image(b"\x89PNG"),
        Audio(b"RIFF", transcript="hi"),
        File("a.pdf", b"%PDF"),
    ),
    "m:x",
    Usage(10, 5, 4, 0.25),
    "tool_calls",
    "reply-1",
)

BUSY_PROCESS = """
import sys
from pathlib import Path
from agentinfra.core.messages import ChatReply, Text
from agentinfra.models.reply_cache import ReplyCache

def fail(what):
    raise SystemExit(what)

cache = ReplyCache(Path(sys.argv[1]), tell=fail)
for number in range(40):
    cache.put(f"{sys.argv[2]}-{number}", ChatReply((Text("x" * 50),), "m:x"))
    assert cache.get(f"{sys.argv[2]}-{number}") is not None
"""


def saying(text):
    return ChatReply((Text(text),), "m:x")


def changed(cache, statement):
    with closing(sqlite3.connect(cache.path)) as connection, connection:
        connection.execute(statement)


@pytest.fixture
def cache(tmp_path):
    """One that warns, which fails a test, where anything is wrong with it."""
    return ReplyCache(tmp_path / "kept")


@pytest.fixture
def told():
    return []


@pytest.fixture
def telling(tmp_path, told):
    return ReplyCache(tmp_path / "kept", tell=told.append)


def test_a_reply_comes_back_whole(cache):
    assert cache.get("k") is None
    cache.put("k", RICH)
    assert cache.get("k") == RICH
    assert ReplyCache(cache.path.parent).get("k") == RICH


def test_nobody_else_may_read_it(cache):
    cache.put("k", RICH)
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (cache.path.parent, cache.path)]
    assert modes == [0o700, 0o600]
    assert [path.name for path in cache.path.parent.iterdir()] == [cache.path.name]


def test_it_lies_in_the_users_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "agentinfra" / "replies"
    assert ReplyCache().path.parent == cache_folder()


def test_the_first_reply_to_a_request_stays(cache):
    cache.put("k", saying("first"))
    cache.put("k", saying("second"))
    assert cache.get("k") == saying("first")
    assert cache.figures().replies == 1


def test_what_was_not_used_for_longest_makes_room(cache):
    cache.put("0", saying("x" * 100))
    small = ReplyCache(cache.path.parent, most_bytes=cache.figures().bytes * 3)
    for key in "12":
        small.put(key, saying("x" * 100))
    assert small.get("0") is not None
    small.put("3", saying("x" * 100))
    assert [small.get(key) is not None for key in "0123"] == [True, False, True, True]
    assert small.figures().bytes == cache.figures().bytes == small._most_bytes


def test_a_reply_larger_than_the_bound_drives_nothing_out(cache):
    cache.put("k", saying("small"))
    ReplyCache(cache.path.parent, most_bytes=1_000).put("huge", saying("x" * 1_001))
    assert (cache.get("k"), cache.get("huge")) == (saying("small"), None)


def test_it_counts_what_it_holds_and_how_often_it_helped(cache):
    assert cache.figures() == CacheFigures()
    assert not cache.path.exists()
    cache.put("k", saying("ü"))
    for key in ("k", "k", "k", "other"):
        cache.get(key)
    size = len(json.dumps({"parts": [{"kind": "text", "text": ""}]}, separators=(",", ":")))
    figures = cache.figures()
    assert (figures.replies, figures.hits, figures.misses, figures.hit_rate) == (1, 3, 1, 0.75)
    assert size < figures.bytes < size + 150
    assert CacheFigures().hit_rate == 0.0


def test_cleared_it_is_empty_and_small(cache):
    assert cache.clear() == 0
    for number in range(50):
        cache.put(str(number), saying("secret " * 1_000))
    cache.get("1")
    cache.path.with_suffix(".broken").write_text("secret")
    assert cache.clear() == 50
    assert cache.figures() == CacheFigures()
    assert b"secret" not in b"".join(path.read_bytes() for path in cache.path.parent.iterdir())
    assert cache.path.stat().st_size < 50_000
    cache.put("k", RICH)
    assert cache.get("k") == RICH


@pytest.mark.parametrize("damage", ["text", "cut", "middle"])
def test_a_broken_file_is_set_aside_and_told(telling, told, damage):
    for number in range(200):
        telling.put(str(number), saying("x" * 1_000))
    data = telling.path.read_bytes()
    broken = {"text": b"no database at all" * 100, "cut": data[:10_000], "middle": data[:100] + b"\xff" * len(data)}
    telling.path.write_bytes(broken[damage])
    assert telling.get("1") is None
    telling.put("1", RICH)
    assert telling.get("1") == RICH
    assert telling.path.with_suffix(".broken").read_bytes() == broken[damage]
    assert len(told) == 1
    assert "begins anew" in told[0]
    assert str(telling.path.with_suffix(".broken")) in told[0]


@pytest.mark.parametrize("reply", ["", "[]", "{}", '{"parts": [{"kind": "hologram"}]}', '{"usage": {"light": 1}}'])
def test_a_reply_that_cannot_be_read_is_forgotten(cache, reply):
    cache.put("k", RICH)
    changed(cache, f"UPDATE replies SET reply = '{reply}'")
    assert cache.get("k") is None
    cache.put("k", saying("anew"))
    assert cache.get("k") == saying("anew")


def test_wrong_figures_do_not_keep_it_busy_for_ever(cache):
    cache.put("k", RICH)
    changed(cache, "UPDATE figures SET bytes = 1e15")
    cache.put("l", RICH)
    assert cache.get("k") is None


def test_a_place_that_cannot_be_used_is_told_once_and_answers_nothing(tmp_path, told):
    (tmp_path / "file").write_text("")
    cache = ReplyCache(tmp_path / "file", tell=told.append)
    for _ in range(3):
        cache.put("k", RICH)
        assert cache.get("k") is None
    assert len(told) == 1
    assert str(cache.path) in told[0]
    with pytest.warns(RuntimeWarning, match="cannot be used"):
        ReplyCache(tmp_path / "file").get("k")


def test_a_file_of_another_kind_is_told_and_left_alone(telling, told):
    telling.path.parent.mkdir()
    changed(telling, "CREATE TABLE replies (name TEXT)")
    assert telling.get("k") is None
    telling.put("k", RICH)
    assert len(told) >= 1
    with pytest.raises(EngineError, match="cannot be emptied") as caught:
        telling.clear()
    assert caught.value.next_step


def test_many_processes_and_threads_share_it(cache):
    command = [sys.executable, "-c", BUSY_PROCESS, str(cache.path.parent)]
    processes = [subprocess.Popen([*command, str(number)], stderr=subprocess.PIPE) for number in range(3)]
    keys = [f"t{number}" for number in range(40)]
    threads = [threading.Thread(target=cache.put, args=(key, RICH)) for key in keys]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for process in processes:
        assert process.communicate(timeout=60)[1] == b""
    assert all(cache.get(key) == RICH for key in keys)
    assert (cache.figures().replies, cache.figures().hits) == (160, 160)
