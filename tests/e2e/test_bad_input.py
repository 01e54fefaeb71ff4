"""What a person can get wrong: each is refused at once, in words, and nothing is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.conftest import RECORDINGS
from tests.e2e.place import Outcome, Place


def assert_refused(outcome: Outcome, code: int, *words: str) -> None:
    assert outcome.code == code, outcome.said
    assert outcome.stdout == ""
    assert "Traceback" not in outcome.said
    for word in words:
        assert word in outcome.said


@pytest.mark.parametrize(
    ("idea", "words"),
    [("", "The idea is empty"), (" \n\t ", "The idea is empty"), ("zählen " * 13_000, "The idea is too long")],
)
def test_an_empty_and_a_giant_idea_are_refused(place: Place, idea: str, words: str) -> None:
    outcome = place.agentinfra("plan", "--idea-file", "-", "--yes", "--init", stdin=idea)
    assert_refused(outcome, 2, words, "next:")
    assert not place.workspace.exists()


def test_a_folder_that_is_no_repository_is_named_with_the_way_out(place: Place) -> None:
    place.workspace.mkdir()
    outcome = place.agentinfra("plan", "Count words", "--yes")
    assert_refused(outcome, 2, "is not a git repository", "--init")
    assert list(place.workspace.iterdir()) == []


def test_a_workspace_that_cannot_be_written_is_refused(place: Place) -> None:
    place.workspace.write_text("a file")
    outcome = place.agentinfra("plan", "Count words", "--yes", "--init")
    assert_refused(outcome, 2, str(place.workspace))
    assert place.workspace.read_text() == "a file"


def test_questions_without_a_terminal_need_yes(place: Place) -> None:
    outcome = place.agentinfra("plan", "Count words", "--init")
    assert_refused(outcome, 2, "Nobody can be asked", "--yes")
    assert not place.workspace.exists()


@pytest.mark.parametrize("verb", ["resume", "status", "report", "accept", "stop"])
def test_without_a_run_every_verb_says_so(place: Place, verb: str) -> None:
    place.repository()
    assert_refused(place.agentinfra(verb), 2, "There is no run yet")


def test_a_record_that_does_not_fit_shows_the_difference(place: Place) -> None:
    record = str(RECORDINGS / "demo.jsonl")
    outcome = place.agentinfra("plan", "`half(n)` in `sums.py` halves.", "--replay", record, "--init", "--yes")
    assert outcome.code == 1
    assert "demo.jsonl has no answer (plan)" in outcome.said
    assert "-user:" in outcome.said
    assert "+user:" in outcome.said


def test_a_file_that_is_no_record_is_refused(place: Place, tmp_path: Path) -> None:
    (tmp_path / "notes.jsonl").write_text('{"title": "notes"}\n')
    assert_refused(place.agentinfra("replay", str(tmp_path / "notes.jsonl")), 2, "notes.jsonl")
