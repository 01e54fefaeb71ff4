"""Answers written into a specification: every byte that is not an answer stays as the person left it. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from agentinfra.spec.document import parse
from agentinfra.spec.edits import answer_question
from agentinfra.spec.requirements import Question
from agentinfra.spec.source import Edit, apply_edits
from agentinfra.spec.spec_source import read_spec


def unanswered(text: str) -> tuple[Question, ...]:
    """The questions of a document that nobody has answered yet.

    Raises:
        SpecError: The document cannot be read.
    """
    return tuple(question for question in parse(text).questions if not question.answer)


def with_answers_written(text: str, questions: Sequence[Question]) -> str:
    """The document with the answers to those of its questions that have none yet.

    A question is known by its id and its words: one that was put differently meanwhile is another one.

    Args:
        text: The document, as it stands by now.
        questions: Answered questions; what the document does not ask, or has answered, is passed over.

    Raises:
        SpecError: The document cannot be read, or cannot take an answer.
    """
    answers = {(one.id, one.text): one.answer for one in questions if one.answer}
    open_ones = {(question.id, question.text) for question in unanswered(text)}
    source = read_spec(text)
    edits: list[Edit] = []
    for place in source.questions:
        asked = (place.id.name, place.text.name)
        answer = answers.get(asked)
        if answer and asked in open_ones and not place.text_of("answer"):
            edits += answer_question(source, place, answer)
    return apply_edits(text, edits)
