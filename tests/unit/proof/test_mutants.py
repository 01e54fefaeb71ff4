"""Which mutants are made of a module, and which of many are taken."""

import ast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentinfra.core.errors import InputError
from agentinfra.proof.mutants import mutants

WALK = '''"""Hikes."""
RATE = 15


def walking_minutes(km: float, climb: int = 0) -> int:
    """Minutes of a walk, 15 for 1 km."""
    if km < 0:
        raise ValueError("km must be 0 or more")
    return int(RATE * km + climb / 10)


class Bag:
    """Holds 3 things."""

    def __init__(self):
        self.items = []

    def add(self, item):
        self.items.append(item)
        return len(self.items) >= 3


if __name__ == "__main__":
    print(walking_minutes(1))
'''


def changes(source, *before, **options):
    return [(one.symbol, one.line, one.change) for one in mutants(source, *before, **{"limit": 99, **options})]


def test_every_mutant_is_one_small_change_with_its_place():
    found = changes(WALK)
    assert ("", 2, "`16` for `15`") in found
    assert ("walking_minutes", 7, "`<=` for `<`") in found
    assert ("walking_minutes", 8, "nothing for `raise ValueError('km must be 0 or more')`") in found
    assert ("Bag.add", 19, "nothing for `self.items.append(item)`") in found
    assert [line for _, line, _ in found] == sorted(line for _, line, _ in found)
    for one in mutants(WALK, limit=99):
        assert sum(a != b for a, b in zip(plain(WALK), plain(one.source), strict=True)) == 1


def plain(source):
    return ast.unparse(ast.parse(source)).replace("pass", "x").splitlines()


def test_what_is_for_people_or_type_checkers_stays():
    told = " ".join(change for _, _, change in changes(WALK))
    assert "Hikes" not in told and "Holds" not in told and "Minutes" not in told
    assert not [line for _, line, _ in changes(WALK) if line == 22]
    assert changes("def f(a: Literal[1]) -> Literal[2]:\n    import os\n    x: Literal[3]\n    raise E(4)\n") == [
        ("f", 4, "nothing for `raise E(4)`")
    ]


def test_what_stood_there_before_is_not_changed():
    before = WALK.replace("        return len(self.items) >= 3\n", "")
    assert {(symbol, line) for symbol, line, _ in changes(WALK, before)} == {("Bag.add", 19), ("Bag.add", 20)}
    assert changes(WALK, WALK) == []


def test_a_change_that_compiles_to_the_same_is_none():
    told = [change for _, _, change in changes("def f(a):\n    return 2 - 2 + a\n")]
    # 3 - 2 and 2 - 1 are both 1, and so are 1 - 2 and 2 - 3: of each pair one is enough.
    assert len([change for change in told if change.endswith("for `2`")]) == 2
    assert len(told) == 5
    # What follows a return is never run.
    assert not [one for one in changes("def f():\n    return 1\n    x.y()\n") if one[1] == 3]


def test_the_boundary_of_a_maximum_is_not_changed_but_the_rest_is():
    told = [change for _, _, change in changes("def f(x, y):\n    if x + 1 > y:\n        y = x + 1\n    return y\n")]
    assert "`>=` for `>`" not in told
    assert "`-` for `+`" in told


def test_of_many_a_few_are_taken_that_lie_apart_and_are_always_the_same():
    source = "def f(a, b):\n" + "".join(f"    a += b * {n}\n" for n in range(2, 12)) + "    return a\n"
    chosen = changes(source, limit=11)
    assert len({line for _, line, _ in chosen}) == 11
    assert chosen == changes(source, limit=11)
    assert {tuple(changes(source, limit=11, seed=seed)) for seed in range(5)} != {tuple(chosen)}
    assert changes(source, limit=0) == []


@pytest.mark.parametrize(("source", "before"), [("def f(", ""), ("def f(): ...", "def g("), ("\0", "")])
def test_what_is_not_python_is_refused(source, before):
    with pytest.raises(InputError, match="not Python"):
        mutants(source, before)


def test_code_without_anything_to_change_has_no_mutants():
    assert mutants("") == []
    assert mutants("def f(x):\n    return None\n") == []


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(WALK.split("\n\n\n")), max_size=4), st.integers(0, 12), st.integers(0, 3))
def test_they_are_python_differ_from_the_reference_and_keep_to_the_limit(parts, limit, seed):
    source = "\n\n\n".join(parts)
    found = mutants(source, limit=limit, seed=seed)
    assert len(found) <= limit
    texts = {ast.dump(ast.parse(one.source)) for one in found}
    assert len(texts) == len(found)
    assert ast.dump(ast.parse(source)) not in texts
