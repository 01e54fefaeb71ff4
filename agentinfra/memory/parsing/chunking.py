"""Cuts a file into chunks: a definition each where it has the right size, large ones divided, small ones joined."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import tree_sitter

from agentinfra.memory.chunk import Chunk, ChunkKind
from agentinfra.memory.parsing.outline import LARGE, OUTSIDE, SMALL, Outline
from agentinfra.memory.parsing.source import Source

TARGET = 1500
"""Characters that a part of something large has at most."""
JOINED = 1000
"""Characters that small neighbours have together at most."""
MAX_SYMBOL = 300
"""Characters of the names of a chunk of small neighbours."""
_WORD = re.compile(r"\w")


@dataclass(slots=True)
class Piece:
    """Rows ``start`` up to ``end`` (from 0, left out), all of one owner."""

    start: int
    end: int
    owner: int


def cut_windows(source: Source) -> list[Chunk]:
    """The chunks of a text of which nothing is known: windows of lines, cut at blank ones where that is possible."""
    whole = Outline([], [OUTSIDE] * len(source.lines))
    return cut(source, whole, (), "window")


def cut(source: Source, outline: Outline, trees: Sequence[tree_sitter.Tree], kind: ChunkKind) -> list[Chunk]:
    """The chunks of a file.

    Args:
        source: What stands in it.
        outline: Who owns which row.
        trees: Their nodes say where something large is cut best.
        kind: What the chunks of nobody's rows are.

    Returns:
        In the order of the file; every row that is not blank is in at least one.
    """
    pieces = list(_owned(source, outline.owners))
    if any(source.size(piece.start, piece.end) > LARGE for piece in pieces):
        pieces = _divided(source, pieces, trees)
    groups = _joined(source, outline, pieces)
    return [chunk for group in groups for chunk in _chunks(source, outline, group, kind)]


def _owned(source: Source, owners: list[int]) -> Iterator[Piece]:
    """Runs of rows of one owner, without blank rows about them; a run without a word belongs to what is before it."""
    row, last = 0, None
    for owner, rows in groupby(owners):
        start, row = row, row + len(list(rows))
        piece = _trimmed(source, Piece(start, row, owner))
        if piece is None:
            continue
        if last is None:
            last = piece
        elif not _has_word(source, piece):
            last.end = piece.end
        elif not _has_word(source, last):
            last = Piece(last.start, piece.end, piece.owner)
        else:
            yield last
            last = piece
    if last is not None:
        yield last


def _trimmed(source: Source, piece: Piece) -> Piece | None:
    start, end, blank = piece.start, piece.end, source.blank
    while start < end and blank[start]:
        start += 1
    while end > start and blank[end - 1]:
        end -= 1
    return Piece(start, end, piece.owner) if start < end else None


def _has_word(source: Source, piece: Piece) -> bool:
    return source.size(piece.start, piece.end) > SMALL or bool(_WORD.search(source.text(piece.start, piece.end)))


def _divided(source: Source, pieces: Iterable[Piece], trees: Sequence[tree_sitter.Tree]) -> list[Piece]:
    """Large pieces in parts: cut where a statement begins, else after a blank row, else anywhere."""
    rows = range(1, len(source.lines))
    levels = (_statements(trees), [row for row in rows if source.blank[row - 1]], rows)
    parts: list[Piece] = []
    for piece in pieces:
        if source.size(piece.start, piece.end) <= LARGE:
            parts.append(piece)
        else:
            packed = _packed(source, piece.start, piece.end, levels)
            parts += filter(None, (_trimmed(source, Piece(start, end, piece.owner)) for start, end in packed))
    return parts


def _statements(trees: Sequence[tree_sitter.Tree]) -> list[int]:
    """The rows where a part of something large begins."""
    rows: set[int] = set()
    stack = [tree.root_node for tree in trees]
    while stack:
        for child in stack.pop().children:
            rows.add(child.start_point.row)
            if child.end_byte - child.start_byte > TARGET:
                stack.append(child)
    return sorted(rows)


def _packed(source: Source, start: int, end: int, levels: Sequence[Sequence[int]]) -> Iterator[tuple[int, int]]:
    """As many rows together as fit into TARGET, cut at the borders of the first level, or the next ones inside."""
    borders = levels[0]
    inside = borders[bisect_left(borders, start + 1) : bisect_left(borders, end)]
    first, before = start, start
    for border in (*inside, end):
        if source.size(first, border) > TARGET and before > first:
            yield first, before
            first = before
        if source.size(first, border) > LARGE and len(levels) > 1:
            yield from _packed(source, first, border, levels[1:])
            first = border
        before = border
    if first < end:
        yield first, end


def _joined(source: Source, outline: Outline, pieces: Iterable[Piece]) -> Iterator[list[Piece]]:
    """Small neighbours under the same roof together."""
    group: list[Piece] = []
    roof = OUTSIDE
    for piece in pieces:
        small = source.size(piece.start, piece.end) <= SMALL
        its_roof = _roof(outline, piece.owner)
        if group and (not small or roof != its_roof or source.size(group[0].start, piece.end) > JOINED):
            yield group
            group = []
        group, roof = [*group, piece], its_roof
        if not small:
            yield group
            group = []
    if group:
        yield group


def _roof(outline: Outline, owner: int) -> int:
    """What a piece shares with its neighbours: the definition that it and they stand in."""
    if owner == OUTSIDE or outline.named[owner].divided:
        return owner
    return outline.named[owner].around


def _chunks(source: Source, outline: Outline, group: list[Piece], kind: ChunkKind) -> Iterator[Chunk]:
    start, end = group[0].start, group[-1].end
    text = source.text(start, end)
    named = [outline.named[piece.owner] for piece in group if piece.owner != OUTSIDE]
    symbol = ", ".join(dict.fromkeys(each.symbol for each in named))
    if len(named) > 1 and len(symbol) > MAX_SYMBOL:
        symbol = symbol[:MAX_SYMBOL].rpartition(", ")[0]
    owner = max(group, key=lambda piece: source.size(piece.start, piece.end)).owner
    if owner != OUTSIDE:
        kind = outline.named[owner].chunk_kind or kind
    step = TARGET if len(text) > LARGE else len(text)
    for begin in range(0, len(text), step):  # more than one step only where a single line is this long
        yield Chunk(start + 1, end, kind, symbol, text[begin : begin + step])
