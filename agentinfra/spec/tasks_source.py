"""tasks.md as it stands: every line of it, what it is, and where each task and what it names is written.

This is the one reader of tasks.md; :mod:`agentinfra.spec.tasks_document` makes values of what it finds.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from agentinfra.core.tasks import TaskState
from agentinfra.spec.markdown import code_spans, verbatim_lines
from agentinfra.spec.source import Block, Label, Lines, Mention, Problem, Span, blocks

_MARK = re.compile(rf"_\((?P<state>{'|'.join(TaskState)})(?:: .*)?\)_")
_TASK = re.compile(r"[-*+] \[[ ~xX!]\]\s+\**(?P<id>T-\d+)\**\s*[·:–—-]?\s*(?P<title>.*)")
_FIELD = re.compile(
    r"\s+[-*+]\s+(?P<name>Requirements|Files|Symbols|Depends on|Engineer):\s*(?P<text>.*)", re.IGNORECASE
)
_ID = re.compile(r"\b(?:N?FR|T)-\d+\b")
_ONE_CODE = re.compile("`[^` ][^`]*`")
_NAME = re.compile(r"[^\s,]++(?:\s++[^\s,]++)*+")
_HEADS = {f"  - {name}": name.lower() for name in ("Requirements", "Files", "Symbols", "Depends on", "Engineer")}
_CHECK_BOX = re.compile(r"[-*+] \[.?\]")
_BULLETS = frozenset("-*+")
_TEXT = Label("text", "", False)
_COMMENT = Label("comment", "", False)


@dataclass(slots=True)
class TaskSource:
    """Where a task is written.

    Attributes:
        body: The lines of the document.
        id: Its id, and where it stands.
        title: Its title, without the mark of its state, and where it stands.
        first: Index of its first line.
        last: Index of the line behind its last one.
        state: The word of its state, as the document has it; "" where there is none.
        places: Index of the line of each field, by its name in lower case; the last one of a name counts.
        requirements: Ids that it implements.
        depends_on: Ids of tasks before it.
        files: Files that it claims.
        symbols: Functions and classes that it writes.
        engineer: Who does it.
    """

    body: Lines
    id: Mention
    title: Mention
    first: int
    last: int
    state: str
    places: dict[str, int]
    requirements: Sequence[Mention] = ()
    depends_on: Sequence[Mention] = ()
    files: Sequence[Mention] = ()
    symbols: Sequence[Mention] = ()
    engineer: str = ""

    @property
    def box(self) -> Span:
        """Where the mark of its check box stands."""
        start = self.body.starts[self.first] + len("- [")
        return Span(start, start + 1)

    @property
    def mark(self) -> Span:
        """Where the mark of its state stands; empty, at the end of the title, where there is none."""
        return Span(self.title.end, self.body.span(self.first).end)

    @property
    def fields(self) -> dict[str, Span]:
        """The place behind each field's name, in lower case; the last one of a name counts."""
        return {name: self._behind(index) for name, index in self.places.items()}

    def _behind(self, index: int) -> Span:
        start, found = self.body.starts[index], _FIELD.fullmatch(self.body.lines[index])
        return Span(start + found.start("text"), start + found.end("text")) if found else self.body.span(index)


@dataclass
class TasksSource:
    """A tasks.md, cut up; ``render(source.text, source.blocks)`` is the text, to the byte.

    Attributes:
        text: The document.
        body: Its lines.
        labels: What each line is.
        tasks: All tasks, also with the same id.
        problems: What :func:`agentinfra.spec.tasks_document.parse_tasks` refuses, but for ids that are used twice.
    """

    text: str
    body: Lines
    labels: list[Label] = field(default_factory=list[Label])
    tasks: list[TaskSource] = field(default_factory=list[TaskSource])
    problems: list[Problem] = field(default_factory=list[Problem])

    @cached_property
    def blocks(self) -> list[Block]:
        """The document in blocks that follow each other without a gap."""
        return list(blocks(self.body, self.labels))


def read_tasks(text: str) -> TasksSource:
    """Cut a tasks.md up; any text is one, if with problems. The time it takes grows with the size alone."""
    body = Lines(text)
    source = TasksSource(text, body)
    goes_on = _TEXT
    verbatim = verbatim_lines(body.lines)
    for index, line in enumerate(body.lines):
        label = _TEXT
        if index in verbatim:
            label = _COMMENT if verbatim[index] == "comment" else _TEXT
        elif line[:1] == " " or line[:1].isspace():
            label = goes_on
            if source.tasks:
                _take_field(source.tasks[-1], index, line)
        elif line[:1] in _BULLETS:
            found = _TASK.fullmatch(line)
            if found:
                source.tasks.append(_task(body, index, found))
                label, goes_on = Label("task", found["id"], True), Label("task", found["id"], False)
            elif _CHECK_BOX.match(line):
                why = "this check box is no task"
                source.problems.append(Problem(body.span(index), why, "Write it as: - [ ] T-1 · Title"))
        source.labels.append(label)
    return source


def _task(body: Lines, index: int, found: re.Match[str]) -> TaskSource:
    start, name, words = body.starts[index], found["id"], found["title"]
    last = words.rfind("_(") if words.endswith(")_") else -1
    mark = _MARK.fullmatch(words, last) if last >= 0 else None
    title = words[:last].rstrip() if mark else words
    at, place = start + found.start("id"), start + found.end() - len(words)
    ids, titled = Mention(name, at, at + len(name)), Mention(title, place, place + len(title))
    return TaskSource(body, ids, titled, index, index + 1, mark["state"] if mark else "", {})


def _take_field(task: TaskSource, index: int, line: str) -> None:
    head, colon, text = line.partition(": ")
    name = _HEADS.get(head, "") if colon else ""
    if not name or text[:1].isspace():  # not as it is rendered
        found = _FIELD.fullmatch(line)
        if found is None:
            return
        name, text = found["name"].lower(), found["text"]
    task.last = index + 1
    task.places[name] = index
    place = task.body.starts[index] + len(line) - len(text)
    if name == "requirements":
        task.requirements = _ids(text, place)
    elif name == "depends on":
        task.depends_on = _ids(text, place)
    elif name == "files":
        task.files = _listed(text, place)
    elif name == "symbols":
        task.symbols = _listed(text, place)
    elif name == "engineer":
        task.engineer = text.strip()


def _ids(text: str, start: int) -> list[Mention]:
    if _ID.fullmatch(text):
        return [Mention(text, start, start + len(text))]
    return [Mention(one[0], start + one.start(), start + one.end()) for one in _ID.finditer(text)]


def _listed(text: str, start: int) -> list[Mention]:
    if _ONE_CODE.fullmatch(text):  # as almost all are
        return [Mention(text[1:-1], start + 1, start + len(text) - 1)]
    codes = [Mention(span.text, start + span.start, start + span.end) for span in code_spans(text)]
    return codes or [Mention(one[0], start + one.start(), start + one.end()) for one in _NAME.finditer(text)]
