"""Approval is of one text: edits at any moment count, what is open is asked, and a text cannot approve itself."""

import subprocess
from pathlib import Path

import pytest

from agentinfra.spec.answers import unanswered
from agentinfra.spec.front_matter import body_sha, read_front_matter
from tests.e2e.person import Person
from tests.e2e.place import Place
from tests.e2e.provider import CODE, SHORT, Provider
from tests.e2e.record import edit

ASKED, APPROVE = "Your answer", "approve, edit or reject?"
UP = CODE.replace("n // 2", "(n + 1) // 2")
ROUND_UP = (("rounded down", "rounded up"), ("`half(7)` returns `3`", "`half(7)` returns `4`"))
QUESTION = "\n## Open questions\n\n- [ ] Q-1 · Which way for negative numbers?\n  - Option: up\n  - Option: down\n"


@pytest.fixture
def built(place: Place) -> Place:
    """A run that is done and accepted, in a repository of its own."""
    place.environment["OPENAI_API_KEY"] = "x"
    with Provider() as provider:
        assert place.agentinfra("plan", SHORT, "--init", "--yes", *provider.options).code == 0
    assert place.agentinfra("accept").code == 0
    return place


def spec(place: Place) -> Path:
    return place.workspace / "spec.md"


def draft(place: Place) -> Path:
    return max((place.root / "data").glob("workspaces/*/runs/*/spec.md"), key=lambda path: path.stat().st_mtime)


def newest_branch(place: Place) -> str:
    return f"agentinfra/{place.report()['run']}"


def test_an_edit_made_while_the_approval_is_pending_is_built(built: Place) -> None:
    edit(spec(built), (("rounded down", "rounded to the next lower number"),))
    with Provider({"code": UP}) as provider, Person(built, "plan", "--change", *provider.options) as person:
        person.sees(APPROVE)
        edit(spec(built), (("rounded to the next lower number", "rounded up"), ROUND_UP[1]))
        last = spec(built).read_text()
        person.types("a")
        person.sees(APPROVE)  # of another text: it is asked for again
        person.types("a")
        outcome = person.waits()
    assert outcome.code == 0, outcome.said
    assert "was edited meanwhile" in outcome.said + str(built.told("notice"))
    (approval,) = built.told("approval")
    assert approval["spec_sha"] == body_sha(last)
    assert spec(built).read_text() == last
    assert "half(7) == 4" in built.show(newest_branch(built), "tests/test_sums_half.py")
    assert built.agentinfra("accept").code == 0


def test_two_different_edits_are_told_and_none_is_lost(built: Place) -> None:
    edit(spec(built), ROUND_UP)
    with Provider({"code": UP}) as provider:
        with Person(built, "plan", "--change", *provider.options) as person:
            person.sees(APPROVE)
            edit(spec(built), (("rounded up", "rounded up, here"),))
            edit(draft(built), (("rounded up", "rounded up, there"),))
            person.types("a")
            outcome = person.waits()
        assert outcome.code == 130
        assert "edited in two places" in outcome.said
        assert built.told("approval") == []
        assert "rounded up, here" in spec(built).read_text()
        assert "rounded up, there" in draft(built).read_text()
        draft(built).write_text(spec(built).read_text())
        outcome = built.agentinfra("resume", "--yes")
    assert outcome.code == 0, outcome.said
    assert built.told("approval")[0]["spec_sha"] == body_sha(spec(built).read_text())


def test_an_edit_that_cannot_be_read_stops_the_run_and_is_mended(place: Place) -> None:
    place.environment["OPENAI_API_KEY"] = "x"
    with Provider() as provider:
        with Person(place, "plan", SHORT, "--init", *provider.options) as person:
            person.sees(APPROVE)
            text = draft(place).read_text()
            draft(place).write_text(text.replace("## Requirements", "## Requirements\n\n### FR-1 · Twice\n"))
            person.types("a")
            outcome = person.waits()
        assert outcome.code == 130, outcome.said
        assert "FR-1 more than once" in outcome.said
        draft(place).write_text(text)
        assert place.agentinfra("resume", "--yes").code == 0
        assert len(provider.asked("Plan")) == 1


def test_what_an_edit_leaves_open_is_asked_once_and_the_answer_is_written_back(built: Place) -> None:
    edit(spec(built), ROUND_UP)
    spec(built).write_text(spec(built).read_text() + QUESTION)
    with Provider({"code": UP}) as provider, Person(built, "plan", "--change", *provider.options) as person:
        shown = " ".join(person.sees(ASKED).split())
        assert "Q-1 · Which way for negative numbers?" in shown
        assert "2 down" in shown
        # What is edited while the question stands is not lost.
        edit(spec(built), (("rounded up", "rounded up for ever"),))
        person.types("2")
        person.sees(APPROVE)
        person.types("a")
        person.sees(APPROVE)
        person.types("a")
        outcome = person.waits()
    assert outcome.code == 0, outcome.said
    (answer,) = built.told("answer")
    assert (answer["id"], answer["text"], answer["by"]) == ("Q-1", "down", "person")
    approved = built.show(newest_branch(built), "spec.md")
    assert unanswered(approved) == ()
    assert "rounded up for ever" in approved
    expected = spec(built).read_text().replace("- [ ] Q-1", "- [x] Q-1") + "  - Answer: down\n"
    assert body_sha(approved) == body_sha(expected)
    assert built.agentinfra("accept").code == 0  # the person's own file lacks nothing but the answer
    assert "Answer: down" in spec(built).read_text()


def test_a_question_written_into_the_draft_is_asked_before_it_counts_as_approved(place: Place) -> None:
    place.environment["OPENAI_API_KEY"] = "x"
    with Provider() as provider, Person(place, "plan", SHORT, "--init", *provider.options) as person:
        person.sees(APPROVE)
        draft(place).write_text(draft(place).read_text() + QUESTION)
        person.types("a")
        person.sees(ASKED)
        person.types("up")
        person.sees(APPROVE)
        person.types("a")
        outcome = person.waits()
    assert outcome.code == 0, outcome.said
    assert "Answer: up" in place.show(place.branch(), "spec.md")
    assert len(place.told("approval")) == 1


def test_an_edit_after_the_approval_makes_a_draft_of_what_it_touches(built: Place) -> None:
    assert "spec.md" not in built.agentinfra("status").said
    edit(spec(built), ROUND_UP)
    assert read_front_matter(spec(built).read_text())["status"] == "approved"  # it claims so still
    said = built.agentinfra("status").said
    assert "spec.md is draft again, edited since its approval: modified FR-1" in said
    with Provider({"code": UP}) as provider:
        assert built.agentinfra("plan", "--change", "--yes", *provider.options).code == 0
    told = [one["spec"] for one in built.told("plan_update") if "spec" in one]
    assert [(one["status"], one["requirements"][0]["status"]) for one in told] == [
        ("draft", "draft"),
        ("approved", "approved"),
    ]


def test_what_is_asked_for_no_longer_is_named_and_stays(built: Place) -> None:
    text = spec(built).read_text()
    start, end = text.index("### FR-1"), len(text)
    new = text[start:end].replace("FR-1", "FR-2").replace("half", "halved").replace("sums.py", "more.py")
    spec(built).write_text(text[:start] + new)
    code = CODE.replace("half", "halved")
    with Provider({"code": code}) as provider:
        outcome = built.agentinfra("plan", "--change", "--yes", *provider.options)
    assert outcome.code == 0, outcome.said
    assert "removed FR-1" in outcome.said
    notices = [one["text"] for one in built.report()["notices"]]
    (told,) = [text for text in notices if text.startswith("FR-1")]
    assert told.endswith("what it brought stays: half(n) in sums.py, tests/test_sums_half.py")
    assert {"sums.py", "tests/test_sums_half.py"} <= set(built.files(newest_branch(built)))


def test_a_cloned_specification_that_says_approved_is_a_draft(built: Place, tmp_path: Path) -> None:
    other = Place(tmp_path / "other")
    subprocess.run(("git", "clone", "-q", str(built.workspace), str(other.workspace)), check=True)
    assert read_front_matter(spec(other).read_text())["status"] == "approved"
    edit(spec(other), ROUND_UP)
    outcome = other.agentinfra("plan", "--change", "--yes")
    assert outcome.code == 2
    assert "not on record here" in outcome.said
