"""spec.md as it stands: every line of it, what it is, and where each requirement and question is written.

This reads what :func:`agentinfra.spec.document.parse` reads, but keeps places instead of values, never refuses a text,
and lists what ``parse`` would refuse.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from agentinfra.spec.acceptance import read_criterion, read_example
from agentinfra.spec.document import BULLET, FIELD, HEADING, LABEL, QUESTION, REQUIREMENT
from agentinfra.spec.front_matter import read_front_matter, split
from agentinfra.spec.markdown import item_tokens, verbatim_lines
from agentinfra.spec.requirements import AREAS, STATUSES
from agentinfra.spec.source import Block, Label, Lines, Mention, Span, blocks

_PLAIN_CODE = re.compile(r"(?:[-*+] |[A-Za-z]+: )`(?P<code>[^`\n]+)`")
# By far the most common shape of an example; what it does not fit is read in full.
_PLAIN_EXAMPLE = re.compile(r"[-*+] `[^`]+` (?:returns|raises|prints) ")
_LISTS = {
    "user stories": "story",
    "out of scope": "out of scope",
    "non-goals": "out of scope",
    "interface": "interface",
}
_ITEMS = {"acceptance": "example"}
_BULLETS = frozenset("-*+")
_COMMENT = Label("comment", "", False)
_TEXT = Label("text", "", False)

Verbatim = Literal["code", "comment"] | None


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that must be understood is not, and what to write instead."""

    span: Span
    why: str
    next_step: str


@dataclass(slots=True)
class Item:
    """A list item or labelled line of a requirement, by the indices of its lines."""

    label: str
    lines: list[int]
    inline: bool = False


@dataclass(slots=True)
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
        symbols: Signatures.
    """

    id: Mention
    title: Mention
    first: int
    last: int
    statement: list[int] = field(default_factory=list[int])
    items: list[Item] = field(default_factory=list[Item])
    labels: dict[str, int] = field(default_factory=dict[str, int])
    files: list[Mention] = field(default_factory=list[Mention])
    symbols: list[Mention] = field(default_factory=list[Mention])

    @property
    def acceptance(self) -> list[Item]:
        """Its examples and criteria."""
        return [item for item in self.items if item.label == "acceptance"]


@dataclass(slots=True)
class QuestionSource:
    """Where a question is written.

    Attributes:
        id: Its id, and where it stands.
        first: Index of its first line.
        last: Index of the line behind its last one.
        box: Where the mark of its check box stands.
        fields: Its fields and their texts, in order, with the index of the line that each begins on.
    """

    id: Mention
    first: int
    last: int
    box: Span
    fields: list[tuple[str, str, int]] = field(default_factory=list[tuple[str, str, int]])

    def text_of(self, name: str) -> str:
        """The text of a field, in lower case; the last one of its name counts."""
        return next((text for key, text, _ in reversed(self.fields) if key == name), "")

    def options(self) -> list[str]:
        """The answers to choose from."""
        return [text for key, text, _ in self.fields if key == "option"]


@dataclass
class SpecSource:
    """A spec.md, cut up; ``render(source.text, source.blocks)`` is the text, to the byte.

    Attributes:
        text: The document.
        body: The lines behind the front matter.
        front: The values of the front matter.
        labels: What each line of the body is.
        requirements: All requirements, also with the same id.
        questions: All questions.
        problems: What :func:`agentinfra.spec.document.parse` refuses.
    """

    text: str
    body: Lines
    front: dict[str, str]
    labels: list[Label]
    requirements: list[RequirementSource]
    questions: list[QuestionSource]
    problems: list[Problem]

    @cached_property
    def blocks(self) -> list[Block]:
        """The document in blocks that follow each other without a gap."""
        front = [Block("front matter", "", 0, self.body.begin)] if self.body.begin else []
        return [*front, *blocks(self.body, self.labels)]


def read_spec(text: str) -> SpecSource:
    """Cut a spec.md up; any text is one, if with problems."""
    front = split(text).front
    reader = _Reader(Lines(text, len(front)))
    reader.read()
    values = read_front_matter(text)
    status = values.get("status", "") or "draft"
    problems = reader.problems
    if status not in STATUSES:
        why = f"status '{status}' is unknown"
        problems = [Problem(Span(0, 3), why, f"Write one of {', '.join(STATUSES)} in the front matter"), *problems]
    return SpecSource(text, reader.body, values, reader.labels, reader.requirements, reader.questions, problems)


class _Reader:
    """Goes through the lines once; what a line may be depends on the heading that it stands under."""

    def __init__(self, body: Lines) -> None:
        self.body = body
        self.labels: list[Label] = []
        self.requirements: list[RequirementSource] = []
        self.questions: list[QuestionSource] = []
        self.problems: list[Problem] = []
        self.chapter = ""
        self.has_title = False
        self.plain = Label("text", "", False)
        self.begins = self.plain
        self.label = ""
        self.take = self._text

    def read(self) -> None:
        lines = self.body.lines
        verbatim = verbatim_lines(lines)
        for index, line in enumerate(lines):
            kind = verbatim.get(index)
            found = HEADING.fullmatch(line) if line[:1] == "#" and kind is None else None
            if found:
                self._close(index)
                self._heading(index, len(found["marks"]), (found["title"] or "").strip())
            else:
                self.take(index, line, kind)
        self._close(len(lines))
        if not self.has_title:
            self._refuse(0, "the document has no title", "Begin it with a line such as: # Tea timer")

    def _refuse(self, index: int, why: str, next_step: str) -> None:
        self.problems.append(Problem(self.body.span(index), why, next_step))

    def _close(self, index: int) -> None:
        if self.take == self._requirement:
            self._settle(self.requirements[-1], index)
        if self.take == self._question and self.questions and self.questions[-1].last < 0:
            self.questions[-1].last = index

    def _heading(self, index: int, level: int, title: str) -> None:
        self.take, self.plain = self._text, Label("text", "", False)
        kind, owner = "heading", ""
        if level == 3:
            owner = self._third(index, title)
        else:
            self.chapter = title.lower()
        if level == 1 and not self.has_title:
            self.has_title, kind = True, "title"
            self.take, self.plain = self._idea, Label("idea", "", False)
        elif level == 2:
            self._second(title.rstrip(":").lower())
        self.labels.append(Label(kind, owner, True))

    def _second(self, name: str) -> None:
        if name == "goal":
            self.plain = Label("goal", "", False)
        elif name in ("open questions", "questions"):
            self.take = self._question
        elif name in _LISTS:
            self.take, self.plain = self._list, Label(_LISTS[name], "", False)
            self.begins = Label(_LISTS[name], "", True)

    def _third(self, index: int, title: str) -> str:
        found = REQUIREMENT.fullmatch(title)
        if found:
            start = self.body.starts[index] + self.body.lines[index].index(title)
            ids, name = Mention(found["id"], start, start + found.end("id")), found["title"]
            titled = Mention(name, start + found.start("title"), start + found.end("title"))
            self.requirements.append(RequirementSource(ids, titled, index, index))
            self.take, self.label = self._requirement, ""
            self.plain = Label("statement", found["id"], False)
            return found["id"]
        if self.chapter == "requirements":
            self._refuse(index, f"'{title}' has no id", "Write the heading as: ### FR-1 · Title")
        return ""

    def _text(self, _index: int, _line: str, kind: Verbatim) -> None:
        self.labels.append(_COMMENT if kind == "comment" else self.plain)

    def _idea(self, _index: int, line: str, kind: Verbatim) -> None:
        if kind == "comment" or line[:1] != ">":
            self.labels.append(_COMMENT if kind == "comment" else _TEXT)
        else:
            self.labels.append(self.plain)

    def _list(self, _index: int, line: str, kind: Verbatim) -> None:
        if kind == "comment":
            self.labels.append(_COMMENT)
        else:
            self.labels.append(self.begins if line[:1] in _BULLETS and BULLET.fullmatch(line) else self.plain)

    def _requirement(self, index: int, line: str, kind: Verbatim) -> None:
        one = self.requirements[-1]
        if kind == "comment":
            if not self.label:
                one.statement.append(index)
            self.labels.append(_COMMENT)
            return
        first = line[:1]
        label = LABEL.fullmatch(line) if kind is None and ":" in line else None
        if label:
            self._label(index, one, label)
        elif self.label and kind is None and first in _BULLETS and BULLET.fullmatch(line):
            one.items.append(Item(self.label, [index]))
            self.labels.append(Label(_ITEMS.get(self.label, self.label), one.id.name, True))
        elif self.label and one.items and (kind or first == " "):
            one.items[-1].lines.append(index)
            self.labels.append(Label(_ITEMS.get(self.label, self.label), one.id.name, False))
        elif not self.label or line.strip():
            self.label = ""
            one.statement.append(index)
            self.labels.append(self.plain)
        else:
            self.labels.append(Label(self.label, one.id.name, False))

    def _label(self, index: int, one: RequirementSource, found: re.Match[str]) -> None:
        self.label = found["name"].lower()
        one.labels[self.label] = index
        if found["text"]:
            one.items.append(Item(self.label, [index], inline=True))
        self.labels.append(Label(self.label, one.id.name, True))

    def _settle(self, one: RequirementSource, end: int) -> None:
        one.last = end
        areas: list[str] = []
        for item in one.items:
            if item.label == "acceptance":
                self._accept(item)
            elif item.label == "area":
                areas += [mention.name for mention in self._codes(item)]
            else:
                (one.files if item.label == "file" else one.symbols).extend(self._codes(item))
        if areas and areas[0].lower() not in AREAS:
            self._refuse(one.first, f"area '{areas[0]}' is unknown", f"Write one of: {', '.join(AREAS)}")

    def _accept(self, item: Item) -> None:
        if len(item.lines) == 1 and _PLAIN_EXAMPLE.match(self.body.lines[item.lines[0]]):
            return
        lines = self.item_lines(item)
        if read_criterion(lines) is None and read_example(lines) is None:
            self._refuse(item.lines[0], "this is no acceptance example", "Write it as: - `double(2)` returns `4`")

    def item_lines(self, item: Item) -> list[str]:
        """The lines of an item, without its bullet or label."""
        first = self.body.lines[item.lines[0]]
        found = LABEL.fullmatch(first) if item.inline else BULLET.fullmatch(first)
        text = (found["text"] or "") if found else first
        return [text, *(self.body.lines[index] for index in item.lines[1:])]

    def _codes(self, item: Item) -> list[Mention]:
        span = self.body.span(item.lines[0])
        plain = _PLAIN_CODE.fullmatch(self.body.lines[item.lines[0]]) if len(item.lines) == 1 else None
        if plain and (plain["code"].strip(" ") == plain["code"]):
            return [Mention(plain["code"], span.start + plain.start("code"), span.start + plain.end("code"))]
        lines = self.item_lines(item)
        codes = [token.text for token in item_tokens(lines) if token.kind == "code"]
        return [Mention(text, *span) for text in codes or [" ".join(lines).strip()]]

    def _question(self, index: int, line: str, kind: Verbatim) -> None:
        if kind == "comment":
            self.labels.append(_COMMENT)
            return
        found = QUESTION.fullmatch(line)
        if found:
            self._begin_question(index, found)
            return
        one = self.questions[-1] if self.questions and self.questions[-1].last < 0 else None
        self.labels.append(Label("question", one.id.name, False) if one else _TEXT)
        part = FIELD.fullmatch(line)
        if part and one:
            one.fields.append((part["name"].lower(), part["text"].strip(), index))
        elif line.strip() and one and one.fields and not BULLET.fullmatch(line.strip()):
            name, text, first = one.fields[-1]
            one.fields[-1] = (name, f"{text} {line.strip()}".strip(), first)
        elif BULLET.fullmatch(line):
            self._refuse(index, "this is no question", "Write it as: - [ ] Q-1 · Which format?")

    def _begin_question(self, index: int, found: re.Match[str]) -> None:
        if self.questions and self.questions[-1].last < 0:
            self.questions[-1].last = index
        start = self.body.starts[index]
        ids = Mention(found["id"], start + found.start("id"), start + found.end("id"))
        box = Span(start + found.start("mark"), start + found.end("mark"))
        self.questions.append(QuestionSource(ids, index, -1, box))
        self.labels.append(Label("question", found["id"], True))
