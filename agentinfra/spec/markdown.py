"""The little Markdown that spec.md and tasks.md are made of: code, fenced blocks, and prose that stays prose."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

LABELS = ("file", "area", "interface", "acceptance")

_FENCE = re.compile(r"[ \t]*(?P<mark>`{3,}|~{3,})[^`]*")
_SPAN = re.compile(r"(?<!`)(?P<ticks>`++)(?P<code>.*?)(?<!`)(?P=ticks)(?!`)")
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
    unclosed: dict[str, int] = {}
    done = -1
    for index, line in enumerate(lines):
        if index <= done or not ("```" in line or "~~~" in line or "<!--" in line):
            continue
        block = _comment(lines, index, unclosed) or _fenced(lines, index, unclosed)
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


def _comment(lines: Sequence[str], start: int, unclosed: dict[str, int]) -> Verbatim | None:
    if not lines[start].lstrip(" \t").startswith("<!--") or "<!--" in unclosed:
        return None
    if "-->" in lines[start].partition("<!--")[2]:
        return Verbatim("comment", start, start)
    for index in range(start + 1, len(lines)):
        if "-->" in lines[index]:
            return Verbatim("comment", start, index)
    unclosed["<!--"] = 1
    return None


def _fenced(lines: Sequence[str], start: int, unclosed: dict[str, int]) -> Verbatim | None:
    opening = _FENCE.fullmatch(lines[start])
    if opening is None:
        return None
    mark, size = opening["mark"][0], len(opening["mark"])
    # Remembering which fences found no end keeps a text full of opening fences linear.
    if size >= unclosed.get(mark, size + 1):
        return None
    for index in range(start + 1, len(lines)):
        line = lines[index].strip(" \t")
        if len(line) >= size and not line.strip(mark):
            return Verbatim("code", start, index)
    unclosed[mark] = size
    return None


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
    for span in _SPAN.finditer(line):
        tokens += [words(line[end : span.start()]), code(_unpad(span["code"]))]
        end = span.end()
    return [*tokens, words(line[end:])]


def _unpad(text: str) -> str:
    padded = text.startswith(" ") and text.endswith(" ") and bool(text.strip(" "))
    return text[1:-1] if padded else text
