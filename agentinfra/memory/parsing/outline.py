"""Which definition stands in which, and which rows belong to which of them."""

from __future__ import annotations

from dataclasses import dataclass

from agentinfra.memory.chunk import ChunkKind
from agentinfra.memory.parsing.languages import Language
from agentinfra.memory.parsing.source import Source
from agentinfra.memory.parsing.syntax import Defined, Syntax

SMALL = 200
"""A definition of fewer characters is not divided, and joined with small neighbours."""
LARGE = 2000
"""A function of more characters is divided."""
_FUNCTIONS = ("function", "method", "macro", "constructor")
_CONTAINERS = ("class", "interface", "enum", "type", "struct", "trait", "module", "namespace", "object", "section")
_CHUNK_KINDS: dict[str, ChunkKind] = {
    **dict.fromkeys(_FUNCTIONS, "function"),
    **dict.fromkeys(_CONTAINERS, "class"),
    "section": "section",
    "style": "style",
    "query": "query",
    "config": "config",
}
OUTSIDE = -1
"""The owner of rows that stand in no definition."""


@dataclass(slots=True)
class Named:
    """A definition with its place among the others.

    Attributes:
        defined: As the parser saw it.
        symbol: Its dotted name.
        chunk_kind: What its chunk is; None where it gets none of its own.
        around: The owner of the rows about it; itself an index into the outline, or OUTSIDE.
        divided: Whether other definitions own rows of it.
    """

    defined: Defined
    symbol: str
    chunk_kind: ChunkKind | None
    around: int = OUTSIDE
    divided: bool = False


@dataclass(frozen=True, slots=True)
class Outline:
    """The definitions of a file in its order, and for each row the index of the one that owns it, or OUTSIDE."""

    named: list[Named]
    owners: list[int]


def outline(language: Language, source: Source, syntax: Syntax) -> Outline:
    """Puts definitions into one another, and divides a file's rows among them."""
    defined = [*_distinct(syntax.defined), *_sections(syntax, source)]
    defined.sort(key=lambda each: (each.start, -each.end))
    result = Outline(_nested(defined, language.separator), [OUTSIDE] * len(source.lines))
    for index in range(len(result.named)):
        _claim(result, index, source, syntax)
    return result


def _distinct(defined: list[Defined]) -> list[Defined]:
    """Several patterns may tell of the same node; what says function or class tells more than what says constant."""
    best: dict[tuple[int, int], Defined] = {}
    for each in defined:
        known = best.get((each.start, each.end))
        if known is None or (known.kind not in _CHUNK_KINDS and each.kind in _CHUNK_KINDS):
            best[each.start, each.end] = each
    return list(best.values())


def _sections(syntax: Syntax, source: Source) -> list[Defined]:
    """A heading's section ends where the next one of its rank, or a higher one, begins."""
    sections: list[Defined] = []
    open_ones: list[tuple[int, Defined]] = []
    for rank, name, row, start in sorted(syntax.headings, key=lambda heading: heading[3]):
        while open_ones and open_ones[-1][0] >= rank:
            closed = open_ones.pop()[1]
            closed.end, closed.end_row = start, row
        section = Defined("section", name, start, len(source.data), row, len(source.lines), name)
        open_ones.append((rank, section))
        sections.append(section)
    return sections


def _nested(defined: list[Defined], separator: str) -> list[Named]:
    named: list[Named] = []
    stack: list[Named] = []
    for each in defined:
        while stack and stack[-1].defined.end <= each.start:
            stack.pop()
        symbol = f"{stack[-1].symbol}{separator}{each.name}" if stack else each.name
        stack.append(Named(each, symbol[-1000:], _CHUNK_KINDS.get(each.kind)))
        named.append(stack[-1])
    return named


def _claim(result: Outline, index: int, source: Source, syntax: Syntax) -> None:
    """Gives a definition its rows, where it is to have a chunk of its own."""
    named, owners = result.named[index], result.owners
    each = named.defined
    if named.chunk_kind is None or each.row >= len(owners):
        return
    named.around = around = owners[each.row]
    if around != OUTSIDE and not _may_divide(result.named[around], each, source):
        return
    start = _with_docs(each.row, owners, source, syntax)
    end = min(each.end_row, len(owners))
    if around != OUTSIDE:
        result.named[around].divided = True
    owners[start:end] = [index] * (end - start)


def _may_divide(outer: Named, inner: Defined, source: Source) -> bool:
    """Whether a definition gets rows of its own out of those of the one around it."""
    if inner.row <= outer.defined.row or inner.end > outer.defined.end:
        return False  # begins in its first row, or is its neighbour that begins in its last one
    size = source.size(outer.defined.row, min(outer.defined.end_row, len(source.lines)))
    if outer.chunk_kind in {"class", "section"}:
        return size > SMALL
    return size > LARGE and inner.end - inner.start > SMALL


def _with_docs(row: int, owners: list[int], source: Source, syntax: Syntax) -> int:
    """The first row of the comments and decorators that stand right above a row."""
    around = owners[row]
    while row > 0 and owners[row - 1] == around:
        start = syntax.docs.get(row - 1)
        if start is None or owners[start[0]] != around or source.lines[start[0]][: start[1]].strip():
            break
        row = start[0]
    return row
