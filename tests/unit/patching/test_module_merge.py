"""Merging modules by their statements."""

from __future__ import annotations

import ast
import itertools

import pytest

from agentinfra.patching.module_merge import merge_modules

DOCSTRING = '"""Sums."""\n'
ADD = "def add(a, b):\n    return a + b\n"
HALF = "# rounds down\ndef half(n):\n    return floor(n / 2)\n"
LIMIT = "LIMIT = 3\n"
CEIL, FLOOR = "from math import ceil\n", "from math import floor\n"


def module(*parts: str) -> str:
    return "\n\n".join(parts)


def test_a_function_beside_another_one_is_taken_away() -> None:
    assert merge_modules(module(ADD), module(ADD, HALF), "") == HALF
    assert merge_modules(module(FLOOR, HALF, ADD), module(FLOOR, HALF, ADD, LIMIT), module(FLOOR, HALF)) == module(
        FLOOR, HALF, LIMIT
    )


def test_a_function_is_added_where_the_one_above_it_is_missing() -> None:
    merged = merge_modules(module(ADD), "", module(FLOOR, ADD, HALF))
    assert merged is not None
    assert "def half" in merged
    assert "from math import floor" in merged
    assert "def add" not in merged


def test_a_changed_function_is_changed() -> None:
    other = ADD.replace("a + b", "b + a")
    assert merge_modules(module(ADD), module(HALF, ADD), module(other)) == module(HALF, other)


def test_an_import_goes_with_its_last_user_only() -> None:
    both = "from math import ceil, floor\n"
    up = "def up(n):\n    return ceil(n)\n"
    assert merge_modules(module(both, HALF, up), module(both, HALF, up, ADD), module(FLOOR, HALF)) == module(
        FLOOR, HALF, ADD
    )
    used = merge_modules(module(FLOOR, HALF), module(FLOOR, HALF, "def down(n):\n    return floor(n)\n"), "")
    assert used is not None
    assert used.startswith("from math import floor\n")
    assert "half" not in used


@pytest.mark.parametrize(
    ("base", "ours", "theirs"),
    [
        (ADD, ADD.replace("a + b", "b + a"), ADD.replace("a + b", "sum((a, b))")),
        (ADD, ADD.replace("a + b", "b + a"), ""),
        (ADD, module(ADD, LIMIT), module(ADD, "LIMIT = 4\n")),
        (ADD, ADD, module(DOCSTRING, ADD)),
        (ADD, "def add(", ""),
        ("a file", ADD, ""),
    ],
)
def test_what_both_changed_and_what_has_no_name_is_a_conflict(base: str, ours: str, theirs: str) -> None:
    assert merge_modules(base, ours, theirs) is None


def test_taking_any_statements_out_of_a_module_leaves_the_others_as_they_were() -> None:
    """The law behind undo: added by one, and taken away again, whatever others added meanwhile."""
    parts = {"add": ADD, "half": HALF, "LIMIT": LIMIT, "up": "def up(n):\n    return n + LIMIT\n"}
    for count in range(len(parts) + 1):
        for gone in itertools.combinations(parts, count):
            before = module(*(parts[name] for name in gone))
            everything = module(*parts.values())
            merged = merge_modules(before, everything, "")
            assert merged is not None
            left = module(*(text for name, text in parts.items() if name not in gone))
            assert ast.dump(ast.parse(merged)) == ast.dump(ast.parse(left))
