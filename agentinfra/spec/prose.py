"""What stands in a text for people, as far as it can be said without a model: blocks, clauses, values."""

from __future__ import annotations

import ast
import datetime
import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import Literal, NamedTuple

from agentinfra.spec.front_matter import split

Kind = Literal["text", "number", "constant", "empty", "call"]

NUMBER_WORDS = (
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
)
_CONTAINERS = frozenset(
    {"list", "lists", "tuple", "dict", "dictionary", "set", "mapping", "sequence", "iterable", "collection"}
)
_STRINGS = frozenset({"string", "strings", "text", "texts", "line", "name", "word", "title"})

_QUOTED = re.compile(
    r'"(?P<a>[^"\n]{0,200})"|“(?P<b>[^”\n]{0,200})”|„(?P<c>[^“”\n]{0,200})[“”]|«(?P<d>[^»\n]{0,200})»'
    r"|(?<![\w\\])'(?P<e>[^'\n]{0,200})'(?!\w)|(?<!\w)‘(?P<f>[^’\n]{0,200})’(?!\w)"
)
_CODE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_NEW_BLOCK = re.compile(r"\s*(?:[-*+•]\s|\d+[.)]\s|`|#|$)")
_BOUNDARY = re.compile(r"(?<!\be\.g)(?<!\bi\.e)(?<!\bvs)[.!?;][)\]*_]*(?=\s|$)")
_NUMBER = re.compile(
    r"(?<![\w.\-−:/])(?P<sign>[-−]?)(?P<digits>\d{1,3}(?:,\d{3})++(?!\d)|\d++(?:\.\d++)?)(?![-−/:]?\d)"
)
_WORD = re.compile(
    # "One" is left out where it stands for a thing named before: "a bad one raises", "this one".
    r"\b(?:(?:the|this|that|no|any|every|each|which|bad|good|new|old|other|another|same|right|wrong|only|\w+er|\w+est)"
    rf"\s+one|(?P<minus>minus\s+)?(?P<number>{'|'.join(NUMBER_WORDS)})|(?P<constant>true|false|none)"
    r"|(?P<empty>empty|blank)(?:\s+(?P<noun>\w+))?)\b",
    re.IGNORECASE,
)
_CALL = re.compile(r"\b[A-Za-z_][\w.]*\(")


class Value(NamedTuple):
    """A value, comparable across program text and prose: ``empty`` holds "string", "container" or "any"."""

    kind: Kind
    value: object

    def is_in(self, mention: Mention) -> bool:
        """Whether the mention is one of this value."""
        if self.kind == "empty":
            written_out = mention.kind == "text" and not str(mention.value).strip() and self.value == "string"
            return written_out or (mention.kind == "empty" and mention.value in ("any", self.value))
        if self.kind == "text" and mention.kind == "text":
            return self.value == mention.value or repr(self.value)[1:-1] == mention.value
        return self.kind == mention.kind and self.value == mention.value


class Mention(NamedTuple):
    """A value that a text mentions, with its place in the block."""

    kind: Kind
    value: object
    start: int
    end: int

    def overlaps(self, other: Mention) -> bool:
        """Whether the two share a character."""
        return self.start < other.end and other.start < self.end


class Clause(NamedTuple):
    """A part of a block up to a full stop, semicolon, question or exclamation mark; places count in the block."""

    start: int
    end: int
    mentions: tuple[Mention, ...]


class Block(NamedTuple):
    """A paragraph, a list item, or a line that begins with code.

    Attributes:
        text: The block, verbatim.
        clauses: Its clauses, in order.
        codes: Contents of its `code spans`.
    """

    text: str
    clauses: tuple[Clause, ...]
    codes: tuple[str, ...]


@lru_cache(maxsize=64)
def read_prose(text: str) -> tuple[Block, ...]:
    """Cut a text into blocks and find the values that it mentions; front matter is left out."""
    return tuple(_block(block) for block in _block_texts(split(text).body.replace("\r\n", "\n")))


def _block_texts(text: str) -> Iterator[str]:
    lines: list[str] = []
    for line in [*text.split("\n"), ""]:
        if _NEW_BLOCK.match(line):
            if any(map(str.strip, lines)):
                yield "\n".join(lines)
            lines = []
        lines.append(line)


def _block(text: str) -> Block:
    without_quotes = _masked(_QUOTED, text)
    mentions = sorted(_mentions(text, without_quotes), key=lambda mention: (mention.start, mention.end))
    starts = [0, *(found.end() for found in _BOUNDARY.finditer(_masked(_CODE, without_quotes))), len(text)]
    clauses = (
        Clause(start, end, tuple(m for m in mentions if start <= m.start < end))
        for start, end in pairwise(starts)
        if start < end
    )
    return Block(text, tuple(clauses), tuple(found[1] for found in _CODE.finditer(text)))


def _masked(pattern: re.Pattern[str], text: str) -> str:
    return pattern.sub(lambda found: "\0" * len(found[0]), text)


def _mentions(text: str, without_quotes: str) -> Iterator[Mention]:
    calls = list(_calls(text))
    simple = [*_quoted(text), *_numbers(without_quotes), *_words(without_quotes)]
    yield from calls
    yield from (mention for mention in simple if not any(mention.overlaps(call) for call in calls))


def _quoted(text: str) -> Iterator[Mention]:
    for found in _QUOTED.finditer(text):
        content = next(group for group in found.groups() if group is not None)
        yield Mention("text", content, found.start(), found.end())


def _numbers(text: str) -> Iterator[Mention]:
    for found in _NUMBER.finditer(text):
        number = _number(found["digits"].replace(",", ""))
        yield Mention("number", -number if found["sign"] else number, found.start(), found.end())


def _number(digits: str) -> int | float:
    # Python refuses to convert thousands of digits to int; such a number is nobody's example.
    return float(digits) if "." in digits or len(digits) > 300 else int(digits)


def _words(text: str) -> Iterator[Mention]:
    for found in _WORD.finditer(text):
        span = found.span()
        if found["number"]:
            number = NUMBER_WORDS.index(found["number"].lower())
            yield Mention("number", -number if found["minus"] else number, *span)
        elif found["constant"]:
            yield Mention("constant", {"true": True, "false": False}.get(found["constant"].lower()), *span)
        elif found["empty"]:
            yield Mention("empty", _emptiness(found["empty"].lower(), (found["noun"] or "").lower()), *span)


def _emptiness(adjective: str, noun: str) -> str:
    if adjective == "blank" or noun in _STRINGS:
        return "string"
    return "container" if noun in _CONTAINERS else "any"


def _calls(text: str) -> Iterator[Mention]:
    """Calls written out with nothing but literals, such as ``f(2, "a")``; the outermost ones."""
    last = 0
    for found in _CALL.finditer(text):
        if found.start() < last:
            continue
        end = closing_parenthesis(text, found.end())
        call = parse_call(text[found.start() : end]) if end else None
        if call and (call.args or call.keywords) and call_values(call) is not None:
            yield Mention("call", ast.dump(call), found.start(), end)
            last = end


def closing_parenthesis(text: str, start: int) -> int:
    """Find the end of a call whose arguments begin at ``start``; 0 where it does not end within 300 characters."""
    depth, quote = 1, ""
    for index in range(start, min(len(text), start + 300)):
        char = text[index]
        if quote:
            quote = "" if char == quote else quote
        elif char in "\"'":
            quote = char
        else:
            depth += (char in "([{") - (char in ")]}")
        if depth == 0:
            return index + 1
    return 0


def parse_expression(source: str) -> ast.expr | None:
    """Parse a Python expression; None where it is not one."""
    try:
        return ast.parse(source.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def called_name(call: ast.Call) -> str:
    """The last part of what is called: ``add`` for ``bag.add(1)``."""
    return ast.unparse(call.func).rpartition(".")[2]


def parse_call(source: str) -> ast.Call | None:
    """Parse a Python call; None where the text is anything else."""
    node = parse_expression(source)
    return node if isinstance(node, ast.Call) else None


def call_values(call: ast.Call) -> tuple[Value, ...] | None:
    """The literals in a call's arguments, in order; None where an argument is not made of literals."""
    nodes = [*call.args, *(keyword.value for keyword in call.keywords)]
    found = [literal_values(node) for node in nodes]
    return None if None in found else tuple(value for values in found if values for value in values)


def literal_values(node: ast.expr) -> tuple[Value, ...] | None:
    """The values that an expression is made of: literals, containers of them, and constructor calls over them."""
    try:
        return (_value(ast.literal_eval(node)),) if not _is_filled(node) else _parts(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return _constructed(node)


def _is_filled(node: ast.expr) -> bool:
    holds = any(isinstance(child, ast.expr) for child in ast.iter_child_nodes(node))
    return holds and isinstance(node, ast.List | ast.Tuple | ast.Set | ast.Dict)


def _parts(node: ast.expr) -> tuple[Value, ...] | None:
    children = [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]
    found = [literal_values(child) for child in children]
    return None if None in found else tuple(value for values in found if values for value in values)


def _value(value: object) -> Value:
    if value is None or isinstance(value, bool):
        return Value("constant", value)
    if isinstance(value, str):
        return Value("text", value) if value.strip() else Value("empty", "string")
    if isinstance(value, int | float):
        return Value("number", value)
    if not value and isinstance(value, list | tuple | dict | set):
        return Value("empty", "container")
    raise ValueError(f"not a value that prose can mention: {value!r}")


def _constructed(node: ast.expr) -> tuple[Value, ...] | None:
    if not isinstance(node, ast.Call):
        return None
    values = call_values(node)
    if values and len(values) == 3 and ast.unparse(node.func).rpartition(".")[2] == "date":
        return _date(values)
    return values


def _date(values: tuple[Value, ...]) -> tuple[Value, ...] | None:
    numbers = [value.value for value in values if isinstance(value.value, int)]
    try:
        return (Value("text", datetime.date(*numbers).isoformat()),)
    except (TypeError, ValueError, OverflowError):
        return None
