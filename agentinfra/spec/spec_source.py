"""spec.md as it stands: every line of it, what it is, and where each requirement and question is written.

This is the one reader of spec.md. It takes any text and lists what cannot be understood;
:mod:`agentinfra.spec.document` makes values of what it finds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, NamedTuple

from agentinfra.spec.acceptance import read_criterion, read_example
from agentinfra.spec.front_matter import read_front_matter, split
from agentinfra.spec.markdown import LABELS, code_spans, item_tokens, verbatim_lines
from agentinfra.spec.question_source import QuestionReader, QuestionSource
from agentinfra.spec.requirements import AREAS, STATUSES
from agentinfra.spec.source import Block, Label, Lines, Mention, Problem, Span, blocks

HEADING = re.compile(r"(?P<marks>#{1,3})(?:[ \t]+(?P<title>.*))?")
_REQUIREMENT = re.compile(r"(?P<id>N?FR-\d+)\b\s*[·:–—-]?\s*(?P<title>.*)")
_LABEL = re.compile(rf"\**(?P<name>{'|'.join(LABELS)})\**:\**\s*(?P<text>.*)", re.IGNORECASE)
_BULLET = re.compile(r"[-*+](?:\s+(?P<text>.*))?")
# By far the most common shapes; what they do not fit is read in full.
_PLAIN_CODE = re.compile(r"(?:[-*+] |[A-Za-z]+: )`(?P<code>[^` ][^`]*)`")
_PLAIN_EXAMPLE = re.compile(r"[-*+] `[^`]+` (?:returns|raises|prints) ")
_PLAIN_STEPS = ("- Given ", "  When ", "  Then ")
_LISTS = {
    "user stories": "story",
    "out of scope": "out of scope",
    "non-goals": "out of scope",
    "interface": "interface",
}
_BULLETS = frozenset("-*+")
_LABEL_BEGINS = frozenset("*" + "".join(name[0] + name[0].upper() for name in LABELS))
_COMMENT = Label("comment", "", False)
_TEXT = Label("text", "", False)

Verbatim = Literal["code", "comment"] | None


class Section(NamedTuple):
    """A heading and what stands below it, up to the next heading of any level.

    Attributes:
        level: 1 to 3.
        title: Its words, and where they stand.
        first: Index of its line.
        last: Index of the line behind the section.
    """

    level: int
    title: Mention
    first: int
    last: int


@dataclass(slots=True)
class Item:
    """An item of a list or a labelled line, by the indices of its lines; ``inline`` where it stands behind a label."""

    label: str
    lines: list[int]
    inline: bool = False


class RequirementSource:
    """Where a requirement is written.

    Attributes:
        id: Its id, and where it stands.
        title: Its title, and where it stands.
        first: Index of its heading's line.
        last: Index of the line behind it.
        statement: Indices of the lines of its prose.
        items: What is labelled, in order.
        labels: Index of the line of each label, the last one of a name.
        files: Files; the first one counts.
        symbols: Signatures.
        areas: Areas; the first one counts.
    """

    __slots__ = ("areas", "files", "first", "id", "items", "labels", "last", "statement", "symbols", "title")

    def __init__(self, name: Mention, title: Mention, first: int) -> None:
        self.id = name
        self.title = title
        self.first = first
        self.last = first + 1
        self.statement: list[int] = []
        self.items: list[Item] = []
        self.labels: dict[str, int] = {}
        self.files: list[Mention] = []
        self.symbols: list[Mention] = []
        self.areas: list[Mention] = []

    @property
    def acceptance(self) -> list[Item]:
        """Its examples and criteria."""
        return [item for item in self.items if item.label == "acceptance"]


@dataclass
class SpecSource:
    """A spec.md, cut up; ``render(source.text, source.blocks)`` is the text, to the byte.

    Attributes:
        text: The document.
        body: The lines behind the front matter.
        front: The values of the front matter.
        labels: What each line of the body is.
        sections: All headings, and what belongs to them.
        idea: Indices of the lines of the request.
        items: User stories, what is out of scope, and the interface.
        requirements: All requirements, also with the same id.
        questions: All questions.
        problems: What :func:`agentinfra.spec.document.parse` refuses, in the order of the document.
    """

    text: str
    body: Lines
    front: dict[str, str]
    labels: list[Label] = field(default_factory=list[Label])
    sections: list[Section] = field(default_factory=list[Section])
    idea: list[int] = field(default_factory=list[int])
    items: list[Item] = field(default_factory=list[Item])
    requirements: list[RequirementSource] = field(default_factory=list[RequirementSource])
    questions: list[QuestionSource] = field(default_factory=list[QuestionSource])
    problems: list[Problem] = field(default_factory=list[Problem])

    @cached_property
    def blocks(self) -> list[Block]:
        """The document in blocks that follow each other without a gap."""
        front = [Block("front matter", "", 0, self.body.begin)] if self.body.begin else []
        return [*front, *blocks(self.body, self.labels)]

    @property
    def title(self) -> Section | None:
        """The section under the heading of the document."""
        return next((section for section in self.sections if section.level == 1), None)

    def named(self, name: str) -> Iterator[Section]:
        """The sections of the second level with this name, in lower case."""
        return (one for one in self.sections if one.level == 2 and _name(one.title.name) == name)

    def item_lines(self, item: Item) -> list[str]:
        """The lines of an item, without its bullet or label."""
        first = self.body.lines[item.lines[0]]
        found = _LABEL.fullmatch(first) if item.inline else _BULLET.fullmatch(first)
        text = (found["text"] or "") if found else first
        return [text, *(self.body.lines[index] for index in item.lines[1:])]


def read_spec(text: str) -> SpecSource:
    """Cut a spec.md up; any text is one, if with problems. The time it takes grows with the size alone."""
    source = SpecSource(text, Lines(text, len(split(text).front)), read_front_matter(text))
    _Reader(source).read()
    status = source.front.get("status", "") or "draft"
    if status not in STATUSES:
        why = f"status '{status}' is unknown"
        source.problems.append(Problem(Span(0, 3), why, f"Write one of {', '.join(STATUSES)} in the front matter"))
    if source.title is None:
        why = "the document has no title"
        source.problems.append(Problem(Span(0, 0), why, "Begin it with a line such as: # Tea timer"))
    source.problems.sort(key=lambda problem: problem.span)
    return source


def _name(title: str) -> str:
    return title.rstrip(":").lower()


class _Reader:
    """Goes through the lines once; what a line may be depends on the heading that it stands under."""

    def __init__(self, source: SpecSource) -> None:
        self.source = source
        self.body = source.body
        self.labels = source.labels
        self.questions = QuestionReader(source.body, source.problems)
        self.headings: list[tuple[int, Mention, int]] = []
        self.has_title = False
        self.chapter = ""
        self.plain = _TEXT
        self.begins = _TEXT
        self.goes_on = _TEXT
        self.between = _TEXT
        self.label = ""
        self.item: Item | None = None
        self.requirement: RequirementSource | None = None
        self.take = self._text

    def read(self) -> None:
        lines = self.body.lines
        verbatim = verbatim_lines(lines)
        for index, line in enumerate(lines):
            kind = verbatim.get(index)
            found = HEADING.fullmatch(line) if line[:1] == "#" and kind is None else None
            if found:
                self._close(index)
                self._heading(index, found)
            else:
                self.take(index, line, kind)
        self._close(len(lines))
        ends = [*(first for _, _, first in self.headings[1:]), len(lines)]
        self.source.sections += [Section(*one, end) for one, end in zip(self.headings, ends, strict=False)]
        self.source.questions += self.questions.questions

    def _refuse(self, index: int, why: str, next_step: str) -> None:
        self.source.problems.append(Problem(self.body.span(index), why, next_step))

    def _close(self, index: int) -> None:
        if self.requirement:
            self._settle(self.requirement, index)
        self.requirement = None
        self.questions.close(index)

    def _heading(self, index: int, found: re.Match[str]) -> None:
        words, level = found["title"] or "", len(found["marks"])
        start = self.body.starts[index] + found.end() - len(words.lstrip())
        title = Mention(words.strip(), start, start + len(words.strip()))
        self.headings.append((level, title, index))
        self.take, self.plain = self._text, _TEXT
        if level == 3:
            self._third(index, title)
            return
        self.chapter = title.name.lower()
        is_title = level == 1 and not self.has_title
        if is_title:
            self.has_title, self.take = True, self._idea
        elif level == 2:
            self._second(_name(title.name))
        self.labels.append(Label("title" if is_title else "heading", "", True))

    def _second(self, name: str) -> None:
        if name == "goal":
            self.plain = Label("goal", "", False)
        elif name in ("open questions", "questions"):
            self.take = self._question
        elif name in _LISTS:
            self.take, self.item = self._list, None
            self.plain, self.begins = Label(_LISTS[name], "", False), Label(_LISTS[name], "", True)

    def _third(self, index: int, title: Mention) -> None:
        found = _REQUIREMENT.fullmatch(title.name)
        self.labels.append(Label("heading", found["id"] if found else "", True))
        if found:
            ids = Mention(found["id"], title.start, title.start + found.end("id"))
            words = Mention(found["title"], title.start + found.start("title"), title.end)
            self.requirement = RequirementSource(ids, words, index)
            self.source.requirements.append(self.requirement)
            self.take, self.label, self.plain = self._requirement, "", Label("statement", found["id"], False)
        elif self.chapter == "requirements":
            self._refuse(index, f"'{title.name}' has no id", "Write the heading as: ### FR-1 · Title")

    def _text(self, _index: int, _line: str, kind: Verbatim) -> None:
        self.labels.append(_COMMENT if kind == "comment" else self.plain)

    def _idea(self, index: int, line: str, kind: Verbatim) -> None:
        """The first run of quoted lines, comments left out."""
        if kind == "comment":
            self.labels.append(_COMMENT)
        elif line[:1] == ">":
            self.source.idea.append(index)
            self.labels.append(Label("idea", "", False))
        else:
            self.labels.append(_TEXT)
            self.take = self._text if self.source.idea else self._idea

    def _list(self, index: int, line: str, kind: Verbatim) -> None:
        if kind == "comment":
            self.labels.append(_COMMENT)
            return
        bullet = _BULLET.fullmatch(line) if line[:1] in _BULLETS else None
        if bullet:
            self.item = Item(self.plain.kind, [index]) if bullet["text"] else None
            self.source.items += [self.item] if self.item else []
        elif self.item and line.strip():
            self.item.lines.append(index)
        self.labels.append(self.begins if bullet else self.plain)

    def _requirement(self, index: int, line: str, kind: Verbatim) -> None:
        one = self.source.requirements[-1]
        if kind == "comment":
            one.statement += [] if self.label else [index]
            self.labels.append(_COMMENT)
            return
        begin = "" if kind else line[:1]
        label = _LABEL.fullmatch(line) if begin in _LABEL_BEGINS and ":" in line else None
        if label and label["name"].lower() in LABELS:  # "ı" matches "i" in any case
            self._label(index, one, label)
        elif self.label and begin in _BULLETS and _BULLET.fullmatch(line):
            one.items.append(Item(self.label, [index]))
            self.labels.append(self.begins)
        elif self.label and one.items and (kind or begin == " "):
            one.items[-1].lines.append(index)
            self.labels.append(self.goes_on)
        elif not self.label or line.strip():
            self.label = ""
            one.statement.append(index)
            self.labels.append(self.plain)
        else:
            self.labels.append(self.between)

    def _label(self, index: int, one: RequirementSource, found: re.Match[str]) -> None:
        self.label = found["name"].lower()
        one.labels[self.label] = index
        if found["text"]:
            one.items.append(Item(self.label, [index], inline=True))
        kind, owner = "example" if self.label == "acceptance" else self.label, one.id.name
        self.begins, self.goes_on = Label(kind, owner, True), Label(kind, owner, False)
        self.between = Label(self.label, owner, False)
        self.labels.append(Label(self.label, owner, True))

    def _settle(self, one: RequirementSource, end: int) -> None:
        one.last = end
        for item in one.items:
            if item.label == "acceptance":
                self._accept(item)
            elif item.label == "file":
                one.files += self._codes(item)
            elif item.label == "interface":
                one.symbols += self._codes(item)
            else:
                one.areas += self._codes(item)
        if one.areas and one.areas[0].name.lower() not in AREAS:
            why = f"area '{one.areas[0].name}' is unknown"
            self._refuse(one.first, why, f"Write one of: {', '.join(AREAS)}")

    def _accept(self, item: Item) -> None:
        lines = [self.body.lines[index] for index in item.lines]
        if _PLAIN_EXAMPLE.match(lines[0]) or list(map(str.startswith, lines, _PLAIN_STEPS)) == [True, True, True]:
            return
        lines = self.source.item_lines(item)
        if read_criterion(lines) is None and read_example(lines) is None:
            self._refuse(item.lines[0], "this is no acceptance example", "Write it as: - `double(2)` returns `4`")

    def _codes(self, item: Item) -> list[Mention]:
        """The program text of an item, or all of it where nothing is marked as such."""
        line, start = self.body.lines[item.lines[0]], self.body.starts[item.lines[0]]
        if len(item.lines) > 1:
            tokens = item_tokens(self.source.item_lines(item))
            found = [Mention(token.text, start, start + len(line)) for token in tokens if token.kind == "code"]
        elif plain := _PLAIN_CODE.fullmatch(line):
            found = [Mention(plain["code"], start + plain.start("code"), start + len(line) - 1)]
        else:
            found = [Mention(span.text, start + span.start, start + span.end) for span in code_spans(line)]
        return found or [self._whole(item)]

    def _whole(self, item: Item) -> Mention:
        lines = self.source.item_lines(item)
        text = " ".join(lines).strip()
        end = self.body.span(item.lines[0]).end
        start = end - len(lines[0].lstrip())
        return Mention(text, start, start + len(text) if len(lines) == 1 else end)

    def _question(self, index: int, line: str, kind: Verbatim) -> None:
        self.labels.append(_COMMENT if kind == "comment" else self.questions.take(index, line))
