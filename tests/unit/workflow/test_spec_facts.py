"""What the log says of a specification: of its own run, and of accepted runs before it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agentinfra.core.events import EventDraft
from agentinfra.core.tasks import TaskState
from agentinfra.spec.diagnostics import KnownTest, RunFacts
from agentinfra.workflow.event_log import SqliteEventLog
from agentinfra.workflow.spec_facts import run_facts
from tests.unit.run_events import RunEvents, task

TEST = "tests/test_a.py::test_1"


class Runs:
    """Runs that are written into a real log."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = SqliteEventLog(folder / "events.db")

    def add(self, run: RunEvents) -> None:
        for event in run.events:
            self.log.append(event.run, EventDraft(event.kind, dict(event.data)))

    def facts(self, run: str) -> RunFacts | None:
        return run_facts(self.log, f"---\nid: {run}\n---\n\n# Tea\n", self.folder)


@pytest.fixture
def runs(tmp_path: Path) -> Any:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_a.py").write_text("def test_1():\n    pass\n")
    made = Runs(tmp_path)
    yield made
    made.log.close()


def built(
    run: str, requirement: str = "FR-1", *, test: str = TEST, decision: str = "accepted", dropped: str = ""
) -> RunEvents:
    """A run of one task that went from red to green, maybe without a test that was dropped on the way."""
    events = RunEvents(run)
    events.begin().planned(task("T-1", "half(n)", requirement)).add("approval", spec_sha="sha")
    for phase, outcome in (("red", "failed"), ("green", "passed")):
        ids = [test, dropped] if dropped and phase == "red" else [test]
        tests = [{"id": one, "outcome": outcome, "message": "", "kind": "assertion"} for one in ids]
        events.add("test_result", task="T-1", phase=phase, exit_code=int(phase == "red"), tests_sha="s", tests=tests)
    events.add("change_resolved", task="T-1", decision="merged", commit="c0ffee")
    events.add("agent_state", task="T-1", state="done").add("state_update", state="done")
    return events.add("change_resolved", decision=decision) if decision else events


def test_a_run_that_is_done(runs: Runs):
    runs.add(built("r1"))
    tests = (KnownTest(TEST, ("FR-1",)),)
    assert runs.facts("r1") == RunFacts("r1", "done", "sha", {"T-1": TaskState.DONE}, frozenset(), tests)


def test_a_task_that_could_not_be_done(runs: Runs):
    events = RunEvents("r1").begin().planned(task("T-1", "half(n)", "FR-1"), task("T-2", "twice(n)", "FR-1"))
    runs.add(events.add("agent_state", task="T-1", state="blocked", reason="its tests fail"))
    found = runs.facts("r1")
    assert found is not None and found.blocked == {"T-1": "its tests fail"}


def test_a_test_that_did_not_get_green_proves_nothing(runs: Runs):
    (runs.folder / "tests" / "test_a.py").write_text("def test_1(): ...\ndef test_2(): ...\n")
    runs.add(built("r1", dropped="tests/test_a.py::test_2"))
    found = runs.facts("r1")
    assert found is not None and [one.id for one in found.tests] == [TEST]


def test_where_nothing_or_another_run_is_on_record(runs: Runs):
    assert runs.facts("r1") is None
    runs.add(built("r1"))
    assert runs.facts("r2") == RunFacts()


@pytest.mark.parametrize(
    ("add", "status"),
    [
        ([], "draft"),
        ([("approval", {"spec_sha": "sha"})], "building"),
        ([("approval", {"spec_sha": "sha"}), ("state_update", {"state": "stopped"})], "building"),
        ([("approval", {"spec_sha": "sha"}), ("state_update", {"state": "failed"})], "approved"),
        # The run is over, but its task is not done.
        ([("approval", {"spec_sha": "sha"}), ("state_update", {"state": "done"})], "approved"),
    ],
)
def test_the_status_that_the_log_bears_out(runs: Runs, add: list[tuple[Any, dict[str, Any]]], status: str):
    events = RunEvents("r1")
    events.begin().planned(task("T-1", "half(n)", "FR-1"))
    for kind, data in add:
        events.add(kind, **data)
    runs.add(events)
    found = runs.facts("r1")
    assert found is not None and found.status == status


def test_earlier_runs_count_where_they_were_accepted(runs: Runs):
    runs.add(built("r1", "FR-9"))
    runs.add(built("r2", "FR-8", test="tests/test_a.py::test_1[x]", decision="rejected"))
    later = RunEvents("r3")
    later.begin().planned(task("T-2", "f(n)", "FR-1"))
    runs.add(later)
    found = runs.facts("r3")
    assert found is not None
    assert found.tasks == {"T-1": TaskState.DONE, "T-2": TaskState.PENDING}
    assert found.tests == (KnownTest(TEST, ("FR-9",)),)
    runs.add(built("r4", "FR-1"))
    newest = runs.facts("r4")
    assert newest is not None and newest.tests == (KnownTest(TEST, ("FR-1",)),)
    # What came after a specification's run says nothing about it.
    assert runs.facts("r3") == found


def test_an_undone_task_is_told_and_its_tests_are_none(runs: Runs):
    runs.add(built("r1", decision="").add("change_resolved", task="T-1", decision="undone"))
    found = runs.facts("r1")
    assert found is not None
    assert (found.undone, found.tests) == ({"T-1"}, ())


@pytest.mark.parametrize("text", [None, "def test_2(): ...", "# test_1"])
def test_a_test_that_is_no_longer_there_is_not_told(runs: Runs, text: str | None):
    runs.add(built("r1"))
    file = runs.folder / "tests" / "test_a.py"
    file.unlink() if text is None else file.write_text(text)
    found = runs.facts("r1")
    assert found is not None and found.tests == ()
