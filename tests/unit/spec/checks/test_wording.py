"""Sentences with words that nobody can test, and sentences in which they do no harm."""

from __future__ import annotations

import pytest

from agentinfra.spec.checks.finding import Documents
from agentinfra.spec.checks.wording import vague_words
from agentinfra.spec.spec_source import read_spec


def found(statement: str) -> list[str]:
    """The words that are found in a requirement of this statement, as they stand there."""
    text = f"# T\n\n> A fast idea.\n\n## Goal\n\nEasy.\n\n## Requirements\n\n### FR-1 · Quick\n\n{statement}\n"
    return [text[slice(*one.span)] for one in vague_words(Documents(read_spec(text)))]


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("The search is fast.", ["fast"]),
        ("It is User-Friendly and easy to use.", ["User-Friendly", "easy"]),
        ("It answers as soon as possible.", ["soon"]),
        ("It shows 3 rows. They appear quickly.", ["quickly"]),
        ("- it has 2 pages\n- it is robust", ["robust"]),
        ("`f(2)` is reliable.", ["reliable"]),
        ("See FR-2: it scales\nin an efficient way", ["efficient"]),
        ("Use an appropriate file where possible.", ["appropriate", "where possible"]),
    ],
)
def test_vague_words_are_found(statement: str, words: list[str]):
    assert found(statement) == words


@pytest.mark.parametrize(
    "statement",
    [
        "The search is fast: it takes at most 200 ms.",
        "It answers quickly, within two seconds.",
        "It is closed as soon as it is read.",
        "Breakfast is easygoing; a quick-sort and a fast-forward button are there.",
        'The mode is "fast", `easy` or “robust”.',
        "```\nfast\n```",
        "<!-- fast enough? -->",
        "A simple page with small letters and a clean name.",
    ],
)
def test_what_is_measured_named_or_ordered_is_not_vague(statement: str):
    assert found(statement) == []
