"""What keeping the index equal to the files did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class IndexReport:
    """What a look at the files did.

    Attributes:
        files: Files that are in the index now.
        changed: Files that were read and indexed anew.
        removed: Files that are gone.
        skipped: Files that were looked at and left out.
        chunks: New chunks.
        vectors: New vectors.
        seconds: How long it took.
    """

    files: int
    changed: int
    removed: int
    skipped: int
    chunks: int
    vectors: int
    seconds: float


class Followed(NamedTuple):
    """What a look at the files did, and why changes are looked for from time to time ("" where the system tells)."""

    report: IndexReport
    polling: str
