"""A run tells beforehand what it may cost, and at a limit asks the person at the terminal whether to go on."""

from __future__ import annotations

from tests.e2e.person import Person
from tests.e2e.place import Place
from tests.e2e.provider import SHORT, Provider

ASKED = "Your answer"


def test_a_person_grants_another_slice_and_the_run_goes_on(place: Place) -> None:
    place.environment["OPENAI_API_KEY"] = "x"
    limits = ("--budget-requests", "2", "--budget-tokens", "500000")
    with (
        Provider() as provider,
        Person(place, "plan", SHORT, "--init", "--mode", "plan", *limits, *provider.options) as person,
    ):
        shown = person.sees(ASKED)
        assert "The limit of 2 model requests is reached. Go on beyond it?" in " ".join(shown.split())
        assert len(provider.requests) == 2
        person.types("2")
        person.sees("approve, edit or reject?")
        person.types("a")
        outcome = person.waits()
    assert outcome.code == 0, outcome.said
    assert 2 < len(provider.requests) <= 4
    notices = [notice["text"] for notice in place.told("notice")]
    assert notices == [
        "openai:gpt-4o costs $2.50 a million tokens read and $10.00 written; the run costs at most about $5.00",
        "The budget grows by 2 model requests",
    ]
