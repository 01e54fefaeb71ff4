"""Pairs of sentences: which state two numbers for one thing, and which only look like it."""

from __future__ import annotations

import pytest

from agentinfra.spec.checks.finding import Diagnostic, Documents
from agentinfra.spec.checks.numbers import number_conflicts
from agentinfra.spec.spec_source import read_spec


def found(*statements: str, interface: str = "") -> list[Diagnostic]:
    """Check requirements with these statements, one each."""
    signature = f"\n\nInterface:\n\n- `{interface}`" if interface else ""
    parts = [f"### FR-{number} · A\n\n{text}{signature}\n" for number, text in enumerate(statements, 1)]
    return list(number_conflicts(Documents(read_spec("# T\n\n## Requirements\n\n" + "\n".join(parts)))))


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        ("The session timeout is 30 minutes.", "A session timeout of 15 minutes.", ("15 minutes", "30 minutes")),
        ("Passwords have at least 8 characters.", "A password must have at least 12 characters.",
         ("12 characters", "8 characters")),
        ("Messages are limited to 280 characters.", "A message has at most 500 characters.",
         ("500 characters", "280 characters")),
        ("No more than 5 retries are made.", "Up to 3 retries are made.", ("3 retries", "5 retries")),
        ("The system shall answer within 200 ms.", "The system must answer within 2 seconds.", ("2 seconds", "200 ms")),
        ("When a user logs in, the system shall answer within 200 ms.",
         "When a user logs in, the system shall answer within 500 ms.", ("500 ms", "200 ms")),
        ("`port` is 8080.", "The `port` is 9090, as a rule.", ("9090", "8080")),
        ("`MAX_ITEMS` = 1,000.", "`MAX_ITEMS` = 100.", ("100", "1,000")),
        ("The discount is 10%.", "It is cheap; the discount is 15 %.", ("15 %", "10%")),
        ("The wait is 1.5 s.", "The wait is 2.5 s.", ("2.5 s", "1.5 s")),
        ("The speed is 5 km/h.", "The speed is 6 km/h.", ("6 km/h", "5 km/h")),
        ("The file may have 5 MB at most.", "At most 4 MB may the file have.", ("4 MB", "5 MB")),
    ],
)  # fmt: skip
def test_two_numbers_for_one_thing(one: str, other: str, said: tuple[str, str]):
    for texts in ((one, other), (f"{one} {other}",)):
        (finding,) = found(*texts)
        assert finding.message.startswith(f"This says {said[0]}, but FR-1 says {said[1]} ")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The timeout is 30 seconds.", "The timeout is 0.5 minutes."),
        ("The timeout is 30 seconds.", "The timeout is 30 seconds."),
        ("The timeout is 30 seconds.", "The connect timeout is 5 seconds."),
        ("The timeout is 30 seconds.", "For guests the timeout is 5 seconds."),
        ("A name has at least 2 letters.", "A name has at most 20 letters."),
        ("An empty list gives 0.", "An empty list gives 1."),
        ("The answer is 0 minutes.", "The answer is 5 minutes."),
        ("A break of 15 minutes for every hour.", "A break of 30 minutes for every hour worked."),
        ("Rows have 8 to 16 cells.", "Rows have 4 to 12 cells."),
        ("A 24-hour clock is used.", "A 12-hour clock is used."),
        ("It opens at 12:30 on 2024-03-01.", "It opens at 13:30 on 2024-03-02."),
        ("Version 1.2.3 is used.", "Version 1.2.4 is used."),
        ("`price(2)` gives 4.", "`price(3)` gives 9."),
        ("The line reads \"5 items\".", "The line reads \"6 items\"."),
        ("Green tea takes 2 minutes.", "Black tea takes 3 minutes."),
        ("Step 1 is to boil.", "Step 2 is to pour."),
        ("It costs $5 a month.", "It costs $6 a month."),
        ("If `n` is 0.", "If `n` is 1."),
        ("If a list has 3 entries, it is shown.", "If a list has 4 entries, it is shown."),
        ("It is shown when a list has 3 entries.", "It is shown when a list has 4 entries."),
        ("When it rings 3 times, it waits 2 seconds.", "When it rings 3 times, it waits 5 seconds."),
        ("The ratio is 2 parts to 3 parts.", "The ratio is 4 parts to 3 parts."),
        ("The shop opens at 12:30 h.", "The shop opens at 12:45 h."),
        ("A 3 year-old pays.", "A 4 year-old pays."),
        ("The speed is 5 km/h.", "The speed is 6 km/s."),
        ("`price` counts and the step is 1.", "`price` counts and the step is 2."),
    ],
)  # fmt: skip
def test_what_only_looks_like_it(one: str, other: str):
    assert found(one, other) == []
    assert found(f"{one} {other}") == []


def test_a_parameter_means_something_else_in_each_function():
    texts = ("The text has at most 10 letters.", "The text has at most 20 letters.")
    assert len(found(*texts)) == 1
    assert found(*texts, interface="cut(text, width)") == []
    assert len(found(" ".join(texts), interface="cut(text, width)")) == 1


def test_what_a_pronoun_stands_for_is_known_within_a_requirement_alone():
    texts = ("Its list holds at most 3 entries.", "Its list holds at most 5 entries.")
    assert found(*texts) == []
    assert len(found(" ".join(texts))) == 1


def test_criteria_are_cases_and_may_have_other_numbers():
    cases = [f"Acceptance:\n\n- Given a list with {n} entries\n  When it is read\n  Then it is fine" for n in (3, 4)]
    assert found(*cases) == []


def test_each_later_sentence_is_held_against_the_first():
    findings = found("The fee is 5 cents.", "The fee is 6 cents.", "The fee is 5 cents.", "The fee is 7 cents.")
    assert [one.subject for one in findings] == ["FR-2", "FR-4"]
    assert {one.related[0].message for one in findings} == {"FR-1 says 5 cents"}


def test_what_a_sentence_says_is_told_where_it_stands_now():
    sentences = "The cart holds at most 20 items.", "The cart holds at most 30 items."
    before, after = found(*sentences), found("Nothing is said here of it.", *sentences)
    assert [one.subject for one in before + after] == ["FR-2", "FR-3"]
    assert before[0].span.start < after[0].span.start
