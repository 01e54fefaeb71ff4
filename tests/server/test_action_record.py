"""The record of code actions that went on by themselves."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from agentinfra_server.session.action_record import MOST_LISTED, ActionRecord

from agentinfra.core.errors import EngineError


@pytest.fixture
def at_work() -> set[str]:
    return set()


@pytest.fixture
def record(tmp_path: Path, at_work: set[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[ActionRecord]:
    monkeypatch.setenv("AGENTINFRA_DATA_DIR", str(tmp_path / "data"))
    made = ActionRecord(at_work.__contains__)
    yield made
    made.close()


def states(record: ActionRecord, folder: Path) -> list[tuple[str, str, str, str]]:
    return [(one.id, one.title, one.state, one.reason) for one in record.listed(folder)]


def test_each_is_listed_as_it_ended_or_is(record, at_work, tmp_path):
    for name in ("a", "b", "c", "d", "e"):
        record.begin(tmp_path, name, f"Explain {name}")
    record.end(tmp_path, "a", "done")
    record.end(tmp_path, "b", "failed", "The model is gone")
    record.end(tmp_path, "c", "stopped")
    at_work.add("d")
    assert states(record, tmp_path) == [
        ("a", "Explain a", "done", ""),
        ("b", "Explain b", "failed", "The model is gone"),
        ("c", "Explain c", "stopped", ""),
        ("d", "Explain d", "working", ""),
        ("e", "Explain e", "interrupted", ""),
    ]


def test_another_servers_are_at_work_as_long_as_it_lives(record, tmp_path):
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    theirs = ActionRecord({"a"}.__contains__, other.pid)
    theirs.begin(tmp_path, "a", "Explain a")
    theirs.close()
    assert [one.state for one in record.listed(tmp_path)] == ["working"]
    other.communicate(b"\n")
    assert [one.state for one in record.listed(tmp_path)] == ["interrupted"]


def test_looking_makes_nothing_and_only_the_newest_are_listed(record, tmp_path):
    assert record.listed(tmp_path) == []
    assert not (tmp_path / "data").exists()
    for number in range(MOST_LISTED + 2):
        record.begin(tmp_path, f"action-{number}", "Explain")
    assert [one.id for one in record.listed(tmp_path)][::49] == ["action-2", "action-51"]


def test_what_cannot_be_written_is_told(record, tmp_path):
    (tmp_path / "data").write_text("in the way")
    with pytest.raises(EngineError, match="cannot be kept"):
        record.begin(tmp_path, "a", "Explain")
