"""What a person decides at the terminal: answers, the approval, and every edit of the specification count."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agentinfra.spec.document import parse
from agentinfra.spec.front_matter import body_sha, read_front_matter
from tests.e2e.conftest import RECORDINGS
from tests.e2e.person import Person
from tests.e2e.place import Place
from tests.e2e.provider import CODE, SHORT, Provider

ASKED, APPROVE, EDITING = "Your answer", "approve, edit or reject?", "press Enter"
ROUNDING = {"question": "Which way is it rounded?", "why": "7 is odd", "options": ["down", "up"], "recommended": "down"}


@pytest.fixture
def place(place: Place) -> Place:
    place.environment["OPENAI_API_KEY"] = "x"
    return place


def draft(place: Place) -> Path:
    (path,) = (place.root / "data").glob("workspaces/*/runs/*/spec.md")
    return path


def test_an_answer_and_an_edit_are_the_truth(place: Place) -> None:
    up = CODE.replace("n // 2", "(n + 1) // 2")
    questions = json.dumps({"questions": [ROUNDING]})
    asked = Provider({"OpenQuestions": questions, "code": up})
    with asked as provider, Person(place, "plan", SHORT, "--init", *asked.options) as person:
        shown = person.sees(ASKED)
        assert "Which way is it rounded?" in shown
        assert "1 down (recommended)" in " ".join(shown.split())
        person.types("2")
        person.sees(APPROVE)
        person.types("e")
        person.sees(EDITING)
        text = draft(place).read_text("utf-8")
        assert "`half(7)`" in text
        edited = text.replace("`half(7)` returns `3`", "`half(7)` returns `4`").replace("rounded down", "rounded up")
        assert edited != text
        draft(place).write_text(edited, "utf-8")
        person.types("")
        person.sees(APPROVE)
        person.types("a")
        outcome = person.waits()
    assert outcome.code == 0, outcome.said
    (answer,) = place.told("answer")
    assert (answer["text"], answer["by"]) == ("up", "person")
    approved = place.show(place.branch(), "spec.md")
    assert parse(approved).requirements == parse(edited).requirements
    assert read_front_matter(approved)["approved"] == body_sha(edited)
    (approval,) = place.told("approval")
    assert (approval["by"], approval["spec_sha"]) == ("person", body_sha(edited))
    assert "half(7) == 4" in place.show(place.branch(), "tests/test_sums_half.py")
    assert "rounded up" in str(provider.asked("code")[0]["messages"])


def test_a_rejected_specification_delivers_nothing_and_can_be_taken_up_again(place: Place) -> None:
    with Provider() as provider:
        with Person(place, "plan", SHORT, "--init", "--mode", "plan", *provider.options) as person:
            person.sees(APPROVE)
            person.types("r")
            outcome = person.waits()
        assert outcome.code == 130
        assert str(draft(place)) in outcome.said
        assert "spec.md" not in place.files(place.branch())
        assert place.agentinfra("resume", "--yes").code == 0
        assert "spec.md" in place.files(place.branch())
        assert len(provider.asked("Plan")) == 1


def test_planning_alone_asks_and_writes_and_runs_nothing(place: Place) -> None:
    record = RECORDINGS / "open.jsonl"
    idea = json.loads(record.read_text("utf-8").splitlines()[0])["idea"]
    asked = 0
    with Person(place, "plan", idea, "--init", "--mode", "plan", "--replay", str(record)) as person:
        while person.sees(ASKED, APPROVE).endswith(ASKED):
            asked += 1
            person.types("")
        person.types("a")
        outcome = person.waits()
    assert outcome.code == 0, outcome.said
    assert len(place.told("question")) == len(place.told("answer")) == asked
    assert {answer["by"] for answer in place.told("answer")} <= {"person"}
    assert place.told("test_result") == []
    assert set(place.files(place.branch())) - {"pytest.ini"} == {"spec.md", "tasks.md"}
    spec = parse(place.show(place.branch(), "spec.md"))
    assert spec.requirements
    assert {task["state"] for task in place.report()["tasks"]} == {"pending"}
