"""Graphs of every shape, against the plain definition and against sizes that recursion would not survive."""

from __future__ import annotations

import random
from itertools import product

import pytest

from agentinfra.spec.checks.graph import components, unreached, way_round


def reachable(edges: list[list[int]]) -> list[set[int]]:
    """By definition: what each node reaches in one step or more."""
    found = [set(ahead) for ahead in edges]
    for middle, start in product(range(len(edges)), repeat=2):
        if middle in found[start]:
            found[start] |= found[middle]
    return found


def drawn(seed: int, size: int, number: int) -> list[list[int]]:
    chance = random.Random(seed)
    edges: list[list[int]] = [[] for _ in range(size)]
    for _ in range(number):
        edges[chance.randrange(size)].append(chance.randrange(size))
    return edges


@pytest.mark.parametrize("seed", range(60))
def test_components_are_what_reaches_each_other(seed: int):
    edges = drawn(seed, size=12, number=seed % 30)
    reaches = reachable(edges)
    parts = components(edges)
    assert sorted(node for part in parts for node in part) == list(range(12))
    place = {node: index for index, part in enumerate(parts) for node in part}
    for one, other in product(range(12), repeat=2):
        assert (place[one] == place[other]) == (one == other or (other in reaches[one] and one in reaches[other]))
        assert place[other] <= place[one] or other not in edges[one]


@pytest.mark.parametrize("seed", range(60))
def test_a_way_round_follows_edges_back_to_where_it_began(seed: int):
    edges = drawn(seed, size=9, number=14)
    reaches = reachable(edges)
    for part in components(edges):
        path = way_round(part, edges)
        assert bool(path) == (part[0] in reaches[part[0]])
        assert all(path[(at + 1) % len(path)] in edges[node] for at, node in enumerate(path))
        assert len(set(path)) == len(path)
        assert not path or path[0] == min(part)


@pytest.mark.parametrize("seed", range(40))
def test_unreached_are_the_pairs_without_a_path(seed: int):
    edges = [[other for other in ahead if other < node] for node, ahead in enumerate(drawn(seed, 14, 30))]
    reaches = reachable(edges)
    pairs = [(one, other) for one in range(14) for other in range(one)]
    assert unreached(pairs, edges) == [(one, other) for one, other in pairs if other not in reaches[one]]


def test_more_targets_than_one_sweep_takes():
    size = 9_000
    edges = [[node - 2] if node > 1 else [] for node in range(size)]
    pairs = [(node, node - 3) for node in range(3, size)] + [(node, node - 4) for node in range(4, size)]
    assert unreached(pairs, edges) == [(node, node - 3) for node in range(3, size)]


def test_chains_and_rings_of_any_length_need_no_recursion():
    size = 20_000
    assert len(components([[node + 1] if node + 1 < size else [] for node in range(size)])) == size
    ring = [[(node + 1) % size] for node in range(size)]
    (part,) = components(ring)
    assert way_round(part, ring) == list(range(size))
