"""What every patch format is read into: edits per file, made of hunks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from agentinfra.core.errors import InputError

KEEP, REMOVE, ADD = " ", "-", "+"
BOM = "\ufeff"


class Format(StrEnum):
    """The formats that are read; AUTO is any of them, mixed."""

    AUTO = "auto"
    WHOLE = "whole"
    SEARCH_REPLACE = "search-replace"
    V4A = "v4a"
    UNIFIED = "unified"

    @classmethod
    def named(cls, name: str) -> Format:
        """The format of this name.

        Raises:
            InputError: There is none.
        """
        try:
            return cls(name)
        except ValueError as error:
            raise InputError(f"There is no patch format {name!r}", next_step=f"Use one of {', '.join(cls)}") from error


class Action(StrEnum):
    """What an edit does to its file."""

    WRITE = "write"  # the whole text, whether the file is there or not
    CREATE = "create"  # the whole text of a file that must not be there
    EDIT = "edit"  # hunks in a file that must be there
    DELETE = "delete"  # away with it; hunks, where there are any, must hold all that it holds


class Step(StrEnum):
    """The steps of the ladder, each more tolerant than the one before and including it."""

    EXACT = "exact"
    TRAILING_BLANKS = "trailing blanks"
    LINE_ENDS = "line ends"
    INDENTATION = "indentation"
    PUNCTUATION = "punctuation"
    DRIFT = "context drift"

    @property
    def reindents(self) -> bool:
        """Whether a hunk placed by this step may stand under another indentation than its own."""
        return self in (Step.INDENTATION, Step.PUNCTUATION, Step.DRIFT)

    @property
    def keeps_line_ends(self) -> bool:
        """Whether new lines come with the line ends that the patch gives them."""
        return self in (Step.EXACT, Step.TRAILING_BLANKS)


@dataclass(frozen=True, slots=True)
class Hunk:
    """One change of some neighbouring lines.

    Attributes:
        lines: Mark (KEEP, REMOVE or ADD) and text of each line, with its line end.
        number: Line of the reply, from 1, where the hunk begins.
        line: First line in the old file, from 1, where the format says one; 0 without.
        anchors: Lines that the hunk lies below, outermost first.
        at_end: Whether the format says that the hunk ends where the file ends.
    """

    lines: tuple[tuple[str, str], ...]
    number: int = 0
    line: int = 0
    anchors: tuple[str, ...] = ()
    at_end: bool = False

    @property
    def old(self) -> list[str]:
        """The lines that must stand in the file."""
        return [text for mark, text in self.lines if mark != ADD]

    @property
    def new(self) -> list[str]:
        """The lines that stand there afterwards."""
        return [text for mark, text in self.lines if mark != REMOVE]


@dataclass(frozen=True, slots=True)
class FileEdit:
    """What a patch does to one file.

    Attributes:
        path: The file, as the patch names it.
        action: What is done.
        number: Line of the reply, from 1, where it begins.
        format: The format that it was written in.
        text: The whole text, for WRITE and CREATE.
        hunks: The changes, for EDIT and DELETE.
        move_to: The file's new path; empty where it stays.
        in_turn: Whether each hunk sees what the ones before it have done; otherwise all are meant for the old file.
        old_blob: Beginning of git's hash of the old file, where the format says it.
        new_blob: The same of the new file.
    """

    path: str
    action: Action
    format: Format
    number: int = 0
    text: str = ""
    hunks: tuple[Hunk, ...] = ()
    move_to: str = ""
    in_turn: bool = False
    old_blob: str = ""
    new_blob: str = ""


@dataclass(frozen=True, slots=True)
class Patch:
    """All edits of a reply, in order.

    Attributes:
        edits: At least one.
        notes: What was read over, and why.
    """

    edits: tuple[FileEdit, ...]
    notes: tuple[str, ...] = ()

    @property
    def paths(self) -> list[str]:
        """Every file that is named, each once, new names of moved ones included."""
        named = [path for edit in self.edits for path in (edit.path, edit.move_to) if path]
        return list(dict.fromkeys(named))


def split_lines(text: str) -> list[str]:
    """Split at "\\n" alone, keeping it: a carriage return before it is part of the line's end."""
    lines = [line + "\n" for line in text.split("\n")]
    last = lines.pop()[:-1]
    return [*lines, last] if last else lines
