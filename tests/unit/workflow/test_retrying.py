"""Tasks that a person wants done again."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from pathlib import Path

import pytest

from agentinfra.core.errors import InputError
from agentinfra.core.events import EventDraft
from agentinfra.workflow.durable import is_worked_on
from agentinfra.workflow.event_log import SqliteEventLog
from agentinfra.workflow.retrying import Retry, claim, is_settled, wanted_again
from agentinfra.workflow.run_state import RunState, reduce
from tests.unit.run_events import RUN, RunEvents, finished, task


@pytest.fixture
def log(tmp_path: Path) -> Iterator[SqliteEventLog]:
    made = SqliteEventLog(tmp_path / "events.db")
    yield made
    made.close()


def chain() -> RunEvents:
    """T-1 blocked, T-2 and T-3 skipped one for the other, T-4 done, T-5 done and undone, T-6 done behind it."""
    needs = {"T-2": "T-1", "T-3": "T-2", "T-6": "T-5"}
    run = RunEvents().begin()
    run.planned(*(task(f"T-{n}", f"Task {n}", after=needs.get(f"T-{n}", "")) for n in range(1, 7)))
    run.blocked("T-1", "3 tries used up")
    run.add("agent_state", task="T-2", state="skipped", reason="needs T-1")
    run.add("agent_state", task="T-3", state="skipped", reason="needs T-2")
    for name in ("T-4", "T-5", "T-6"):
        run.done(name, 2, "c" * 10)
    run.add("change_resolved", task="T-5", decision="undone", commit="d")
    return run.add("state_update", state="done")


def put(log: SqliteEventLog, run: RunEvents) -> RunState:
    for event in run.events:
        log.append(RUN, EventDraft(event.kind, event.data, event.agent))
    return state(log)


def state(log: SqliteEventLog) -> RunState:
    return reduce(log.read(RUN))


def states(log: SqliteEventLog) -> str:
    return " ".join(str(one.state) for one in state(log).tasks)


def test_it_is_ready_with_all_its_tries_and_those_skipped_for_it_wait(log):
    assert is_settled(put(log, chain()))
    assert Retry("T-1", " Mind the units. ").ask(log, RUN) == ("T-1", "T-2", "T-3")
    assert states(log) == "ready pending pending done done done"
    found = state(log).task("T-1")
    assert found and (found.attempt, found.retries) == (0, 1)
    assert not is_settled(state(log))
    (said,) = state(log).instructions
    assert (said.task, said.text, said.when) == ("T-1", "Mind the units.", "next")
    assert wanted_again(state(log)) == claim(log, RUN) == ["T-1", "T-2", "T-3"]


def test_asking_twice_is_asking_once_until_it_is_over_again(log):
    put(log, chain())
    Retry("T-1", "Mind the units.").ask(log, RUN)
    before = state(log)
    for wish in (Retry("T-1", "Mind the units."), Retry("T-1")):
        assert wish.ask(log, RUN) == ("T-1", "T-2", "T-3")
    assert state(log) == before
    with pytest.raises(InputError, match=r"with another note.*agentinfra send"):
        Retry("T-1", "Something else").ask(log, RUN)
    log.append(RUN, EventDraft("agent_state", {"task": "T-1", "state": "blocked"}))
    Retry("T-1", "Something else").ask(log, RUN)
    found = state(log).task("T-1")
    assert found and found.retries == 2
    assert len(state(log).instructions) == 2


def test_what_was_skipped_after_the_person_had_asked_is_done_as_well(log):
    put(log, chain())
    Retry("T-1").ask(log, RUN)
    log.append(RUN, EventDraft("agent_state", {"task": "T-2", "state": "skipped", "reason": "needs T-1"}))
    assert wanted_again(state(log)) == ["T-1", "T-3"]
    assert claim(log, RUN) == ["T-1", "T-2", "T-3"]
    assert claim(log, RUN) == ["T-1", "T-2", "T-3"]


def test_an_undone_task_is_done_again_beside_what_stands(log):
    put(log, chain())
    assert Retry("T-5").ask(log, RUN) == ("T-5",)
    assert states(log) == "blocked skipped skipped done ready done"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("T-9", "no task T-9 in run .*Known: T-1, T-2"),
        ("T-2", "T-2 was skipped: needs T-1. Have T-1 done again; T-2 follows"),
        ("T-4", "T-4 is done. Take it off the branch first: `agentinfra undo T-4`"),
    ],
)
def test_other_tasks_are_not(log, name, why):
    before = put(log, chain())
    with pytest.raises(InputError, match=why):
        Retry(name).ask(log, RUN)
    assert state(log) == before


def test_neither_is_one_at_work_nor_one_that_needs_what_is_undone(log):
    run = chain()
    run.add("change_resolved", task="T-6", decision="undone", commit="e")
    run.add("agent_state", task="T-3", state="coding", attempt=1)
    put(log, run)
    with pytest.raises(InputError, match=r"T-3 is not over: it is coding\. Send it"):
        Retry("T-3").ask(log, RUN)
    with pytest.raises(InputError, match=r"T-6 needs T-5, which is undone\. Redo it"):
        Retry("T-6").ask(log, RUN)
    assert Retry("T-5").ask(log, RUN) == ("T-5", "T-6")


def test_it_is_handed_over_only_to_a_process_that_works_on_the_run(log, tmp_path):
    engine = tmp_path / "engine.db"
    wish = Retry("T-1")
    over = put(log, chain())
    assert not is_worked_on(engine)
    with (tmp_path / "engine.db.lock").open("w") as lock:
        assert not is_worked_on(engine)
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert is_worked_on(engine)
        assert not wish.is_handed_over(log, over, engine)
        log.append(RUN, EventDraft("state_update", {"state": "building", "round": 1}))
        assert states(log).startswith("blocked")
        assert wish.is_handed_over(log, state(log), engine)
        assert states(log).startswith("ready")
    assert not wish.is_handed_over(log, state(log), engine)


def test_the_review_of_a_round_replaces_the_earlier_one(log):
    put(log, finished(blocked=True))
    assert [one.id for one in state(log).findings] == ["F-1"]
    log.append(RUN, EventDraft("state_update", {"state": "building", "round": 1, "resumed": True}))
    assert state(log).findings == ()
