"""What is understood of a file before it is cut: definitions, references, comments and trees."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import tree_sitter

from agentinfra.memory.chunk import ReferenceKind


@dataclass(slots=True)
class Defined:
    """Something that a file defines, as the parser sees it.

    Attributes:
        kind: What the query calls it.
        name: As it stands in the file.
        start: The byte it begins at.
        end: The byte after it.
        row: The row it begins in, from 0.
        end_row: The row after it.
        signature: Its head, on one line.
    """

    kind: str
    name: str
    start: int
    end: int
    row: int
    end_row: int
    signature: str


class Used(NamedTuple):
    """A name that a file uses, and the row, from 0."""

    name: str
    kind: ReferenceKind
    row: int


@dataclass(slots=True)
class Syntax:
    """All that was understood of a file.

    Attributes:
        defined: What it defines.
        used: What it uses.
        docs: Where a comment or decorator ends, the place (row, column) it begins at.
        headings: What opens a section: rank, name, row, byte.
        trees: Of the parsers that read it; they say where something large is cut best.
    """

    defined: list[Defined] = field(default_factory=list[Defined])
    used: list[Used] = field(default_factory=list[Used])
    docs: dict[int, tuple[int, int]] = field(default_factory=dict[int, tuple[int, int]])
    headings: list[tuple[int, str, int, int]] = field(default_factory=list[tuple[int, str, int, int]])
    trees: list[tree_sitter.Tree] = field(default_factory=list[tree_sitter.Tree])
