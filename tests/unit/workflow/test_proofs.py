"""Proofs from logs that are as they should be, and from logs that somebody or something has bent."""

from __future__ import annotations

from typing import Any

import pytest

from agentinfra.workflow.proofs import TaskProof, kinds, proofs
from tests.unit.run_events import RunEvents, task

IDS = ("tests/test_a.py::test_1", "tests/test_a.py::test_2")


class Log(RunEvents):
    """The events of one task, each of which can be left out or changed."""

    def ran(self, phase: str, outcome: str, kind: str = "", *, ids: tuple[str, ...] = IDS, **more: Any) -> RunEvents:
        tests = [{"id": one, "outcome": outcome, "message": "", "kind": kind} for one in ids]
        code = 0 if outcome == "passed" else 1
        data = {"task": "T-1", "phase": phase, "exit_code": code, "tests_sha": "sha", "tests": tests, "reason": ""}
        return self.add("test_result", **{**data, **more})

    def merged(self, commit: str = "c0ffee") -> RunEvents:
        self.add("change_resolved", task="T-1", decision="merged", commit=commit)
        return self.add("agent_state", task="T-1", state="done")


def begun() -> Log:
    log = Log()
    log.begin().planned(task("T-1", "half(n)", "FR-1"))
    return log


def good() -> Log:
    log = begun()
    log.ran("red", "failed", "assertion")
    log.ran("green", "passed")
    log.merged()
    return log


def proof(log: RunEvents) -> TaskProof:
    (found,) = proofs(log.events)
    return found


def test_red_green_merged_bears_a_task_out() -> None:
    found = proof(good())
    assert found.is_done and found.problems == ()
    assert found.red is not None and kinds(found.red) == "2 assertion"
    assert found.to_json()["borne_out"] is True
    assert found.to_json()["commit"] == "c0ffee"


def test_without_red() -> None:
    log = begun()
    log.ran("green", "passed")
    log.merged()
    assert proof(log).problems == ("there is no record that its tests were RED",)


@pytest.mark.parametrize(
    ("red", "problem"),
    [
        ({"outcome": "passed"}, "RED: no new test was named"),
        ({"outcome": "failed", "kind": "broken"}, f"RED: {IDS[0]} is broken: "),
        ({"outcome": "skipped"}, f"RED: {IDS[0]} was skipped"),
        ({"outcome": "failed", "reason": "timeout: x"}, "RED: timeout: x"),
        ({"outcome": "failed", "exit_code": 0}, "RED: the test run ended with exit code 0"),
        ({"outcome": "failed", "tests_sha": ""}, "there is no record of the lock of its tests"),
    ],
)
def test_a_red_that_proves_nothing(red: dict[str, Any], problem: str) -> None:
    log = begun()
    log.ran("red", **red)
    log.ran("green", "passed")
    log.merged()
    assert problem in proof(log).problems


@pytest.mark.parametrize(
    ("green", "problem"),
    [
        ({"outcome": "passed", "tests_sha": "other"}, "GREEN: the tests are not those that were RED"),
        ({"outcome": "passed", "ids": IDS[:1]}, f"GREEN: {IDS[1]} was RED but was not run"),
        ({"outcome": "passed", "ids": (*IDS, "x.py::y")}, "GREEN: x.py::y was not among the tests that were RED"),
        ({"outcome": "skipped"}, f"GREEN: {IDS[0]} was skipped"),
        ({"outcome": "xfailed", "exit_code": 0}, f"GREEN: {IDS[0]} was xfailed"),
        ({"outcome": "passed", "exit_code": 5}, "GREEN: the test run ended with exit code 5"),
        ({"outcome": "passed", "reason": "tampering: x"}, "GREEN: tampering: x"),
    ],
)
def test_a_green_that_proves_nothing(green: dict[str, Any], problem: str) -> None:
    log = begun()
    log.ran("red", "failed", "assertion")
    log.ran("green", **green)
    log.merged()
    assert problem in proof(log).problems
    assert proof(log).to_json()["borne_out"] is False


def test_without_green_or_commit() -> None:
    log = begun()
    log.ran("red", "failed", "assertion")
    log.add("agent_state", task="T-1", state="done")
    assert proof(log).problems == ("there is no record that its tests were GREEN", "there is no merged commit")


def test_the_order_counts() -> None:
    log = begun()
    log.ran("green", "passed")
    log.ran("red", "failed", "assertion")
    log.merged()
    assert "its tests were GREEN before they were RED" in proof(log).problems
    late = begun()
    late.ran("red", "failed", "assertion")
    late.merged()
    late.ran("green", "passed")
    assert "it was merged before its tests were GREEN" in proof(late).problems


def test_a_refused_run_does_not_hide_one_that_held() -> None:
    log = begun()
    log.ran("red", "passed", reason="test_1 passes without the code")
    log.ran("red", "failed", "assertion")
    log.ran("attempt", "passed", ids=(), reason="tampering: sums.py:2 looks at the frames of its callers")
    log.ran("green", "passed", reason="conftest.py was added")
    log.ran("green", "passed")
    log.merged()
    assert proof(log).problems == ()
    assert proof(log).refused == ("tampering: sums.py:2 looks at the frames of its callers",)


def test_of_refused_runs_the_latest_is_shown() -> None:
    log = begun()
    log.ran("red", "failed", "assertion")
    log.ran("green", "passed", reason="conftest.py was added")
    log.ran("green", "passed", reason="pytest.ini was added")
    log.merged()
    assert proof(log).problems == ("GREEN: pytest.ini was added",)


def test_what_is_not_done_or_was_undone_needs_no_proof() -> None:
    log = begun()
    log.add("agent_state", task="T-1", state="blocked", reason="3 tries used up")
    assert (proof(log).is_done, proof(log).problems) == (False, ())
    taken_back = good()
    taken_back.add("change_resolved", task="T-1", decision="undone", commit="beef")
    assert (proof(taken_back).is_done, proof(taken_back).undone, proof(taken_back).problems) == (False, True, ())
    taken_back.add("change_resolved", task="T-1", decision="merged", commit="beefed")
    assert proof(taken_back).is_done and proof(taken_back).problems == ()
