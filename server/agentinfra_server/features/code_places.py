"""What stands at a line of code, found in its text alone: fast, in any language that people indent."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

_MODIFIERS = r"(?:(?:export|default|pub(?:\([\w ]+\))?|public|private|protected|static|abstract|async|unsafe)[ \t]+)*"
_DEFINITION = re.compile(
    rf"[ \t]*{_MODIFIERS}(?P<word>def|class|function\*?|func(?:[ \t]*\([^()]*\))?|fn|fun|interface|trait|struct|enum)"
    r"[ \t]+(?P<name>\w+)"
)
_ARROW = re.compile(
    r"[ \t]*(?:export[ \t]+)?(?P<word>const|let|var)[ \t]+(?P<name>\w+)[ \t]*=[ \t]*(?:async[ \t]*)?"
    r"(?:function\b|\([^()]*\)[ \t]*=>|\w+[ \t]*=>)"
)
_COMMENT = re.compile(r"\s*(?:#|//|/\*|\*|--|<!--|%|;)")
_TODO = re.compile(r"(?:#|//|/\*|^\s*\*|--|<!--).*\b(?:TODO|FIXME)\b")
_UNWRITTEN = re.compile(
    r"\s*(?:throw new \w*Error\(.{0,80}not[ _]?implemented|todo!\(|unimplemented!\(|panic\(\"not implemented)", re.I
)
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+\Z")
_MOST_LOOK = 300  # characters of a line
_LONGEST_STUB = 60  # lines
_DECORATORS = 10
_NOT_STUBS = ("abstractmethod", "overload")


@dataclass(frozen=True, slots=True)
class Place:
    """A definition.

    Attributes:
        name: Its name, with the class around it: ``area``, ``Circle.area``.
        first: Its first line, from 0.
        last: Its last line.
    """

    name: str
    first: int
    last: int


def split_lines(text: str) -> list[str]:
    """The lines as the protocol counts them, with their ends."""
    return _LINE.findall(text)


def place_at(lines: Sequence[str], line: int) -> Place | None:
    """The innermost definition around a line; None outside of all.

    A function within a function is its outer one: tests and changes are about what can be named from outside.
    """
    found: list[tuple[str, str, int]] = []
    at = _below_decorators(lines, line)
    limit = _indent(lines[at]) + 1 if at < len(lines) and not _is_blank(lines[at]) else 1 << 20
    while at >= 0 and limit > 0:
        text = lines[at] if at < len(lines) else ""
        if not _is_aside(text) and _indent(text) < limit:
            limit = _indent(text)
            if named := _named(text):
                found.append((*named, at))
        at -= 1
    return _place(lines, found, line)


def stub_at(lines: Sequence[str], place: Place | None, first: int, last: int) -> str:
    """What is unfinished: a definition's name, "TODO" for a comment in the lines meant, "" for nothing."""
    if any(_TODO.search(one[:_MOST_LOOK]) for one in lines[first : last + 1][:_LONGEST_STUB]):
        return "TODO"
    if place is None or place.last - place.first > _LONGEST_STUB:
        return ""
    body = lines[place.first : place.last + 1]
    above = "".join(lines[max(0, place.first - _DECORATORS) : place.first])
    if any(mark in above.rpartition("\n\n")[2] for mark in _NOT_STUBS):
        return ""
    is_stub = any(_UNWRITTEN.match(one[:_MOST_LOOK]) for one in body) or _is_python_stub("".join(body))
    return place.name if is_stub else ""


def _below_decorators(lines: Sequence[str], line: int) -> int:
    for at in range(line, min(line + _DECORATORS, len(lines))):
        if not lines[at].lstrip().startswith("@"):
            return at
    return line


def _named(text: str) -> tuple[str, str] | None:
    found = _DEFINITION.match(text[:_MOST_LOOK]) or _ARROW.match(text[:_MOST_LOOK])
    return (found["word"], found["name"]) if found else None


def _place(lines: Sequence[str], found: Sequence[tuple[str, str, int]], line: int) -> Place | None:
    """The innermost of nested definitions, or the function that holds it."""
    chosen: tuple[str, int] | None = None
    for word, name, at in found:  # from the innermost outwards
        if line > _end(lines, at):
            continue
        is_class = word == "class"
        chosen = (f"{name}.{chosen[0]}", chosen[1]) if chosen and is_class else (name, at)
    return Place(chosen[0], chosen[1], _end(lines, chosen[1])) if chosen else None


def _end(lines: Sequence[str], start: int) -> int:
    """The last line of a definition: before what is indented no more than it is."""
    indent, last = _indent(lines[start]), start
    for at in range(start + 1, len(lines)):
        text = lines[at]
        if _is_blank(text):
            continue
        if _indent(text) <= indent and text.lstrip()[0] not in ")]}":
            break
        last = at
    return last


def _is_python_stub(text: str) -> bool:
    try:
        body = ast.parse(textwrap.dedent(text)).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    if len(body) != 1 or not isinstance(body[0], ast.FunctionDef | ast.AsyncFunctionDef):
        return False
    inner = body[0].body
    rest = inner[1:] if ast.get_docstring(body[0]) is not None else inner
    return all(_says_nothing(one) for one in rest)


def _says_nothing(one: ast.stmt) -> bool:
    if isinstance(one, ast.Raise) and one.exc is not None:
        raised = one.exc.func if isinstance(one.exc, ast.Call) else one.exc
        return isinstance(raised, ast.Name) and raised.id == "NotImplementedError"
    ellipsis = isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant) and one.value.value is ...
    return isinstance(one, ast.Pass) or ellipsis


def _is_aside(text: str) -> bool:
    """Whether a line says nothing of the structure: blank, a comment, or the end of something."""
    return _is_blank(text) or text.lstrip()[0] in ")]}" or _COMMENT.match(text) is not None


def _is_blank(text: str) -> bool:
    return not text.strip()


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip())
