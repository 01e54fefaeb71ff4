"""Questions of a spec.md as they stand, and the reader of a section of them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from agentinfra.spec.source import Label, Lines, Mention, Problem, Span

FIELD = re.compile(r"\s*(?:[-*+]\s+)?(?P<name>Why|Option|Recommended|Answer):\s*(?P<text>.*)", re.IGNORECASE)
_QUESTION = re.compile(r"[-*+] \[(?P<mark>[ xX])\]\s+\**(?P<id>Q-\d+)\**\s*[·:–—-]?\s*(?P<text>.*)")
_BULLET = re.compile(r"[-*+](?:\s+.*)?")
_TEXT = Label("text", "", False)


@dataclass(slots=True)
class QuestionSource:
    """Where a question is written.

    Attributes:
        id: Its id, and where it stands.
        text: What is asked, and where that stands.
        first: Index of its first line.
        last: Index of the line behind its last one.
        box: Where the mark of its check box stands.
        fields: Its fields: their names in lower case, their texts, and the index of the line that each begins on.
    """

    id: Mention
    text: Mention
    first: int
    last: int
    box: Span
    fields: list[tuple[str, str, int]] = field(default_factory=list[tuple[str, str, int]])

    def text_of(self, name: str) -> str:
        """The text of a field; the last one of its name counts."""
        return next((text for key, text, _ in reversed(self.fields) if key == name), "")

    def options(self) -> list[str]:
        """The answers to choose from."""
        return [text for key, text, _ in self.fields if key == "option"]


def goes_on(line: str) -> bool:
    """Whether a line that is no field itself belongs to the text of the field above it."""
    return bool(line.strip()) and not _BULLET.fullmatch(line.strip())


class QuestionReader:
    """Takes the lines of sections of questions, one after the other, comments left out."""

    def __init__(self, body: Lines, problems: list[Problem]) -> None:
        self.questions: list[QuestionSource] = []
        self._body = body
        self._problems = problems
        self._current: QuestionSource | None = None
        self._texts: list[list[str]] = []

    def take(self, index: int, line: str) -> Label:
        """Read a line; says what it is."""
        found = _QUESTION.fullmatch(line)
        if found:
            return self._begin(index, found)
        part = FIELD.fullmatch(line)
        if part and self._current:
            self._current.fields.append((part["name"].lower(), "", index))
            self._texts.append([part["text"].strip()])
        elif self._texts and goes_on(line):
            self._texts[-1].append(line.strip())
        elif _BULLET.fullmatch(line):
            why = "this is no question"
            self._problems.append(Problem(self._body.span(index), why, "Write it as: - [ ] Q-1 · Which format?"))
        return Label("question", self._current.id.name, False) if self._current else _TEXT

    def _begin(self, index: int, found: re.Match[str]) -> Label:
        self.close(index)
        start = self._body.starts[index]
        self._current = QuestionSource(
            Mention(found["id"], start + found.start("id"), start + found.end("id")),
            Mention(found["text"], start + found.start("text"), start + found.end("text")),
            index,
            index + 1,
            Span(start + found.start("mark"), start + found.end("mark")),
        )
        self.questions.append(self._current)
        return Label("question", found["id"], True)

    def close(self, index: int) -> None:
        """End the question that is being read, if there is one, before a line."""
        if self._current:
            texts = (" ".join(filter(None, parts)) for parts in self._texts)
            fields = zip(self._current.fields, texts, strict=True)
            self._current.fields = [(name, text, line) for (name, _, line), text in fields]
            self._current.last = index
        self._current = None
        self._texts = []
