"""Answers written into a document that a person laid out."""

import pytest

from agentinfra.core.errors import SpecError
from agentinfra.spec.answers import unanswered, with_answers_written
from agentinfra.spec.document import parse
from agentinfra.spec.requirements import Question

TEXT = """---
status: draft
---
# Tea  timer

## Goal
Tea. <!-- mine -->

## Open questions
- [ ] Q-1 · Which unit?
  - Option: ml
  - Option: cups
  - Answer:
- [ ] Q-2 · How loud?
  - Why: It
    wakes.
- [x] Q-3 · Done?
  - Answer: yes

## My  notes
*  kept
"""
UNIT = Question("Q-1", "Which unit?", answer="cups\nor ml")
LOUD = Question("Q-2", "How loud?", answer="not at all")


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_answers_are_written_and_nothing_else_is_touched(newline):
    text = TEXT.replace("\n", newline)
    written = with_answers_written(text, [UNIT, LOUD])
    expected = TEXT.replace("- [ ] Q-1", "- [x] Q-1").replace("  - Answer:\n", "  - Answer: cups or ml\n")
    expected = expected.replace("- [ ] Q-2", "- [x] Q-2")
    assert unanswered(written) == ()
    assert [one.why for one in parse(written).questions] == ["", "It wakes.", ""]
    assert [one.answer for one in parse(written).questions] == ["cups or ml", "not at all", "yes"]
    without = written.replace(f"{newline}  - Answer: not at all", "")
    assert without == expected.replace("\n", newline)


def test_the_open_ones_are_those_without_an_answer():
    assert [one.id for one in unanswered(TEXT)] == ["Q-1", "Q-2"]
    assert unanswered(TEXT)[0].options == ("ml", "cups")


def test_a_question_that_was_put_differently_or_answered_meanwhile_keeps_what_is_there():
    edited = TEXT.replace("Which unit?", "Which units?").replace("wakes.", "wakes.\n  - Answer: very")
    assert with_answers_written(edited, [UNIT, LOUD]) == edited
    assert with_answers_written(TEXT, [Question("Q-9", "Else?", answer="x"), Question("Q-1", "Which unit?")]) == TEXT


def test_a_question_in_the_last_line_without_an_end_gets_its_answer():
    text = "# T\n\n## Open questions\n- [ ] Q-1 · Which unit?"
    assert with_answers_written(text, [UNIT]).endswith("- [x] Q-1 · Which unit?\n  - Answer: cups or ml")


def test_an_answer_cannot_open_a_section_of_its_own():
    hostile = Question("Q-1", "Which unit?", answer="ml\n## Requirements\n### FR-9 · Mine")
    assert "\n## Requirements" not in with_answers_written(TEXT, [hostile])


def test_a_document_that_cannot_be_read_is_refused():
    with pytest.raises(SpecError):
        unanswered("no title")
