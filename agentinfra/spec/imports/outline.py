"""A Markdown document as chapters, each with the numbers of its lines; comments are set apart."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple

from agentinfra.spec.markdown import verbatim_lines

_HEADING = re.compile(r"(?P<marks>#{1,6})(?:[ \t]+(?P<title>.*?))?[ \t]*")


class Line(NamedTuple):
    """A line with its number, counted from 1; ``kind`` is "text", "code" or "comment"."""

    number: int
    text: str
    kind: str = "text"


@dataclass(slots=True)
class Chapter:
    """A heading and the lines below it, up to the next heading; what stands above the first has level 0."""

    level: int
    title: str
    line: int
    lines: list[Line] = field(default_factory=list[Line])


def chapters(text: str) -> list[Chapter]:
    """Cut a document at its headings; headings in closed code blocks and comments are none."""
    lines = text.split("\n")
    verbatim = verbatim_lines(lines)
    found = [Chapter(0, "", 0)]
    for index, line in enumerate(lines):
        heading = None if index in verbatim else _HEADING.fullmatch(line)
        if heading:
            found.append(Chapter(len(heading["marks"]), heading["title"] or "", index + 1))
        else:
            found[-1].lines.append(Line(index + 1, line, verbatim.get(index, "text")))
    return found


def items(lines: list[Line]) -> list[list[Line]]:
    """Cut lines where list items begin; an item goes on over indented lines, other lines stand alone."""
    found: list[list[Line]] = []
    for line in lines:
        goes_on = line.kind == "code" or line.text[:1] in ("", " ", "\t")
        if found and goes_on and (_is_item(found[-1][0]) or line.kind == "code"):
            found[-1].append(line)
        else:
            found.append([line])
    return found


def _is_item(line: Line) -> bool:
    return line.kind == "text" and re.match(r"(?:[-*+]|\d+[.)])\s", line.text) is not None
