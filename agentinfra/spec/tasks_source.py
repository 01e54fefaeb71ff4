"""tasks.md as it stands: every line of it, what it is, and where each task and what it names is written."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property

from agentinfra.core.tasks import TaskState
from agentinfra.spec.markdown import line_tokens, verbatim_lines
from agentinfra.spec.source import Block, Label, Lines, Mention, Span, blocks
from agentinfra.spec.spec_source import Problem
from agentinfra.spec.tasks_document import FIELD, ID, STATE, TASK

_CHECK_BOX = re.compile(r"[-*+] \[.?\]")
_CODE = re.compile(r"`([^`\n]+)`")
_BULLETS = frozenset("-*+")
_TEXT = Label("text", "", False)


@dataclass(slots=True)
class TaskSource:
    """Where a task is written.

    Attributes:
        id: Its id, and where it stands.
        title: Its title, without the mark of its state, and where it stands.
        first: Index of its first line.
        last: Index of the line behind its last one.
        box: Where the mark of its check box stands.
        state: The word of its state, as the document has it; "" where there is none.
        fields: The place behind each field's name, in lower case; the last one of a name counts.
        requirements: Ids that it implements.
        depends_on: Ids of tasks before it.
        files: Files that it claims.
        symbols: Functions and classes that it writes.
    """

    id: Mention
    title: Mention
    first: int
    last: int
    box: Span
    state: str = ""
    fields: dict[str, Span] = field(default_factory=dict[str, Span])
    requirements: list[Mention] = field(default_factory=list[Mention])
    depends_on: list[Mention] = field(default_factory=list[Mention])
    files: list[Mention] = field(default_factory=list[Mention])
    symbols: list[Mention] = field(default_factory=list[Mention])


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
    labels: list[Label]
    tasks: list[TaskSource]
    problems: list[Problem]

    @cached_property
    def blocks(self) -> list[Block]:
        """The document in blocks that follow each other without a gap."""
        return list(blocks(self.body, self.labels))


def read_tasks(text: str) -> TasksSource:
    """Cut a tasks.md up; any text is one, if with problems."""
    body = Lines(text)
    labels: list[Label] = []
    tasks: list[TaskSource] = []
    problems: list[Problem] = []
    verbatim = verbatim_lines(body.lines)
    for index, line in enumerate(body.lines):
        if index in verbatim:
            labels.append(Label("comment" if verbatim[index] == "comment" else "text", "", False))
        elif line[:1] in _BULLETS:
            labels.append(_begin(body, index, line, tasks, problems))
        else:
            labels.append(_continue(body, index, line, tasks[-1]) if tasks else _TEXT)
    return TasksSource(text, body, labels, tasks, problems)


def _begin(body: Lines, index: int, line: str, tasks: list[TaskSource], problems: list[Problem]) -> Label:
    found = TASK.fullmatch(line)
    if found is None:
        if _CHECK_BOX.match(line):
            problems.append(Problem(body.span(index), "this check box is no task", "Write it as: - [ ] T-1 · Title"))
        return _TEXT
    start = body.starts[index]
    mark = STATE.search(found["title"])
    title = found["title"][: mark.start()] if mark else found["title"]
    place = start + found.start("title")
    one = TaskSource(
        Mention(found["id"], start + found.start("id"), start + found.end("id")),
        Mention(title, place, place + len(title)),
        index,
        index + 1,
        Span(start + 3, start + 4),
        _state(mark) if mark else "",
    )
    tasks.append(one)
    return Label("task", one.id.name, True)


def _state(mark: re.Match[str]) -> str:
    word = re.search(r"[a-z]+", mark[0])
    return word[0] if word and word[0] in set(TaskState) else ""


def _continue(body: Lines, index: int, line: str, task: TaskSource) -> Label:
    found = FIELD.fullmatch(line) if line[:1].isspace() else None
    if found is None:
        return _TEXT if not line[:1].isspace() else Label("task", task.id.name, False)
    task.last = index + 1
    name, start = found["name"].lower(), body.starts[index] + found.start("text")
    text = found["text"]
    task.fields[name] = Span(start, start + len(text))
    if name in ("requirements", "depends on"):
        ids = [Mention(one[0], start + one.start(), start + one.end()) for one in ID.finditer(text)]
        if name == "requirements":
            task.requirements = ids
        else:
            task.depends_on = ids
    elif name == "files":
        task.files = _listed(text, start)
    elif name == "symbols":
        task.symbols = _listed(text, start)
    return Label("task", task.id.name, False)


def _listed(text: str, start: int) -> list[Mention]:
    if "``" not in text and "` " not in text.replace("`, ", "") and " `" not in text.replace(", `", ""):
        plain = [Mention(one[1], start + one.start(1), start + one.end(1)) for one in _CODE.finditer(text)]
        if plain and text.count("`") == 2 * len(plain):
            return plain
    codes = [token.text for token in line_tokens(text) if token.kind == "code"]
    names = codes or [part.strip() for part in text.split(",") if part.strip()]
    return [Mention(name, start, start + len(text)) for name in names]
