"""The reducer: every kind of event, tolerance, active time, and that it does not matter how events arrive."""

from __future__ import annotations

import copy
import dataclasses
import itertools
import json
from functools import reduce as fold
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentinfra.core.events import EVENT_KINDS, Event, EventKind
from agentinfra.core.tasks import TaskState
from agentinfra.workflow.run_state import MAX_NOTICES, RunState, apply, reduce


def history(*entries: tuple[EventKind, dict[str, Any]] | tuple[EventKind, dict[str, Any], float]) -> list[Event]:
    """Events one second apart, or at the given time."""
    events: list[Event] = []
    for seq, (kind, data, *time) in enumerate(entries, 1):
        at = time[0] if time else (events[-1].time + 1 if events else 100.0)
        events.append(Event("r-1", seq, at, kind, data))
    return events


TASKS: dict[str, Any] = {
    "tasks": [
        {"id": "T-1", "title": "One", "requirements": ["FR-1"], "files": ["a.py"], "engineer": "backend"},
        {"id": "T-2", "title": "Two", "depends_on": ["T-1"], "symbols": ["f"]},
    ]
}
TESTS = [{"id": "t::a", "outcome": "passed"}, {"id": "t::b", "outcome": "failed"}, {"id": "t::c", "outcome": "error"}]


def test_nothing_happened_yet() -> None:
    assert reduce([]) == RunState()


def test_the_run_is_described_by_its_state_updates() -> None:
    first = {"state": "planning", "idea": "a shop", "workspace": "/w", "branch": "b", "base": "c", "model": "m:x"}
    state = reduce(history(("state_update", first), ("state_update", {"state": "failed", "reason": "no money"})))
    assert (state.run, state.seq, state.state, state.reason) == ("r-1", 2, "failed", "no money")
    assert state.info["idea"] == "a shop"
    assert "state" not in state.info
    assert reduce(history(("state_update", {"state": "failed", "reason": "x"}), ("state_update", {}))).reason == ""


def test_spec_and_approval() -> None:
    spec = {"path": "specs/r/spec.md", "sha": "abc", "requirements": [{"id": "FR-1", "title": "Cart", "grounded": 2}]}
    state = reduce(history(("plan_update", {"spec": spec}), ("approval", {"spec_sha": "abc", "by": "person"})))
    assert (state.spec_path, state.spec_sha, state.approved_sha) == ("specs/r/spec.md", "abc", "abc")
    assert [(item.id, item.title, item.data["grounded"]) for item in state.requirements] == [("FR-1", "Cart", 2)]


def test_tasks_keep_the_plans_order_and_what_they_reached_when_it_changes() -> None:
    events = history(
        ("plan_update", TASKS),
        ("agent_state", {"task": "T-2", "state": "coding", "attempt": 2, "max_attempts": 3, "reason": "again"}),
        ("plan_update", {"tasks": [{"id": "T-3"}, {"id": "T-2", "title": "Two, better"}]}),
    )
    assert [task.id for task in reduce(events[:1]).tasks] == ["T-1", "T-2"]
    state = reduce(events)
    assert [task.id for task in state.tasks] == ["T-3", "T-2"]
    task = state.task("T-2")
    assert task
    assert (task.title, task.state, task.attempt, task.max_attempts) == ("Two, better", TaskState.CODING, 2, 3)
    assert task.reason == "again"
    assert state.task("T-1") is None
    moved = apply(state, Event("r-1", 9, 200.0, "agent_state", {"task": "T-2", "state": "green"})).task("T-2")
    assert moved and (moved.attempt, moved.reason) == (2, "")


def test_questions_are_open_until_answered() -> None:
    ask = {"id": "Q-1", "text": "Which?", "why": "both fit", "options": ["a", "b"], "recommended": "a"}
    events = history(("question", ask), ("question", {"id": "Q-2", "text": "When?"}))
    assert [question.id for question in reduce(events).open_questions] == ["Q-1", "Q-2"]
    answered = apply(reduce(events), Event("r-1", 3, 103.0, "answer", {"id": "Q-1", "text": "b", "by": "person"}))
    assert [question.id for question in answered.open_questions] == ["Q-2"]
    assert (answered.questions[0].answer, answered.questions[0].by, answered.questions[0].options) == (
        "b",
        "person",
        ("a", "b"),
    )
    # Asked anew under its old id, it is open again.
    assert len(apply(answered, Event("r-1", 4, 104.0, "question", ask)).open_questions) == 2


def test_tests_prove_tasks_and_the_suite_is_its_own() -> None:
    events = history(
        ("plan_update", TASKS),
        ("test_result", {"task": "T-1", "phase": "red", "tests": TESTS[1:], "seconds": 1.5}),
        ("test_result", {"task": "T-1", "phase": "attempt", "tests": TESTS, "seconds": 1}),
        ("test_result", {"phase": "suite", "tests": TESTS}),
        ("test_result", {"task": "T-1", "phase": "green", "tests": TESTS[:1]}),
    )
    task = reduce(events[:3]).task("T-1")
    assert task and task.tests
    assert (task.tests.phase, task.tests.passed, task.tests.failed) == ("attempt", 1, 2)
    assert (task.red, task.green, task.seconds) == (("t::b", "t::c"), (), 2.5)
    state = reduce(events)
    task = state.task("T-1")
    assert task and task.tests
    assert (task.red, task.green, task.tests.failed) == (("t::b", "t::c"), ("t::a",), 0)
    assert state.suite and (state.suite.passed, state.suite.failed) == (1, 2)


def test_usage_adds_up_and_one_unknown_price_makes_the_cost_unknown() -> None:
    call = {"model": "m:x", "input_tokens": 10, "output_tokens": 5, "cached_tokens": 4, "cost_usd": 0.5, "seconds": 2}
    events = history(("plan_update", TASKS), ("usage_update", {**call, "task": "T-1"}), ("usage_update", call))
    totals = reduce(events).totals
    assert (totals.calls, totals.input_tokens, totals.output_tokens, totals.cached_tokens) == (2, 20, 10, 8)
    assert (totals.cost_usd, totals.seconds) == (1.0, 4.0)
    task = reduce(events).task("T-1")
    assert task and (task.tokens, task.seconds) == (15, 2.0)
    for price in (None, "cheap", float("nan"), True):
        unknown = apply(reduce(events), Event("r-1", 4, 104.0, "usage_update", {**call, "cost_usd": price}))
        assert unknown.totals.cost_usd is None
        assert apply(unknown, Event("r-1", 5, 105.0, "usage_update", call)).totals.cost_usd is None


def test_commits_by_task_and_the_persons_decision() -> None:
    events = history(
        ("plan_update", TASKS),
        ("change_resolved", {"task": "T-1", "decision": "merged", "commit": "c1"}),
        ("change_resolved", {"task": "T-2", "decision": "merged", "commit": "c2"}),
        ("checkpoint", {"commit": "c2"}),
        ("change_resolved", {"task": "T-1", "decision": "undone"}),
        ("change_resolved", {"decision": "accepted"}),
    )
    assert reduce(events[:3]).commits == {"T-1": "c1", "T-2": "c2"}
    state = reduce(events)
    assert (state.commits, state.checkpoint, state.decision) == ({"T-2": "c2"}, "c2", "accepted")


def test_findings_and_the_newest_notices_are_kept() -> None:
    finding = {"id": "F-1", "severity": "error", "rule": "sql", "path": "a.py", "line": 3, "message": "Injection"}
    notices = [("notice", {"level": "info", "text": str(number)}) for number in range(MAX_NOTICES + 5)]
    state = reduce(history(("qa_finding", finding), *notices))  # type: ignore[arg-type]
    assert dataclasses.asdict(state.findings[0]) == finding
    assert [state.notices[0].text, state.notices[-1].text] == ["5", str(MAX_NOTICES + 4)]


def test_only_active_time_counts() -> None:
    events = history(
        ("state_update", {"state": "building"}, 100.0),
        ("notice", {"text": "a"}, 110.0),
        ("state_update", {"state": "stopped"}, 115.0),
        ("notice", {"text": "still stopped"}, 500.0),
        ("state_update", {"state": "building"}, 1000.0),
        ("notice", {"text": "the clock was set back"}, 990.0),
        ("state_update", {"state": "done"}, 1004.0),
    )
    state = reduce(events)
    assert (state.started, state.updated, state.elapsed) == (100.0, 1004.0, 15.0 + 4.0)


@pytest.mark.parametrize("kind", EVENT_KINDS)
def test_unknown_and_broken_data_is_survived(kind: EventKind) -> None:
    start = reduce(history(("plan_update", TASKS), ("question", {"id": "Q-1"})))
    for data in (
        {},
        {"new": 1},
        {"task": "T-1", "state": "shining", "tests": "many", "attempt": "two", "seconds": None, "tokens": []},
        {"task": 7, "tasks": None, "spec": [], "text": {}, "options": "abc", "line": "x", "id": None},
        {"task": "T-9", "state": "done", "tests": [1, {"id": None}], "spec": {"requirements": [None, {}]}},
    ):
        state = apply(start, Event("r-1", 3, 103.0, kind, data))
        assert state.seq == 3
        json.dumps(dataclasses.asdict(state))


def test_kinds_of_later_versions_are_ignored() -> None:
    state = apply(RunState(), Event("r-1", 1, 5.0, "hologram", {"state": "done"}))  # type: ignore[arg-type]
    assert (state.seq, state.state) == (1, "")


IDS = st.sampled_from(["T-1", "T-2", "Q-1", ""])
VALUES = st.one_of(
    IDS,
    st.none(),
    st.floats(),
    st.integers(-5, 5),
    st.sampled_from(["building", "stopped", "done", "red", "green", "coding", "merged", "undone", "suite", "passed"]),
    st.lists(st.fixed_dictionaries({"id": IDS, "outcome": st.sampled_from(["passed", "failed"])}), max_size=3),
)
FIELDS = (
    "task", "state", "id", "text", "attempt", "tests", "tasks", "phase", "decision", "commit", "cost_usd",
    "input_tokens", "seconds", "level", "reason", "by",
)  # fmt: skip
DATA = st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=6)
EVENTS = st.lists(st.tuples(st.sampled_from(EVENT_KINDS), DATA, st.floats(0, 1e6)), max_size=30)


@given(EVENTS, st.lists(st.integers(0, 30), max_size=4))
def test_it_does_not_matter_in_which_portions_events_arrive(entries: list[Any], cuts: list[int]) -> None:
    events = history(*entries)
    edges = [0, *sorted(min(cut, len(events)) for cut in cuts), len(events)]
    state = RunState()
    for begin, end in itertools.pairwise(edges):
        before = copy.deepcopy(state)
        later = fold(apply, events[begin:end], state)
        assert state == before, "a state that somebody holds must not change"
        state = later
    assert state == reduce(events)
    assert state.seq == len(events)
    assert 0 <= state.elapsed <= max(0.0, state.updated - state.started) + 1e-6


def test_replies_from_the_cache_are_calls_that_took_no_tokens() -> None:
    call = {"model": "m:x", "input_tokens": 10, "output_tokens": 5, "cached_tokens": 4, "cost_usd": 0.5, "seconds": 2}
    known = {"model": "m:x", "input_tokens": 0, "output_tokens": 0, "cached_tokens": 0, "cost_usd": 0.0, "seconds": 0}
    kept = {**known, "cached_replies": 1}
    totals = reduce(history(("usage_update", call), ("usage_update", kept), ("usage_update", kept))).totals
    assert (totals.calls, totals.cached_replies, totals.input_tokens, totals.cost_usd) == (3, 2, 10, 0.5)
