"""Pieces of text under a token budget, each with where it is from and why it is there. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from agentinfra.core.token_estimate import text_tokens

PieceKind = Literal["spec", "file", "used", "similar", "lessons", "map"]
"""Part of the specification, file claimed by a task, definition that is used, what fits the question, what was learnt,
the most important definitions of the repository."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Some lines, and why somebody should read them.

    Attributes:
        path: The file they are from, or another source.
        start: The first line, from 1; 0 where the source has no lines.
        end: The last line, included.
        text: The lines.
        reasons: Why they are here.
        kind: What they are.
    """

    path: str
    start: int
    end: int
    text: str
    reasons: tuple[str, ...]
    kind: PieceKind

    @property
    def source(self) -> str:
        """``path:start-end``."""
        return f"{self.path}:{self.start}-{self.end}" if self.start else self.path

    def __str__(self) -> str:
        return f"=== {self.kind} {self.source} ({'; '.join(self.reasons)}) ===\n{self.text}\n"

    @property
    def tokens(self) -> int:
        """What it takes, its head included, and the blank line before the next one."""
        return text_tokens(f"{self}\n")


@dataclass(frozen=True, slots=True)
class Section:
    """Pieces of one sort, the most important first.

    Attributes:
        pieces: What could be shown.
        share: The part of the budget that they get before all others got theirs.
    """

    pieces: Sequence[Piece]
    share: float


def pack(sections: Sequence[Section], tokens: int) -> list[Piece]:
    """The pieces that fit: each section up to its share, then what is left over for whoever comes first.

    Args:
        sections: The most important first.
        tokens: The most that all may take together.

    Returns:
        In the order of the sections; of pieces of the same lines the first.
    """
    taken: dict[tuple[str, int, int, str], Piece] = {}
    left = tokens
    for shares in ([section.share for section in sections], [1.0] * len(sections)):
        for section, share in zip(sections, shares, strict=True):
            room = min(left, int(share * tokens))
            for piece in section.pieces:
                key = (piece.path, piece.start, piece.end, piece.text)
                if key not in taken and piece.tokens <= room:
                    taken[key] = piece
                    room, left = room - piece.tokens, left - piece.tokens
    places = {id(piece): place for place, piece in enumerate(piece for one in sections for piece in one.pieces)}
    return sorted(taken.values(), key=lambda piece: places[id(piece)])


def join(pieces: Iterable[Piece]) -> list[Piece]:
    """Pieces of one file that overlap or touch, as one; a file's pieces together, by line, where its first one was."""
    of_path: dict[str, list[Piece]] = {}
    for piece in pieces:
        of_path.setdefault(piece.path, []).append(piece)
    return [piece for found in of_path.values() for piece in _joined(found)]


def _joined(pieces: list[Piece]) -> list[Piece]:
    joined: list[Piece] = []
    for piece in sorted(pieces, key=lambda one: (one.start, one.end)):
        last = joined[-1] if joined else None
        if last is None or not (_has_all_lines(last) and _has_all_lines(piece)) or piece.start > last.end + 1:
            joined.append(piece)
        else:
            more = piece.text.split("\n")[last.end + 1 - piece.start :]
            text = "\n".join([last.text, *more])
            reasons = tuple(dict.fromkeys(last.reasons + piece.reasons))
            joined[-1] = Piece(piece.path, last.start, max(last.end, piece.end), text, reasons, last.kind)
    return joined


def _has_all_lines(piece: Piece) -> bool:
    """Whether its text is its lines: parts of a long line, and texts without lines, are not."""
    return piece.start > 0 and piece.text.count("\n") == piece.end - piece.start
