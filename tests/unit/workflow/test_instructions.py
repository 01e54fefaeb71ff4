"""A person's words to a run: which are taken, and what models are told of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agentinfra.core.errors import InputError
from agentinfra.core.events import EventDraft
from agentinfra.workflow.event_log import SqliteEventLog
from agentinfra.workflow.instructions import MAX_CHARACTERS, MAX_SHOWN, MAX_WAITING, Instruction, in_front, send
from agentinfra.workflow.run_state import RunState, reduce
from tests.unit.run_events import RUN, RunEvents, building, finished


@pytest.fixture
def log(tmp_path: Path) -> Iterator[SqliteEventLog]:
    made = SqliteEventLog(tmp_path / "events.db")
    yield made
    made.close()


def put(log: SqliteEventLog, run: RunEvents) -> RunState:
    for event in run.events:
        log.append(RUN, EventDraft(event.kind, event.data, event.agent))
    return state(log)


def state(log: SqliteEventLog) -> RunState:
    return reduce(log.read(RUN))


def test_words_wait_on_the_log_until_a_model_was_told(log):
    name = send(log, put(log, building()), "  Round up. ", task="T-2", when="now")
    assert state(log).instructions == (Instruction(name, "Round up.", "now", "T-2"),)
    for task in ("T-2", "T-2"):
        log.append(RUN, EventDraft("instruction_used", {"id": name, "task": task}))
    assert state(log).instructions == (Instruction(name, "Round up.", "now", "T-2", ("T-2",)),)


@pytest.mark.parametrize(
    ("words", "task", "run", "why"),
    [
        (" \n", "", building(), "The message is empty"),
        ("x" * (MAX_CHARACTERS + 1), "", building(), "has 2,001 characters"),
        ("Hi", "T-9", building(), "no task T-9 .*Known: T-1, T-2, T-3, T-4"),
        ("Hi", "T-1", building(), "T-1 is over: it is done.*retry"),
        ("Hi", "", finished(), "is over: nobody is left.*agentinfra retry TASK --note"),
        ("Hi", "", finished().add("state_update", state="reviewing"), "nobody is left"),
        ("Hi", "", building().add("state_update", state="failed"), "nobody is left"),
    ],
)
def test_what_nobody_could_be_told_is_refused_and_leaves_nothing(log, words, task, run, why):
    before = put(log, run)
    with pytest.raises(InputError, match=why):
        send(log, before, words, task=task)
    assert state(log) == before


@pytest.mark.parametrize("run", [RunEvents().begin(), building().add("state_update", state="stopped")])
def test_before_there_are_tasks_and_while_it_is_stopped_it_waits(log, run):
    put(log, run)
    assert send(log, state(log), "x" * MAX_CHARACTERS)


def test_only_so_many_wait(log):
    put(log, building())
    names = [send(log, state(log), f"{number}") for number in range(MAX_WAITING)]
    with pytest.raises(InputError, match="20 messages wait"):
        send(log, state(log), "one more")
    log.append(RUN, EventDraft("instruction_used", {"id": names[3], "task": "T-2"}))
    assert send(log, state(log), "one more")


def test_models_are_told_the_newest_in_order():
    assert in_front(()) == ""
    told = in_front([Instruction("1", "First."), Instruction("2", "Second.")])
    assert told.index("person") < told.index("First.") < told.index("Second.")
    long = [Instruction(str(number), f"{number}" * 1_500) for number in range(4)]
    told = in_front(long)
    assert "1" * 1_500 not in told
    assert told.index("2" * 1_500) < told.index("3" * 1_500)
    assert len(told) < MAX_SHOWN + 200
