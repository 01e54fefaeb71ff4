"""A person has tasks done again, and speaks to a run at work."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.place import Outcome, Place, finish, kill, until
from tests.e2e.provider import CODE, IDEA, SHORT, Provider

WRONG = CODE.replace("return a + b", "return a * b")
NOTE = "Add them; do not multiply."


@pytest.fixture
def place(place: Place) -> Place:
    place.environment["OPENAI_API_KEY"] = "x"
    return place


def plan(place: Place, provider: Provider, idea: str = IDEA, *options: str) -> Outcome:
    return place.agentinfra("plan", idea, "--init", "--yes", *provider.options, "--max-attempts", "2", *options)


def states(place: Place) -> dict[str, str]:
    return {task["id"]: task["state"] for task in place.report()["tasks"]}


def words(body: dict[str, Any]) -> str:
    return json.dumps(body["messages"])


def hears(body: dict[str, Any]) -> str:
    """Writes a wrong add until it is told better."""
    return WRONG if "`add(a, b)`" in words(body) and NOTE not in words(body) else CODE


def test_a_blocked_task_and_what_was_skipped_for_it_are_done_again_with_a_note(place: Place) -> None:
    with Provider({"code": hears}) as provider:
        assert plan(place, provider).code == 1
        assert states(place) == {"T-1": "blocked", "T-2": "done", "T-3": "skipped"}
        earlier = place.commits(place.branch())
        before = len(provider.requests)
        outcome = place.agentinfra("retry", "T-1", "--note", NOTE)
        assert outcome.code == 0, outcome.said
        assert states(place) == {"T-1": "done", "T-2": "done", "T-3": "done"}
        again = [body for kind, body in provider.requests[before:] if kind == "code"]
    assert [NOTE in words(body) for body in again] == [True, False]
    assert place.told("instruction_used") == [{"id": "retry-T-1-1", "task": "T-1"}]
    assert "a + b" in place.show(place.branch(), "sums.py")
    assert "[x] T-3" in place.show(place.branch(), "tasks.md")
    assert place.commits(place.branch())[-len(earlier) :] == earlier
    assert place.agentinfra("proof").code == 0
    assert [one["state"] for one in place.told("state_update")][-4:] == ["done", "building", "reviewing", "done"]
    assert "T-1 is done" in place.agentinfra("retry", "T-1").said
    assert place.agentinfra("accept").code == 0


def test_what_cannot_be_retried_or_told_says_why_and_changes_nothing(place: Place) -> None:
    with Provider({"code": hears}) as provider:
        plan(place, provider)
    count = place.event_count()
    said = {
        ("retry", "T-9"): "There is no task T-9",
        ("retry", "T-2"): "agentinfra undo T-2",
        ("retry", "T-3"): "Have T-1 done again; T-3 follows by itself",
        ("retry", "T-1", "--note", "x" * 2_001): "The message has 2,001 characters",
        ("retry", "T-1", "--run", "nothing"): "No run begins with 'nothing'",
        ("send", "Faster"): "is over: nobody is left to be told",
        ("send", " "): "The message is empty",
    }
    for command, why in said.items():
        outcome = place.agentinfra(*command)
        assert outcome.code == 2, outcome.said
        assert why in outcome.said
    assert place.event_count() == count


def test_an_undone_task_is_done_again_in_another_way(place: Place) -> None:
    other = CODE.replace("return n // 2", "return n >> 1")
    with Provider({"code": lambda body: other if "shift" in words(body) else CODE}) as provider:
        assert plan(place, provider, SHORT).code == 0
        place.agentinfra("undo", "T-1")
        assert "sums.py" not in place.files(place.branch())
        outcome = place.agentinfra("retry", "T-1", "--note", "Use a shift.")
        assert outcome.code == 0, outcome.said
    assert "n >> 1" in place.show(place.branch(), "sums.py")
    (task,) = place.report()["tasks"]
    assert (task["state"], task["attempt"]) == ("done", 1)


def test_a_cast_of_ones_own_does_it_again(place: Place) -> None:
    place.environment["PYTHONPATH"] = str(Path(__file__).parents[2] / "examples")
    both = ("openai:o1", "anthropic:claude-sonnet-5-5")
    place.environment["AGENTINFRA_MODEL_ALIASES"] = ",".join(f"{name}=openai:gpt-4o" for name in both)
    with Provider({"code": hears}) as provider:
        assert plan(place, provider, IDEA, "--planner", "user_agents.codex_agent:CodexAgent").code == 1
        assert states(place) == {"T-1": "blocked", "T-2": "done", "T-3": "skipped"}
        outcome = place.agentinfra("retry", "T-1", "--note", NOTE)
    assert outcome.code == 0, outcome.said
    assert states(place) == {"T-1": "done", "T-2": "done", "T-3": "done"}


def test_a_round_that_was_killed_goes_on(place: Place) -> None:
    with Provider({"code": WRONG}) as provider:
        plan(place, provider)
    with Provider({"code": _never}, port=provider.port):
        process = place.start("retry", "T-1", "--note", NOTE, stdin=subprocess.PIPE)
        until(lambda: bool(place.told("instruction_used")))
        kill(process)
    with Provider({"code": hears}, port=provider.port) as provider:
        outcome = place.agentinfra("resume", "--yes")
        assert outcome.code == 0, outcome.said
        assert [NOTE in words(body) for body in provider.asked("code")] == [True, False]
    assert set(states(place).values()) == {"done"}
    assert [one["round"] for one in place.told("state_update") if "round" in one] == [1]


def _never(body: dict[str, Any]) -> Iterator[str]:
    del body
    for _ in range(600):
        time.sleep(0.1)
        yield " "


def test_a_run_at_work_does_it_behind_the_other_tasks(place: Place, tmp_path: Path) -> None:
    gate = tmp_path / "gate"

    def slow(body: dict[str, Any]) -> Iterator[str] | str:
        if "`half(n)`" in words(body) and not gate.exists():
            return _until(gate, CODE)
        return hears(body)

    with Provider({"code": slow}) as provider:
        process = place.start("plan", IDEA, "--init", "--yes", *provider.options, "--max-attempts", "1")
        until(lambda: place.event_count() > 0)
        until(lambda: any(one["state"] == "blocked" for one in place.told("agent_state")))
        for _ in range(2):
            asked = place.agentinfra("retry", "T-1", "--note", NOTE)
            assert asked.code == 0, asked.said
            assert "behind the other tasks" in asked.said
        other = place.agentinfra("retry", "T-1", "--note", "Something else")
        assert "another note" in other.said
        gate.touch()
        outcome = finish(process)
    assert outcome.code == 0, outcome.said
    assert set(states(place).values()) == {"done"}
    assert [one["state"] for one in place.told("state_update")].count("done") == 1


def test_words_to_a_run_at_work_go_before_its_next_requests_and_now_before_the_one_at_hand(
    place: Place, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"

    def slow(body: dict[str, Any]) -> Iterator[str] | str:
        if NOTE not in words(body):
            return _never(body)
        return CODE if "Round down" in words(body) else _until(gate, CODE.replace("// 2", "// 3"))

    with Provider({"code": slow}) as provider:
        process = place.start("plan", SHORT, "--init", "--yes", *provider.options, "--max-attempts", "2")
        until(lambda: bool(provider.asked("code")))
        unknown = place.agentinfra("send", "Faster", "--task", "T-9")
        assert "There is no task T-9" in unknown.said
        assert place.agentinfra("send", NOTE, "--now").code == 0
        until(lambda: len(provider.asked("code")) == 2)
        assert provider.cuts(1) == 1
        assert place.agentinfra("send", "Round down!", "--task", "T-1").code == 0
        gate.touch()
        outcome = finish(process)
        assert outcome.code == 0, outcome.said
        first, second, third = (words(body) for body in provider.asked("code"))
    assert (NOTE in first, NOTE in second, "Round down" in second) == (False, True, False)
    assert third.index("goes before everything") < third.index(NOTE) < third.index("Round down") < third.index("half")
    assert [one["task"] for one in place.told("instruction_used")] == ["T-1", "T-1"]
    asked = {one["data"]["purpose"] for one in place.events() if one["kind"] == "usage_update"}
    assert "code T-1" in asked


def _until(gate: Path, text: str) -> Iterator[str]:
    until(gate.exists)
    yield text
