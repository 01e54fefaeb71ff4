"""Definitions by what a person types of their names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from agentinfra.memory.chunk import Definition

MOST_CANDIDATES = 2_000
MOST_CHARACTERS = 200


class DefinitionStore(Protocol):
    """The part of :class:`agentinfra.memory.store.MemoryStore` that has the definitions."""

    def definitions_like(self, pattern: str, most: int) -> Sequence[tuple[str, Definition]]:
        """Definitions whose symbol fits a pattern of SQL's LIKE with ``!`` as escape, those with short names first."""
        ...


def find_symbols(store: DefinitionStore, query: str, most: int) -> list[tuple[str, Definition]]:
    """Definitions whose symbol has the characters of a query in its order, letter case aside; the best ones first.

    As the Language Server Protocol asks of ``workspace/symbol``, this is generous; the editor filters what it shows.

    Args:
        store: Has the definitions.
        query: What was typed; "" for any.
        most: How many at most.

    Returns:
        Paths and definitions: those named so, then those that begin so, that hold it, that only fit.
    """
    typed = "".join(query.split())[:MOST_CHARACTERS]
    pattern = "%" + "".join(f"{_escaped(character)}%" for character in typed)
    found = store.definitions_like(pattern, max(MOST_CANDIDATES, most))
    return sorted(found, key=lambda one: _rank(typed.lower(), one[1].symbol.lower()))[:most]


def _escaped(character: str) -> str:
    return f"!{character}" if character in "%_!" else character


def _rank(typed: str, symbol: str) -> int:
    last = symbol.rpartition(".")[2]
    fits = (typed == symbol, typed == last, last.startswith(typed), typed in last, typed in symbol, True)
    return fits.index(True)
