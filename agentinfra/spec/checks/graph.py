"""Graphs as lists of edges, by number: strongly connected parts, a way round, and what reaches what. All iterative."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence

Edges = Sequence[Sequence[int]]
# So many bits of each node are kept at a time: the memory for n nodes stays at n × 512 bytes.
_SWEEP = 4096


def components(edges: Edges) -> list[list[int]]:
    """The strongly connected parts, by Tarjan's algorithm; each comes after those that it has edges to.

    Args:
        edges: For each node the nodes that it has edges to.
    """
    search = _Search(edges)
    for root in range(len(edges)):
        if not search.order[root]:
            search.run(root)
    return search.found


class _Search:
    """A depth-first search; ``order`` is 0 for what was not seen, ``low`` the earliest node that one leads back to."""

    def __init__(self, edges: Edges) -> None:
        self.edges = edges
        self.order = [0] * len(edges)
        self.low = [0] * len(edges)
        self.found: list[list[int]] = []
        self._seen = 0
        self._waiting: list[int] = []
        self._settled = [False] * len(edges)

    def run(self, root: int) -> None:
        path = [(root, self._enter(root))]
        while path:
            node, ahead = path[-1]
            following = self._unseen(node, ahead)
            if following is not None:
                path.append((following, self._enter(following)))
                continue
            path.pop()
            if path:
                before = path[-1][0]
                self.low[before] = min(self.low[before], self.low[node])
            if self.low[node] == self.order[node]:
                self.found.append(self._settle(node))

    def _enter(self, node: int) -> Iterator[int]:
        self._seen += 1
        self.order[node] = self.low[node] = self._seen
        self._waiting.append(node)
        return iter(self.edges[node])

    def _unseen(self, node: int, ahead: Iterator[int]) -> int | None:
        for other in ahead:
            if not self.order[other]:
                return other
            if not self._settled[other]:
                self.low[node] = min(self.low[node], self.order[other])
        return None

    def _settle(self, node: int) -> list[int]:
        part: list[int] = []
        while not part or part[-1] != node:
            part.append(self._waiting.pop())
            self._settled[part[-1]] = True
        return part


def way_round(part: Sequence[int], edges: Edges) -> list[int]:
    """The shortest way from the lowest node of a strongly connected part back to it.

    Returns:
        The nodes on it, each once, beginning with the lowest; empty where there is no way round.
    """
    start, inside = min(part), set(part)
    before = {start: start}
    waiting = deque([start])
    while waiting:
        node = waiting.popleft()
        for following in edges[node]:
            if following == start:
                return _path(before, start, node)
            if following in inside and following not in before:
                before[following] = node
                waiting.append(following)
    return []


def _path(before: dict[int, int], start: int, node: int) -> list[int]:
    path = [node]
    while node != start:
        node = before[node]
        path.append(node)
    return path[::-1]


def unreached(pairs: Sequence[tuple[int, int]], edges: Edges) -> list[tuple[int, int]]:
    """The pairs of which the first node does not reach the second.

    Args:
        pairs: Two nodes each.
        edges: Of a graph without cycles whose edges all lead to lower numbers.
    """
    left = [(one, other) for one, other in pairs if other not in edges[one]]
    targets = sorted({other for _, other in left})
    reached: set[tuple[int, int]] = set()
    for first in range(0, len(targets), _SWEEP):
        bits = {node: 1 << place for place, node in enumerate(targets[first : first + _SWEEP])}
        sets = _swept(edges, bits)
        reached.update((one, other) for one, other in left if other in bits and sets[one] & bits[other])
    return [pair for pair in left if pair not in reached]


def _swept(edges: Edges, bits: dict[int, int]) -> list[int]:
    """For each node the set, as bits, of the nodes of interest that it is or reaches."""
    sets: list[int] = []
    for node, ahead in enumerate(edges):
        found = bits.get(node, 0)
        for other in ahead:
            found |= sets[other]
        sets.append(found)
    return sets
