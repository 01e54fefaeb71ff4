"""YAML, by its lines: each key that is not indented, with all that is indented under it."""

from __future__ import annotations

import re

from agentinfra.memory.parsing.source import Source
from agentinfra.memory.parsing.syntax import Defined, Syntax

_KEY = re.compile(r"""("[^"]*"|'[^']*'|[^\s#&*!|>'"%@`\[\]{},-][^#]*?|-[^\s#][^#]*?)\s*:(?:\s|$)""")


def read_yaml(source: Source) -> Syntax:
    """The keys of the outermost mapping, of every document of the file, and the comments."""
    syntax = Syntax()
    offset = 0
    for row, line in enumerate(source.lines):
        if line.startswith("#"):
            start = syntax.docs.get(row - 1, (row, 0))
            syntax.docs[row] = start
        elif line.startswith(("---", "...")):
            _close(syntax, row, offset)
        elif key := _KEY.match(line):
            _close(syntax, row, offset)
            syntax.defined.append(Defined("config", key[1].strip("\"'"), offset, -1, row, -1, line.strip()[:300]))
        offset += len(line.encode()) + 1
    _close(syntax, len(source.lines), offset)
    return syntax


def _close(syntax: Syntax, row: int, offset: int) -> None:
    """Ends the last key before a row; the comments right above it belong to what follows."""
    if not syntax.defined or syntax.defined[-1].end >= 0:
        return
    start = syntax.docs.get(row - 1)
    last = syntax.defined[-1]
    last.end, last.end_row = offset, start[0] if start and start[0] > last.row else row
