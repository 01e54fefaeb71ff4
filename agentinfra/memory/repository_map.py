"""A map of a repository for prompts: the definitions that most of it leans on, as many as fit into a token budget.

Files are the nodes of a graph; a file that uses a name points to the file that defines it. PageRank says how much
each file is leant on, seen from the files and symbols that a task mentions; a definition gets of it what is used of it.
Pure.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agentinfra.core.token_estimate import text_tokens
from agentinfra.memory.chunk import Definition, Reference
from agentinfra.memory.name_resolution import Imports, Place, last_name, resolve

DAMPING = 0.85
ROUNDS = 40
MENTIONED = 100.0
"""How much more often a walk begins at a mentioned file than at another one."""
MOST_LETTERS = 140
"""Characters of a line of the map."""


@dataclass(frozen=True, slots=True)
class Use:
    """A file uses a definition.

    Attributes:
        user: The file.
        place: What it uses.
        weight: How much: more for many times, less where the name has several meanings.
    """

    user: str
    place: Place
    weight: float


@dataclass(frozen=True, slots=True)
class RankedDefinition:
    """A definition and how much the repository leans on it; ranks of one map add up to at most 1."""

    path: str
    definition: Definition
    rank: float


def repository_map(
    definitions: Sequence[Place],
    references: Sequence[tuple[str, Reference]],
    *,
    mentioned: Collection[str] = (),
    tokens: int = 1000,
) -> str:
    """The map as text: each file with the lines and heads of its most important definitions.

    Args:
        definitions: All of the repository.
        references: All of the repository.
        mentioned: Paths, or ends of them, and symbols that the task is about.
        tokens: The most that the text may take.

    Returns:
        "" where nothing fits.
    """
    ranked = rank_definitions(definitions, references, mentioned)
    low, high = 0, len(ranked)
    while low < high:
        middle = (low + high + 1) // 2
        fits = text_tokens(_drawn(ranked[:middle])) <= tokens
        low, high = (middle, high) if fits else (low, middle - 1)
    return _drawn(ranked[:low])


def rank_definitions(
    definitions: Sequence[Place], references: Sequence[tuple[str, Reference]], mentioned: Collection[str] = ()
) -> list[RankedDefinition]:
    """All definitions, those first on which most leans as seen from what is mentioned; see :func:`repository_map`."""
    found = uses(definitions, references)
    files = sorted({path for path, _ in definitions} | {use.user for use in found})
    row = {path: place for place, path in enumerate(files)}
    users = np.array([row[use.user] for use in found], np.int64)
    owners = np.array([row[use.place[0]] for use in found], np.int64)
    weights = np.array([use.weight for use in found], np.float64)
    start = np.ones(len(files))
    for path, definition in definitions:
        if is_mentioned(path, definition, mentioned):
            start[row[path]] = MENTIONED
    shares = weights / _totals(users, weights, len(files))[users]
    flows = page_rank(users, owners, weights, start)[users] * shares
    given: dict[Place, float] = defaultdict(float)
    for place, use in enumerate(found):
        given[use.place] += float(flows[place])
    ranked = [RankedDefinition(path, each, given.get((path, each), 0.0)) for path, each in definitions]
    return sorted(ranked, key=lambda one: (-one.rank, one.path, one.definition.line, one.definition.symbol))


def uses(definitions: Iterable[Place], references: Iterable[tuple[str, Reference]]) -> list[Use]:
    """Who uses what of whom; uses within one file are left out."""
    named: dict[str, list[Place]] = defaultdict(list)
    for path, definition in definitions:
        named[last_name(definition.symbol)].append((path, definition))
    of_file: dict[str, list[Reference]] = defaultdict(list)
    for path, reference in references:
        of_file[path].append(reference)
    return [use for path in sorted(of_file) for use in _uses_of(path, of_file[path], named)]


def _uses_of(path: str, references: list[Reference], named: Mapping[str, list[Place]]) -> Iterable[Use]:
    imports = Imports(references)
    times = Counter(reference.name for reference in references if reference.kind != "import")
    for name in sorted(times):
        meant = resolve(name, path, imports, named.get(last_name(name), ()))
        for place in meant:
            if place[0] != path:
                yield Use(path, place, times[name] ** 0.5 / len(meant))


def is_mentioned(path: str, definition: Definition, mentioned: Collection[str]) -> bool:
    """Whether a definition or its file is among what is mentioned."""
    symbol = definition.symbol
    return any(one in (path, symbol, last_name(symbol)) or path.endswith(f"/{one}") for one in mentioned if one)


def page_rank(
    sources: NDArray[np.int64], targets: NDArray[np.int64], weights: NDArray[np.float64], start: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The share of time that a walk along the edges spends in each node.

    Args:
        sources: Node of each edge's beginning.
        targets: Node of each edge's end.
        weights: Of each edge, above 0; how likely it is taken among those of its source.
        start: For each node how likely a walk begins there; of any sum above 0.

    Returns:
        One number for each node, 1 together.
    """
    nodes = len(start)
    if not nodes:
        return start
    start = start / start.sum()
    totals = _totals(sources, weights, nodes)
    shares = weights / totals[sources]
    ends = totals == 0  # a walk that can go no further begins again
    ranks = start
    for _ in range(ROUNDS):
        moved = np.bincount(targets, weights=ranks[sources] * shares, minlength=nodes)
        ranks = DAMPING * (moved + ranks[ends].sum() * start) + (1 - DAMPING) * start
    return ranks


def _totals(sources: NDArray[np.int64], weights: NDArray[np.float64], nodes: int) -> NDArray[np.float64]:
    return np.bincount(sources, weights=weights, minlength=nodes).astype(np.float64)


def _drawn(ranked: Sequence[RankedDefinition]) -> str:
    of_file: dict[str, list[Definition]] = defaultdict(list)
    for one in ranked:  # the best file first
        of_file[one.path].append(one.definition)
    lines: list[str] = []
    for path, definitions in of_file.items():
        lines.append(f"{path}:")
        lines += [_line(each) for each in sorted(definitions, key=lambda each: (each.line, each.symbol))]
    return "\n".join(lines)


def _line(definition: Definition) -> str:
    inside = "  " * (definition.symbol.count(".") + 1)
    head = definition.signature or f"{definition.kind} {definition.symbol}"
    return f"{inside}{head}"[:MOST_LETTERS] + f"  #{definition.line}"
