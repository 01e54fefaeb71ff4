"""spec.md: the Markdown form of a specification, which a person reads and edits.

``parse(render(spec)) == spec`` for every specification whose texts are tidy: "\\n" as line end, one-line fields
(titles, questions, options) without runs of blanks, prose without blank lines at its ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from agentinfra.core.errors import SpecError
from agentinfra.spec.acceptance import read_criterion, read_example, render_criterion, render_example
from agentinfra.spec.front_matter import body_sha, render_front_matter, with_front_matter
from agentinfra.spec.markdown import code, code_span, one_line, protect, render_item, unprotect
from agentinfra.spec.question_source import QuestionSource
from agentinfra.spec.requirements import (
    AREAS,
    STATUSES,
    Area,
    Criterion,
    Example,
    Expect,
    Ground,
    Question,
    Requirement,
    Spec,
    Status,
)
from agentinfra.spec.source import Mention
from agentinfra.spec.spec_source import HEADING, RequirementSource, SpecSource, read_spec

__all__ = [
    "HEADING",
    "Area",
    "Criterion",
    "Example",
    "Expect",
    "Ground",
    "Question",
    "Requirement",
    "Spec",
    "Status",
    "accepted",
    "body_sha",
    "parse",
    "question_of",
    "render",
    "render_requirement",
    "requirement_of",
    "spec_of",
    "with_front_matter",
]


def render(spec: Spec) -> str:
    """Write a specification as Markdown; texts cannot break its structure, whatever they hold."""
    front = render_front_matter({"id": spec.id, "status": spec.status, "approved": ""})
    return front + "\n" + "\n\n".join(_blocks(spec)) + "\n"


def _blocks(spec: Spec) -> Iterator[str]:
    yield f"# {one_line(spec.title)}".rstrip()
    if spec.idea:
        yield "\n".join(f"> {line}" if line else ">" for line in spec.idea.split("\n"))
    yield "## Goal"
    if spec.goal:
        yield protect(spec.goal)
    if spec.stories:
        yield "## User stories"
        yield _list(spec.stories)
    yield "## Requirements"
    for requirement in spec.requirements:
        yield render_requirement(requirement)
    if spec.questions:
        yield "## Open questions"
        yield "\n".join(line for question in spec.questions for line in _question_lines(question))
    if spec.out_of_scope:
        yield "## Out of scope"
        yield _list(spec.out_of_scope)
    if spec.interface:
        yield "## Interface"
        yield _list(spec.interface)


def _list(items: Sequence[str]) -> str:
    return "\n".join(f"- {one_line(item)}" for item in items)


def render_requirement(requirement: Requirement) -> str:
    """Write one requirement, without a line end behind it."""
    return "\n\n".join(_requirement_blocks(requirement))


def _requirement_blocks(requirement: Requirement) -> Iterator[str]:
    yield f"### {requirement.id} · {one_line(requirement.title)}".rstrip()
    if requirement.statement:
        yield protect(requirement.statement)
    if requirement.file:
        yield f"File: {code_span(one_line(requirement.file))}"
    if requirement.area != "backend":
        yield f"Area: {requirement.area}"
    if requirement.symbols:
        yield "Interface:"
        yield "\n".join(render_item([code(symbol)]) for symbol in requirement.symbols)
    if requirement.examples or requirement.criteria:
        yield "Acceptance:"
        examples = [render_example(example) for example in requirement.examples]
        yield "\n".join([*examples, *(render_criterion(criterion) for criterion in requirement.criteria)])


def _question_lines(question: Question) -> Iterator[str]:
    yield f"- [{'x' if question.answer else ' '}] {question.id} · {one_line(question.text)}".rstrip()
    if question.why:
        yield f"  - Why: {one_line(question.why)}"
    for option in question.options:
        yield f"  - Option: {one_line(option)}"
    if question.recommended:
        yield f"  - Recommended: {one_line(question.recommended)}"
    yield f"  - Answer: {one_line(question.answer or '')}".rstrip()


def parse(text: str) -> Spec:
    """Read a specification, written by :func:`render` or by hand.

    Sections and lines that are not known are passed over; an example without a ground mark was written by a person
    and counts as answered.

    Raises:
        SpecError: Something that must be understood is not; the message names the line.
    """
    source = read_spec(text)
    for problem in source.problems:
        line = source.body.position(problem.span.start).line
        raise SpecError(f"spec.md cannot be read at line {line}", why=problem.why, next_step=problem.next_step)
    return spec_of(source)


def spec_of(source: SpecSource) -> Spec:
    """The values of a document that was read; what could not be understood is left out."""
    lines = source.body.lines
    return Spec(
        title=source.title.title.name if source.title else "",
        idea="\n".join(lines[index][1:].removeprefix(" ") for index in source.idea),
        goal="\n\n".join(filter(None, (_prose(lines[one.first + 1 : one.last]) for one in source.named("goal")))),
        requirements=tuple(requirement_of(source, one) for one in source.requirements),
        questions=tuple(question_of(one) for one in source.questions),
        out_of_scope=_items(source, "out of scope"),
        status=_status(source.front.get("status", "")),
        id=source.front.get("id", ""),
        stories=_items(source, "story"),
        interface=_items(source, "interface"),
    )


def requirement_of(source: SpecSource, one: RequirementSource) -> Requirement:
    """The values of one requirement."""
    found = [accepted(source.item_lines(item)) for item in one.acceptance]
    return Requirement(
        id=one.id.name,
        title=one.title.name,
        statement=_prose(_statement(source.body.lines, one.statement)),
        file=one.files[0].name if one.files else "",
        symbols=tuple(symbol.name for symbol in one.symbols),
        examples=tuple(each for each in found if isinstance(each, Example)),
        area=_area(one.areas),
        criteria=tuple(each for each in found if isinstance(each, Criterion)),
    )


def _status(text: str) -> Status:
    for status in STATUSES:
        if status == text:
            return status
    return "draft"


def _area(areas: Sequence[Mention]) -> Area:
    for area in AREAS:
        if areas and area == areas[0].name.lower():
            return area
    return "backend"


def accepted(lines: Sequence[str]) -> Criterion | Example | None:
    """The value of an item under "Acceptance:", without its bullet; None where it is neither."""
    return read_criterion(lines) or read_example(lines)


def _statement(lines: Sequence[str], indices: Sequence[int]) -> Iterator[str]:
    """The lines of a statement; where labelled lists stand in between, an empty line does."""
    for place, index in enumerate(indices):
        if place and indices[place - 1] != index - 1 and lines[indices[place - 1]]:
            yield ""
        yield lines[index]


def _prose(lines: Iterable[str]) -> str:
    return unprotect("\n".join(lines).strip("\n"))


def question_of(one: QuestionSource) -> Question:
    """The values of one question."""
    return Question(
        one.id.name,
        one.text.name,
        one.text_of("why"),
        tuple(one.options()),
        one.text_of("recommended"),
        one.text_of("answer") or None,
    )


def _items(source: SpecSource, label: str) -> tuple[str, ...]:
    return tuple(_item(source.item_lines(item)) for item in source.items if item.label == label)


def _item(lines: Sequence[str]) -> str:
    return " ".join([lines[0], *(line.strip() for line in lines[1:])])
