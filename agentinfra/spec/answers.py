"""Answers written into a specification: every byte that is not an answer stays as the person left it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agentinfra.spec.document import parse
from agentinfra.spec.markdown import one_line
from agentinfra.spec.requirements import Question
from agentinfra.spec.source import Edit, Lines, apply_edits
from agentinfra.spec.spec_source import QuestionSource, read_spec


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
    """
    answers = {(one.id, one.text): one.answer for one in questions if one.answer}
    source = read_spec(text)
    open_ones = {question.id: question.text for question in unanswered(text)}
    edits: list[Edit] = []
    for place in source.questions:
        answer = answers.get((place.id.name, open_ones.get(place.id.name, "")))
        if answer:
            edits.extend(_edits(source.body, place, one_line(answer)))
    return apply_edits(text, edits)


def _edits(body: Lines, place: QuestionSource, answer: str) -> Iterator[Edit]:
    yield Edit(place.box.start, place.box.end, "x")
    fields = [index for name, _, index in place.fields if name == "answer"]
    if fields:  # it is empty: a question with an answer is none that is open
        end = body.span(fields[-1]).end
        yield Edit(end, end, f" {answer}" if not body.text[end - 1].isspace() else answer)
        return
    # A field may go on in lines below it.
    last = body.span(max(index for index in range(place.first, place.last) if body.lines[index].strip()))
    yield Edit(last.end, last.end, f"{body.newline}  - Answer: {answer}")
