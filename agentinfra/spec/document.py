"""spec.md: the Markdown form of a specification, which a person reads and edits.

``parse(render(spec)) == spec`` for every specification whose texts are tidy: "\\n" as line end, one-line fields
(titles, questions, options) without runs of blanks, prose without blank lines at its ends.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, NoReturn

from agentinfra.core.errors import SpecError
from agentinfra.spec.acceptance import read_criterion, read_example, render_criterion, render_example
from agentinfra.spec.front_matter import body_sha, read_front_matter, render_front_matter, split, with_front_matter
from agentinfra.spec.markdown import (
    LABELS,
    code,
    code_span,
    item_tokens,
    one_line,
    protect,
    render_item,
    unprotect,
    verbatim_lines,
)
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

__all__ = [
    "Area",
    "Criterion",
    "Example",
    "Expect",
    "Ground",
    "Question",
    "Requirement",
    "Spec",
    "Status",
    "body_sha",
    "parse",
    "render",
    "with_front_matter",
]

HEADING = re.compile(r"(?P<marks>#{1,3})(?:[ \t]+(?P<title>.*))?")
REQUIREMENT = re.compile(r"(?P<id>N?FR-\d+)\b\s*[·:–—-]?\s*(?P<title>.*)")
QUESTION = re.compile(r"[-*+] \[(?P<mark>[ xX])\]\s+\**(?P<id>Q-\d+)\**\s*[·:–—-]?\s*(?P<text>.*)")
FIELD = re.compile(r"\s*(?:[-*+]\s+)?(?P<name>Why|Option|Recommended|Answer):\s*(?P<text>.*)", re.IGNORECASE)
LABEL = re.compile(rf"\**(?P<name>{'|'.join(LABELS)})\**:\**\s*(?P<text>.*)", re.IGNORECASE)
BULLET = re.compile(r"[-*+](?:\s+(?P<text>.*))?")


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
        yield from _requirement_blocks(requirement)
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


@dataclass(slots=True)
class _Section:
    """A heading and the lines below it; ``line`` is the heading's number, counted from 1."""

    level: int
    title: str
    line: int
    lines: list[str] = field(default_factory=list[str])

    @property
    def prose(self) -> str:
        return unprotect("\n".join(self.lines).strip("\n"))

    def spoken(self) -> Iterator[tuple[int, str]]:
        """The lines that are no comments, with their numbers."""
        verbatim = verbatim_lines(self.lines)
        return ((self.line + 1 + i, line) for i, line in enumerate(self.lines) if verbatim.get(i) != "comment")


def parse(text: str) -> Spec:
    """Read a specification, written by :func:`render` or by hand.

    Sections and lines that are not known are passed over; an example without a ground mark was written by a person
    and counts as answered.

    Raises:
        SpecError: Something that must be understood is not; the message names the line.
    """
    front = read_front_matter(text)
    sections = _sections(text.replace("\r\n", "\n"))
    title = next((section for section in sections if section.level == 1), None)
    if title is None:
        _refuse(1, "the document has no title", "Begin it with a line such as: # Tea timer")
    return Spec(
        title=title.title,
        idea=_idea(line for _, line in title.spoken()),
        goal="\n\n".join(s.prose for s in _named(sections, "goal")),
        requirements=tuple(_requirements(sections)),
        questions=tuple(q for s in _named(sections, "open questions", "questions") for q in _questions(s)),
        out_of_scope=_items(sections, "out of scope", "non-goals"),
        status=_status(front.get("status", "draft")),
        id=front.get("id", ""),
        stories=_items(sections, "user stories"),
        interface=_items(sections, "interface"),
    )


def _refuse(line: int, why: str, next_step: str) -> NoReturn:
    raise SpecError(f"spec.md cannot be read at line {line}", why=why, next_step=next_step)


def _status(text: str) -> Status:
    for status in STATUSES:
        if status == (text or "draft"):
            return status
    _refuse(1, f"status '{text}' is unknown", f"Write one of {', '.join(STATUSES)} in the front matter")


def _sections(text: str) -> list[_Section]:
    front, body = split(text)
    lines = body.split("\n")
    verbatim = verbatim_lines(lines)
    sections: list[_Section] = []
    for index, line in enumerate(lines):
        heading = None if index in verbatim else HEADING.fullmatch(line)
        if heading:
            number = front.count("\n") + index + 1
            sections.append(_Section(len(heading["marks"]), (heading["title"] or "").strip(), number))
        elif sections:
            sections[-1].lines.append(line)
    return sections


def _named(sections: Sequence[_Section], *names: str) -> list[_Section]:
    return [s for s in sections if s.level == 2 and s.title.rstrip(":").lower() in names]


def _idea(lines: Iterable[str]) -> str:
    quoted: list[str] = []
    for line in lines:
        if line.startswith(">"):
            quoted.append(line[1:].removeprefix(" "))
        elif quoted:
            break
    return "\n".join(quoted)


def _requirements(sections: Sequence[_Section]) -> Iterator[Requirement]:
    chapter = ""
    for section in sections:
        if section.level < 3:
            chapter = section.title.lower()
            continue
        heading = REQUIREMENT.fullmatch(section.title)
        if heading:
            yield _RequirementReader(section).read(heading["id"], heading["title"])
        elif chapter == "requirements":
            _refuse(section.line, f"'{section.title}' has no id", "Write the heading as: ### FR-1 · Title")


class _Item(NamedTuple):
    """A list item under a label; ``line`` is its number in the document."""

    label: str
    line: int
    lines: list[str]

    @property
    def codes(self) -> list[str]:
        found = [token.text for token in item_tokens(self.lines) if token.kind == "code"]
        return found or [" ".join(self.lines).strip()]


class _RequirementReader:
    """Sorts the lines of one requirement into prose and labelled lists."""

    def __init__(self, section: _Section) -> None:
        self.section = section
        self.label = ""
        self.prose: list[str] = []
        self.items: list[_Item] = []

    def read(self, name: str, title: str) -> Requirement:
        verbatim = verbatim_lines(self.section.lines)
        for index, line in enumerate(self.section.lines):
            if not self.label or verbatim.get(index) != "comment":
                self._take(line, self.section.line + index + 1, index in verbatim)
        examples, criteria = self._acceptance()
        return Requirement(
            id=name,
            title=title,
            statement=unprotect("\n".join(self.prose).strip("\n")),
            file=next((codes[0] for codes in self._codes("file")), ""),
            symbols=tuple(symbol for codes in self._codes("interface") for symbol in codes),
            examples=tuple(examples),
            area=self._area(),
            criteria=tuple(criteria),
        )

    def _take(self, line: str, number: int, verbatim: bool) -> None:
        label = None if verbatim else LABEL.fullmatch(line)
        bullet = None if verbatim else BULLET.fullmatch(line)
        if label:
            self.label = label["name"].lower()
            self.items += [_Item(self.label, number, [label["text"]])] if label["text"] else []
        elif self.label and bullet:
            self.items.append(_Item(self.label, number, [bullet["text"] or ""]))
        elif self.label and self.items and (verbatim or line.startswith(" ")):
            self.items[-1].lines.append(line)
        elif not self.label or line.strip():
            gap = [""] if self.label and self.prose and self.prose[-1] else []
            self.prose += [*gap, line]
            self.label = ""

    def _acceptance(self) -> tuple[list[Example], list[Criterion]]:
        examples: list[Example] = []
        criteria: list[Criterion] = []
        for item in (item for item in self.items if item.label == "acceptance"):
            found = read_criterion(item.lines) or read_example(item.lines)
            if found is None:
                _refuse(item.line, "this is no acceptance example", "Write it as: - `double(2)` returns `4`")
            elif isinstance(found, Criterion):
                criteria.append(found)
            else:
                examples.append(found)
        return examples, criteria

    def _codes(self, label: str) -> list[list[str]]:
        return [item.codes for item in self.items if item.label == label]

    def _area(self) -> Area:
        text = next((codes[0] for codes in self._codes("area")), "backend")
        for area in AREAS:
            if area == text.lower():
                return area
        _refuse(self.section.line, f"area '{text}' is unknown", f"Write one of: {', '.join(AREAS)}")


def _questions(section: _Section) -> Iterator[Question]:
    current: re.Match[str] | None = None
    fields: list[tuple[str, str]] = []
    for number, line in section.spoken():
        found = QUESTION.fullmatch(line)
        part = FIELD.fullmatch(line)
        if found:
            yield from _question(current, fields)
            current, fields = found, []
        elif part and current:
            fields.append((part["name"].lower(), part["text"].strip()))
        elif line.strip() and fields and not BULLET.fullmatch(line.strip()):
            fields[-1] = (fields[-1][0], f"{fields[-1][1]} {line.strip()}".strip())
        elif BULLET.fullmatch(line):
            _refuse(number, "this is no question", "Write it as: - [ ] Q-1 · Which format?")
    yield from _question(current, fields)


def _question(found: re.Match[str] | None, fields: Sequence[tuple[str, str]]) -> Iterator[Question]:
    if found is None:
        return
    last = dict(fields)
    options = tuple(text for name, text in fields if name == "option")
    answer = last.get("answer") or None
    yield Question(found["id"], found["text"], last.get("why", ""), options, last.get("recommended", ""), answer)


def _items(sections: Sequence[_Section], *names: str) -> tuple[str, ...]:
    return tuple(item for section in _named(sections, *names) for item in _bullets(section))


def _bullets(section: _Section) -> Iterator[str]:
    item = ""
    for _, line in section.spoken():
        bullet = BULLET.fullmatch(line)
        if bullet:
            yield from [item] if item else []
            item = bullet["text"] or ""
        elif item and line.strip():
            item = f"{item} {line.strip()}"
    yield from [item] if item else []
