"""The spec.md of a spec-kit feature: stories with their scenarios, requirements, success criteria, clarifications."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from agentinfra.spec.acceptance import read_criterion
from agentinfra.spec.imports.format import LeftOut, Section, tidy
from agentinfra.spec.imports.outline import Chapter, Line, chapters, items
from agentinfra.spec.markdown import one_line
from agentinfra.spec.requirements import Criterion, Question, Requirement

_ID = re.compile(
    r"(?:[-*+]\s+)?(?:\[[ xX]\]\s+)?[*_]*(?P<id>(?:N?FR|SC)-(?=[\w.-]{0,40}\d)[\w-]++(?:\.[\w-]++)*+)[*_]*+"
    r"(?P<more>[^*:\n]{0,40}?)[*_]*+\s*+(?:[:：–—-]|$)[*_]*+\s*+(?P<text>.*)"
)
_STORY = re.compile(r"(?:primary |main )?user story\b\s*(?P<number>\d*)\s*[-–—:.]*\s*(?P<title>.*)", re.IGNORECASE)
_LABEL = re.compile(r"[*_]{2}(?P<name>[^*_:]+)(?:[*_]{2}\s*:|:\s*[*_]{2})\s*(?P<text>.*)")
_SCENARIOS = re.compile(r"[*_]*acceptance(?: scenarios| criteria)?[*_]*:?[*_]*", re.IGNORECASE)
_ANSWERED = re.compile(r"[-*+]\s+\**Q\**:\s*\**\s*(?P<text>.*?)\s*(?:→|->|=>)\s*\**A\**:\s*\**\s*(?P<answer>.*)")
_UNCLEAR = re.compile(r"\[NEEDS CLARIFICATION\b:?\s*(?P<text>[^\]]{0,500})\]")
_RULE = re.compile(r"\s*(?:-{3,}|\*{3,}|_{3,})\s*")
_MARKER = re.compile(r"\s*(?:[-*+]|\d+[.)])\s+")
_REMARKS = ("mandatory)", "optional)", "include if feature involves data)")
# Chapters of the template that are expressed by the specification's own structure.
_KNOWN = frozenset(
    {
        "user scenarios & testing",
        "user scenarios and testing",
        "user scenarios",
        "requirements",
        "functional requirements",
        "non-functional requirements",
        "success criteria",
        "measurable outcomes",
        "clarifications",
        "acceptance scenarios",
    }
)
_OUTSIDE = ("out of scope", "non-goals", "non goals", "out-of-scope")
_GOALS = ("goal", "overview", "purpose")
_TITLE_LENGTH = 72


@dataclass(slots=True)
class FeatureSpec:
    """What the spec.md of a feature says.

    Attributes:
        questions: Without ids.
        stories: Ids of the requirements that the stories became, by the stories' numbers.
    """

    title: str = ""
    idea: str = ""
    goal: str = ""
    requirements: list[Requirement] = field(default_factory=list[Requirement])
    questions: list[Question] = field(default_factory=list[Question])
    story_titles: list[str] = field(default_factory=list[str])
    stories: dict[str, str] = field(default_factory=dict[str, str])
    out_of_scope: list[str] = field(default_factory=list[str])
    sections: list[Section] = field(default_factory=list[Section])
    left_out: list[LeftOut] = field(default_factory=list[LeftOut])


@dataclass(slots=True)
class _Found:
    """A requirement before it has its id, or a story: that has none, but a number and a chapter of its own."""

    source_id: str
    title: str
    line: int
    lines: list[Line]
    number: str = ""
    level: int = 0


def read_feature_spec(text: str, name: str) -> FeatureSpec:
    """Read a feature's spec.md; comments are left out, all other prose becomes sections.

    Args:
        text: The document.
        name: How places call it.
    """
    return _Reader(name).read(text)


class _Reader:
    """Goes through the chapters once; what is not understood stays prose, under its own heading."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.spec = FeatureSpec()
        self.found: list[_Found] = []
        self.story: _Found | None = None
        self.prose: list[tuple[str, int, list[str]]] = []
        self.section_level = 0
        self.chapter = ""

    def read(self, text: str) -> FeatureSpec:
        for chapter in chapters(text):
            self._leave_comments(chapter)
            self._take(chapter)
            self._ask(chapter)
        self._name_requirements()
        self.spec.sections = [Section(title, tidy(lines)) for title, _, lines in self.prose]
        return self.spec

    def _leave_comments(self, chapter: Chapter) -> None:
        comments = (line for line in chapter.lines if line.kind == "comment")
        for _, group in itertools.groupby(enumerate(comments), lambda one: one[1].number - one[0]):
            lines = [line for _, line in group]
            what = "\n".join(line.text for line in lines)
            self._leave(lines[0].number, what, "a comment: a note to the author, not a part of the specification")
        chapter.lines = [one for one in chapter.lines if one.kind != "comment" and not _is_rule(one)]

    def _take(self, chapter: Chapter) -> None:
        title = _plain(chapter.title)
        self.chapter = title.lower() if chapter.level <= 2 else self.chapter
        story, requirement = _STORY.fullmatch(title), _ID.fullmatch(title)
        if self.story and chapter.level > self.story.level:
            heading = [] if _SCENARIOS.fullmatch(title) else [Line(chapter.line, f"**{chapter.title}**"), Line(0, "")]
            self.story.lines += [*heading, *chapter.lines]
            return
        self.story = None
        if chapter.level < 2 and not self.spec.title:
            self._head(chapter)
        elif story:
            self._begin_story(chapter, story)
        elif requirement and chapter.level > 2:
            lines = [_said(requirement, chapter.line), Line(0, ""), *chapter.lines]
            self.found.append(_Found(requirement["id"], _bare(lines[0].text), chapter.line, lines))
        else:
            self._section(chapter, title)

    def _begin_story(self, chapter: Chapter, story: re.Match[str]) -> None:
        title = story["title"] or f"User story {story['number']}".rstrip()
        self.story = _Found("", title, chapter.line, chapter.lines, story["number"], chapter.level)
        self.spec.story_titles.append(chapter.title)
        self.found.append(self.story)

    def _section(self, chapter: Chapter, title: str) -> None:
        key = title.lower()
        before = (self.spec.goal, len(self.spec.questions))
        rest = self._understood(chapter.lines, title)
        text = tidy([line.text for line in rest])
        took = before != (self.spec.goal, len(self.spec.questions))
        if text or not (took or key in _KNOWN or key in _OUTSIDE):
            self._keep(chapter, text)
        elif chapter.level <= 2:
            self.section_level = 0

    def _understood(self, lines: list[Line], title: str) -> list[Line]:
        """Take what a chapter's lines say that has a place of its own; returns the rest."""
        key = title.lower()
        stories = [one for one in self.found if not one.source_id]
        if key == "acceptance scenarios" and stories:
            stories[-1].lines += lines
            return []
        if key in _OUTSIDE:
            return self._bullets(lines)
        if self.chapter == "clarifications":
            return self._answers(lines, title)
        if key in _GOALS and not self.spec.goal:
            self.spec.goal = tidy([line.text for line in lines])
            return []
        return self._requirements(lines)

    def _keep(self, chapter: Chapter, text: str) -> None:
        known = _plain(chapter.title).lower() in _KNOWN
        if self.section_level and chapter.level > self.section_level:
            marks = "#" * (chapter.level - self.section_level)
            self.prose[-1][2].extend(["", f"{marks} {chapter.title}", "", *text.split("\n")])
            return
        self.prose.append((chapter.title or self.spec.title, chapter.level, text.split("\n")))
        self.section_level = 0 if known else chapter.level

    def _head(self, chapter: Chapter) -> None:
        self.spec.title = re.sub(r"^feature spec(?:ification)?:\s*", "", chapter.title, flags=re.IGNORECASE)
        about: list[str] = []
        idea: list[str] = []
        told = about
        for line in chapter.lines:
            label = _LABEL.match(line.text)
            name = label["name"].strip().lower() if label else ""
            told = about if label else told
            if label and name == "status":
                self._status(line, label["text"])
            elif label and name == "input" and not (idea or self.spec.idea):
                told = idea
                told.append(label["text"])
            else:
                told.append(line.text)
        self.spec.idea = self.spec.idea or _unquoted(tidy(idea))
        if tidy(about):
            self.prose.append(("About this feature", 2, about))

    def _status(self, line: Line, status: str) -> None:
        if status.strip().lower() != "draft":
            self._leave(line.number, line.text, "what is imported is a draft: read it, then approve it here")

    def _requirements(self, lines: list[Line]) -> list[Line]:
        rest: list[Line] = []
        for item in items(lines):
            found = _ID.fullmatch(item[0].text) if item[0].kind == "text" else None
            if found is None:
                rest += item
                continue
            first = _said(found, item[0].number)
            self.found.append(_Found(found["id"], _bare(first.text), first.number, [first, *_outdented(item[1:])]))
        return rest

    def _bullets(self, lines: list[Line]) -> list[Line]:
        rest: list[Line] = []
        for item in items(lines):
            marker = _MARKER.match(item[0].text)
            if marker and all(line.kind == "text" for line in item):
                text = one_line("\n".join(line.text for line in item)[marker.end() :])
                self.spec.out_of_scope += [text] if text else []
            else:
                rest += item
        return rest

    def _answers(self, lines: list[Line], title: str) -> list[Line]:
        rest: list[Line] = []
        for item in items(lines):
            found = _ANSWERED.fullmatch(one_line(" ".join(line.text for line in item)))
            if found:
                why = title if title.lower() != "clarifications" else ""
                self.spec.questions.append(Question("", found["text"], why, answer=found["answer"]))
            else:
                rest += item
        return rest

    def _ask(self, chapter: Chapter) -> None:
        for line in chapter.lines:
            for unclear in _UNCLEAR.finditer(line.text if line.kind == "text" else ""):
                context = _bare(_MARKER.sub("", line.text, 1), 1_000)
                self.spec.questions.append(Question("", one_line(unclear["text"]) or context, context))

    def _name_requirements(self) -> None:
        ids = _Ids([one.source_id for one in self.found])
        named = [(ids.take(one.source_id), one) for one in self.found if one.source_id]
        named += [(ids.new("FR"), one) for one in self.found if not one.source_id]
        for name, one in named:
            if one.source_id:
                self._require(name, one)
            else:
                self.spec.stories.setdefault(one.number, name)
                self.spec.requirements.append(_story_requirement(name, one))

    def _require(self, name: str, one: _Found) -> None:
        """Add a requirement; one that could not keep its id says in its statement what it was."""
        renamed = name != one.source_id
        if renamed and not one.source_id.startswith("SC-"):
            self._leave(one.line, one.source_id, f"the id is used twice, or is no number; it is {name} here")
        statement = tidy([line.text for line in one.lines])
        head = f"{one.source_id}: " if renamed else ""
        self.spec.requirements.append(Requirement(name, one.title, head + statement))

    def _leave(self, line: int, what: str, why: str) -> None:
        self.spec.left_out.append(LeftOut(self.name, line, what, why))


class _Ids:
    """Ids of requirements: the source's own where they fit, free ones for the rest."""

    def __init__(self, wanted: Sequence[str]) -> None:
        self.used: set[str] = set()
        self.free = {kind: self._above(kind, wanted) for kind in ("FR", "NFR")}

    def _above(self, kind: str, wanted: Sequence[str]) -> itertools.count[int]:
        numbers = [int(number) for number in re.findall(rf"\b{kind}-(\d{{1,9}})\b", " ".join(wanted))]
        return itertools.count(max(numbers, default=0) + 1)

    def take(self, wanted: str) -> str:
        """The id that was wanted, or a new one of its kind."""
        if re.fullmatch(r"N?FR-\d{1,9}", wanted) and wanted not in self.used:
            self.used.add(wanted)
            return wanted
        return self.new("FR" if wanted.startswith("FR") else "NFR")

    def new(self, kind: str) -> str:
        """An id that nothing else has."""
        return f"{kind}-{next(self.free[kind]):03d}"


def _story_requirement(name: str, story: _Found) -> Requirement:
    """A story with its scenarios as criteria; what is no scenario stays prose, but for the label above them."""
    prose: list[str] = []
    criteria: list[Criterion] = []
    for item in items(story.lines):
        found = _criterion(item)
        if found:
            criteria.append(found)
        else:
            labelled = _SCENARIOS.fullmatch(item[0].text.strip()) is not None
            prose += [line.text for line in item[labelled:]]
    return Requirement(name, story.title, tidy(prose), criteria=tuple(criteria))


def _criterion(item: list[Line]) -> Criterion | None:
    marker = _MARKER.match(item[0].text)
    if marker is None or any(line.kind == "code" for line in item):
        return None
    lines = [item[0].text[marker.end() :], *(line.text for line in item[1:] if line.text.strip())]
    return read_criterion(lines)


def _outdented(lines: list[Line]) -> Iterator[Line]:
    width = min((len(line.text) - len(line.text.lstrip()) for line in lines if line.text.strip()), default=0)
    return (line._replace(text=line.text[width:]) for line in lines)


def _said(found: re.Match[str], number: int) -> Line:
    """What a requirement says behind its id, with what stands between, such as "(US1)"."""
    more = found["more"].strip()
    return Line(number, f"{more}: {found['text']}" if more else found["text"])


def _plain(title: str) -> str:
    """A heading without emphasis, colon and the template's remark on it."""
    head, _, remark = title.strip(" \t*_:").rpartition("(")
    return (head if remark in _REMARKS else title).strip(" \t*_:")


def _bare(text: str, length: int = _TITLE_LENGTH) -> str:
    """Text without emphasis, cut at a word."""
    plain = one_line(re.sub(r"\*\*|__", "", text))
    return plain if len(plain) <= length else plain[:length].rsplit(" ", 1)[0] + " …"


def _unquoted(text: str) -> str:
    text = re.sub(r"^user description:\s*", "", text, flags=re.IGNORECASE)
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text


def _is_rule(line: Line) -> bool:
    return line.kind == "text" and _RULE.fullmatch(line.text) is not None
