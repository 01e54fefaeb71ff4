"""Markdown, by its lines: each heading opens a section."""

from __future__ import annotations

import re

from agentinfra.memory.parsing.source import Source
from agentinfra.memory.parsing.syntax import Syntax

_HEADING = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#*)?[ \t\r]*")
_UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t\r]*")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_NO_PARAGRAPH = re.compile(r" {4}|\t| {0,3}(?:[-*+>|#]|\d+[.)]|<)")


def read_markdown(source: Source) -> Syntax:
    """The headings outside of code blocks, ``#`` and underlined ones, with their ranks."""
    syntax = Syntax()
    fence = ""
    offset = 0
    for row, line in enumerate(source.lines):
        mark = _FENCE.match(line)
        if fence:
            if mark and mark[1].startswith(fence) and not line[mark.end() :].strip(" `~\t\r"):
                fence = ""
        elif mark:
            fence = mark[1]
        elif found := _heading(source, row):
            rank, name, above = found
            start = offset - (len(source.lines[row - 1].encode()) + 1 if above else 0)
            syntax.headings.append((rank, name, row - above, start))
        offset += len(line.encode()) + 1
    return syntax


def _heading(source: Source, row: int) -> tuple[int, str, int] | None:
    """The rank and name of the heading that a row is or underlines, and how many rows above it begins."""
    line = source.lines[row]
    if heading := _HEADING.fullmatch(line):
        return len(heading[1]), (heading[2] or "").strip(), 0
    if row and (underline := _UNDERLINE.fullmatch(line)):
        above = source.lines[row - 1]
        alone = row == 1 or source.blank[row - 2]
        if alone and not source.blank[row - 1] and not _NO_PARAGRAPH.match(above):
            return (1 if underline[1][0] == "=" else 2), above.strip(), 1
    return None
