"""The little Markdown that spec.md and tasks.md are made of: code, fenced blocks, and prose that stays prose."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Literal, NamedTuple

LABELS = ("file", "area", "interface", "acceptance")

_FENCE = re.compile(r"(?P<mark>`{3,}|~{3,})[^`]*")
_TICKS = re.compile("`+")
_PLAIN_SPAN = re.compile("`[^`]+`")
# What the parser of a document would take for structure, with the backslashes that already stand before it.
_STRUCTURE = re.compile(
    rf"(?P<head>\**(?:{'|'.join(LABELS)})\**(?=\\*:)|[ \t]*(?=\\*(?:\#|```|~~~|<!--)))(?P<escapes>\\*)(?P<rest>.*)",
    re.IGNORECASE | re.DOTALL,
)
_INDENT = "  "


class Token(NamedTuple):
    """A piece of a list item: program text, or the words between."""

    kind: Literal["code", "words"]
    text: str


def one_line(text: str) -> str:
    """Squeeze text onto one line, so that it cannot open a block of its own."""
    return " ".join(text.split())


class Verbatim(NamedTuple):
    """A fenced code block or a comment; ``first`` and ``last`` are the indices of its lines."""

    kind: Literal["code", "comment"]
    first: int
    last: int


def verbatim_blocks(lines: Sequence[str]) -> Iterator[Verbatim]:
    """Find closed fenced code blocks and comments, in which nothing is structure.

    A fence or comment that nothing closes is ordinary text. A comment begins a line of its own.
    """
    marked = [index for index, line in enumerate(lines) if "```" in line or "~~~" in line or "<!--" in line]
    ends = _Ends(lines) if marked else None
    done = -1
    for index in marked:
        block = _verbatim(lines, index, ends) if ends and index > done else None
        if block:
            yield block
            done = block.last


def fenced_blocks(lines: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Find closed fenced code blocks; a fence that nothing closes is ordinary text.

    Yields:
        Indices of the opening and the closing line.
    """
    return ((block.first, block.last) for block in verbatim_blocks(lines) if block.kind == "code")


def verbatim_lines(lines: Sequence[str]) -> dict[int, Literal["code", "comment"]]:
    """The kind of every line that belongs to a closed fenced code block or a comment, by its index."""
    return {index: block.kind for block in verbatim_blocks(lines) for index in range(block.first, block.last + 1)}


class _Ends:
    """The lines that may end a comment or a fenced block; knowing them all keeps a text full of openings linear."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._comments = [index for index, line in enumerate(lines) if "-->" in line]
        self._fences: dict[str, list[int]] = {"`": [], "~": []}
        self._sizes: dict[str, list[int]] = {"`": [], "~": []}
        for index, line in enumerate(lines):
            bare = line.strip(" \t")
            if bare.startswith(("```", "~~~")) and not bare.strip(bare[0]):
                self._fences[bare[0]].append(index)
                self._sizes[bare[0]].append(len(bare))
        self._longest = {mark: list(accumulate(sizes[::-1], max))[::-1] for mark, sizes in self._sizes.items()}

    def comment(self, start: int) -> int | None:
        """The first line behind this one that ends a comment."""
        place = bisect_right(self._comments, start)
        return self._comments[place] if place < len(self._comments) else None

    def fence(self, start: int, mark: str, size: int) -> int | None:
        """The first line behind this one that is a fence of this mark, and no shorter than this."""
        place = bisect_right(self._fences[mark], start)
        if place == len(self._fences[mark]) or self._longest[mark][place] < size:
            return None
        while self._sizes[mark][place] < size:
            place += 1
        return self._fences[mark][place]


def _verbatim(lines: Sequence[str], start: int, ends: _Ends) -> Verbatim | None:
    line = lines[start].lstrip(" \t")
    opening = _FENCE.fullmatch(line)
    if opening:
        last = ends.fence(start, opening["mark"][0], len(opening["mark"]))
        return None if last is None else Verbatim("code", start, last)
    if not line.startswith("<!--"):
        return None
    last = start if "-->" in line[4:] else ends.comment(start)
    return None if last is None else Verbatim("comment", start, last)


def protect(text: str) -> str:
    """Escape lines of prose that would read as headings, labels, fences or comments.

    Returns:
        Text that :func:`unprotect` turns back; closed fenced blocks and comments are left as they are.
    """
    lines = text.split("\n")
    verbatim = verbatim_lines(lines)
    return "\n".join(line if index in verbatim else _escape(line) for index, line in enumerate(lines))


def unprotect(text: str) -> str:
    """Undo :func:`protect`."""
    lines = text.split("\n")
    verbatim = verbatim_lines(lines)
    return "\n".join(line if index in verbatim else _unescape(line) for index, line in enumerate(lines))


def _escape(line: str) -> str:
    found = _STRUCTURE.fullmatch(line)
    return line if found is None else f"{found['head']}\\{found['escapes']}{found['rest']}"


def _unescape(line: str) -> str:
    found = _STRUCTURE.fullmatch(line)
    return line if found is None else f"{found['head']}{found['escapes'][1:]}{found['rest']}"


def code(text: str) -> Token:
    """Mark text as program text for :func:`render_item`."""
    return Token("code", text)


def words(text: str) -> Token:
    """Mark text as prose for :func:`render_item`."""
    return Token("words", text)


def code_span(text: str) -> str:
    """Render non-empty text without line breaks as inline code, whatever backticks it holds."""
    ticks = "`" * (_longest_run(text) + 1)
    padded = text.startswith("`") or text.endswith("`") or (text[0] == text[-1] == " " and text.strip(" "))
    return f"{ticks} {text} {ticks}" if padded else f"{ticks}{text}{ticks}"


def render_item(tokens: Sequence[Token]) -> str:
    """Render a list item; program text that has line breaks or is empty becomes an indented fenced block."""
    lines: list[str] = []
    current = "-"
    for token in tokens:
        if token.kind == "code" and ("\n" in token.text or not token.text):
            lines += [current] if current.strip() else []
            lines += [f"{_INDENT}{line}" if line else "" for line in _block(token.text)]
            current = _INDENT.rstrip(" ")
        else:
            shown = code_span(token.text) if token.kind == "code" else token.text
            current += (" " if current else _INDENT) + shown
    return "\n".join([*lines, current] if current else lines)


def _block(text: str) -> list[str]:
    fence = "`" * max(3, _longest_run(text) + 1)
    return [fence, *(text.split("\n") if text else []), fence]


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)


def item_tokens(lines: Sequence[str]) -> list[Token]:
    """Split a list item into program text and words.

    Args:
        lines: The item without its bullet; lines after the first still carry their indentation.
    """
    dedented = [lines[0], *(line[2:] if line.startswith(_INDENT) else line.lstrip(" ") for line in lines[1:])]
    ends = dict(fenced_blocks(dedented))
    tokens: list[Token] = []
    index = 0
    while index < len(dedented):
        if index in ends:
            tokens.append(code("\n".join(dedented[index + 1 : ends[index]])))
            index = ends[index]
        else:
            tokens += line_tokens(dedented[index])
        index += 1
    return tokens


def line_tokens(line: str) -> list[Token]:
    """Split one line into inline code and the words between."""
    tokens: list[Token] = []
    end = 0
    for span in code_spans(line):
        tokens += [words(line[end : span.first]), code(span.text)]
        end = span.last
    return [*tokens, words(line[end:])]


class CodeSpan(NamedTuple):
    """Inline code: its text, where that stands, and where its backticks begin and end."""

    text: str
    start: int
    end: int
    first: int
    last: int


def code_spans(line: str) -> Iterator[CodeSpan]:
    """Find inline code; backticks that as many others do not close are ordinary text."""
    if "``" in line:
        return _spans_of_any_length(line)
    return (_span(line, found.start(), found.end(), 1) for found in _PLAIN_SPAN.finditer(line))


def _spans_of_any_length(line: str) -> Iterator[CodeSpan]:
    runs = [found.span() for found in _TICKS.finditer(line)]
    following: dict[int, int] = {}
    ends: list[int] = []
    for index, (first, last) in reversed([*enumerate(runs)]):
        ends.append(following.get(last - first, -1))
        following[last - first] = index
    ends.reverse()
    index = 0
    while index < len(runs):
        end = ends[index]
        if end >= 0:
            yield _span(line, runs[index][0], runs[end][1], runs[index][1] - runs[index][0])
        index = max(index, end) + 1


def _span(line: str, first: int, last: int, ticks: int) -> CodeSpan:
    start, end = first + ticks, last - ticks
    if line[start] == line[end - 1] == " " and line[start:end].strip(" "):
        start, end = start + 1, end - 1
    return CodeSpan(line[start:end], start, end, first, last)
