"""A file's bytes as text, as lines and as what a parser reads."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


@dataclass(frozen=True)
class Source:
    """What stands in a file.

    Attributes:
        data: In UTF-8, without a byte order mark.
        lines: Without the "\\n" at their ends.
    """

    data: bytes
    lines: list[str]

    @cached_property
    def offsets(self) -> list[int]:
        """Where each line begins, in characters; one more at the end."""
        return [0, *accumulate(len(line) + 1 for line in self.lines)]

    @cached_property
    def blank(self) -> list[bool]:
        """Whether a line says nothing."""
        return [not line or line.isspace() for line in self.lines]

    def size(self, start: int, end: int) -> int:
        """The characters from row ``start`` up to row ``end``, counted from 0 and left out."""
        return self.offsets[end] - self.offsets[start]

    def text(self, start: int, end: int) -> str:
        """What stands in these rows."""
        return "\n".join(self.lines[start:end])


def read_source(data: bytes) -> Source:
    """Reads bytes as UTF-8, as UTF-16 where a mark says so, as Latin-1 where nothing else fits; never fails."""
    text = _decode(data)
    if "\0" in text:  # ends a text in many libraries written in C
        text = text.replace("\0", "\N{REPLACEMENT CHARACTER}")
    return Source(text.encode(), text.split("\n"))


def _decode(data: bytes) -> str:
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return data[len(bom) :].decode(encoding, "replace")
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")
