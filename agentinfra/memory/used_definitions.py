"""Follows what code calls and imports to where that is defined."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from agentinfra.memory.chunk import Reference
from agentinfra.memory.name_resolution import Imports, Place, last_name, resolve
from agentinfra.memory.search_store import SearchStore, StoredChunk

MOST_FOLLOWED = 12
"""Definitions of one step from which the next one is made."""


@dataclass(frozen=True, slots=True)
class UsedDefinition:
    """A chunk that defines what other code uses.

    Attributes:
        stored: The chunk.
        symbol: What is used of it.
        user: The file, or the place in it, that uses it.
    """

    stored: StoredChunk
    symbol: str
    user: str


def used_definitions(store: SearchStore, start: Sequence[tuple[str, int, int]], steps: int = 2) -> list[UsedDefinition]:
    """What some code uses, what that uses in turn, and so on; nearer ones first, and of these what is used most.

    Args:
        store: Where to look.
        start: The code: a path with its first and last line.
        steps: How far to go.

    Returns:
        Each chunk once, none of the code itself.
    """
    found: dict[int, UsedDefinition] = {}
    seen = list(start)
    for _ in range(steps):
        new = [one for one in _one_step(store, start) if one.stored.id not in found and not _is_in(one.stored, seen)]
        new = list({one.stored.id: one for one in reversed(new)}.values())[::-1]
        found |= {one.stored.id: one for one in new}
        start = [(one.stored.path, one.stored.chunk.start, one.stored.chunk.end) for one in new[:MOST_FOLLOWED]]
    return list(found.values())


def _one_step(store: SearchStore, start: Sequence[tuple[str, int, int]]) -> Iterable[UsedDefinition]:
    times: Counter[Place] = Counter()
    users: dict[Place, str] = {}
    for path, first, last in start:
        references = [reference for _, reference in store.references(path=path)]
        within = [each for each in references if each.kind != "import" and first <= each.line <= last]
        for place, count in _meant(store, path, Imports(references), within).items():
            times[place] += count
            users.setdefault(place, path)
    for place in sorted(times, key=lambda place: (-times[place], place[0], place[1].line, place[1].symbol)):
        stored = store.chunk_at(place[0], place[1].line)
        if stored is not None:
            yield UsedDefinition(stored, place[1].symbol, users[place])


def _meant(store: SearchStore, path: str, imports: Imports, references: Collection[Reference]) -> Counter[Place]:
    meant: Counter[Place] = Counter()
    for name, count in Counter(reference.name for reference in references).items():
        for place in resolve(name, path, imports, store.definitions(name=last_name(name))):
            meant[place] += count
    return meant


def _is_in(stored: StoredChunk, places: Collection[tuple[str, int, int]]) -> bool:
    return any(
        stored.path == path and first <= stored.chunk.start and stored.chunk.end <= last for path, first, last in places
    )
