"""What a reader of somebody else's format is, and what it hands over: all of the source, or a note of what not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple, Protocol

from agentinfra.core.tasks import Task
from agentinfra.spec.document import HEADING, render
from agentinfra.spec.markdown import one_line, protect, verbatim_lines
from agentinfra.spec.requirements import Spec
from agentinfra.spec.tasks_document import render_tasks

# Sections of spec.md that are read; prose of another document may not take their names.
_READ = (
    "goal",
    "requirements",
    "open questions",
    "questions",
    "user stories",
    "out of scope",
    "non-goals",
    "interface",
)
_VERBATIM_MARKS = ("```", "~~~", "<!--")


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something of the source that the specification has no place for.

    Attributes:
        path: The file that it stands in, relative to what was imported.
        line: Its first line, counted from 1.
        what: What was left out, as it stands there.
        why: Why it could not be carried over.
    """

    path: str
    line: int
    what: str
    why: str

    @property
    def place(self) -> str:
        """Where it stands, as editors open it: ``spec.md:12``."""
        return f"{self.path}:{self.line}"


class Section(NamedTuple):
    """Prose that spec.md keeps as a hand-written section; ``text`` is Markdown with headings of any level."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Imported:
    """A specification out of another format.

    Attributes:
        spec: What the source says, as a draft that nobody has approved.
        tasks: Its tasks, where the format has them, all to be done.
        sections: Prose that belongs to no part of a specification.
        left_out: Everything else; what is neither here nor there was not in the source.
    """

    spec: Spec
    tasks: tuple[Task, ...] = ()
    sections: tuple[Section, ...] = ()
    left_out: tuple[LeftOut, ...] = ()

    @property
    def spec_text(self) -> str:
        """The spec.md: a draft without an approval, whatever the reader made of the source's status."""
        document = render(replace(self.spec, status="draft", id=""))
        return document + "".join(f"\n{_section(section)}\n" for section in self.sections)

    @property
    def tasks_text(self) -> str:
        """The tasks.md, all tasks pending; "" where the source has no tasks."""
        return render_tasks(self.tasks, {}) if self.tasks else ""


class SpecFormat(Protocol):
    """Reads the documents of one tool.

    Packages bring their own by an entry point of the group ``agentinfra.spec_formats``: its name is the format's, its
    object a class or function that is called without arguments and makes the reader.
    """

    @property
    def name(self) -> str:
        """What ``--format`` calls it."""
        ...

    def recognises(self, path: Path) -> bool:
        """Whether this file or folder looks like the format; reads little, raises nothing."""
        ...

    def read(self, path: Path) -> Imported:
        """Read a file or folder.

        Raises:
            InputError: The path cannot be read at all.
            SpecError: What stands there is broken; the message names the line.
        """
        ...


def _section(section: Section) -> str:
    title = one_line(section.title)
    title = f"{title} (imported)" if title.rstrip(":").lower() in _READ else title
    return f"## {title}\n\n{_prose(section.text)}"


def _prose(text: str) -> str:
    """Prose that ends where its section ends: no heading above the fourth level, no fence or comment left open."""
    lines = text.strip("\n").split("\n")
    verbatim = verbatim_lines(lines)
    safe = protect("\n".join(lines)).split("\n")
    return "\n".join(line if index in verbatim else _plain(line, safe[index]) for index, line in enumerate(lines))


def _plain(line: str, safe: str) -> str:
    heading = HEADING.fullmatch(line)
    if heading:
        return f"{'#' * (len(heading['marks']) + 3)} {heading['title'] or ''}".rstrip()
    return safe if line.lstrip(" \t").startswith(_VERBATIM_MARKS) else line


def tidy(lines: Sequence[str]) -> str:
    """Join lines to prose without blank lines at its ends and without two in a row."""
    kept = [line.rstrip() for line in lines]
    pairs = zip(["", *kept], kept, strict=False)
    return "\n".join(line for before, line in pairs if before or line).strip("\n")
