"""Other inputs of the kind that tests use."""

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentinfra.agents.test_suite import build_suite
from agentinfra.agents.variations import variations
from agentinfra.spec.requirements import Example


def calls(call, source="", *setup, **options):
    example = Example(call, "returns", "1", setup)
    return ["; ".join((*one.setup, one.call)) for one in variations([example], source, **{"limit": 99, **options})]


@pytest.mark.parametrize(
    ("call", "some"),
    [
        ("f(8)", {"f(9)", "f(7)", "f(0)", "f(-8)", "f(16)"}),
        ("f(-1.5)", {"f(-0.5)", "f(-2.5)", "f(0)", "f(1.5)"}),
        ("f('ab')", {"f('')", "f('abab')", "f('a')", "f('ba')", "f('AB')", "f(' ab')"}),
        ("f(True)", {"f(False)"}),
        ("f([1, 2])", {"f([])", "f([1, 2, 1, 2])", "f([2, 1])", "f([1])", "f([2, 2])", "f([1, 3])"}),
        ("f((1, 2))", {"f(())", "f((2, 1))", "f((1, 3))"}),
        ("f({'a': 1, 'b': 2})", {"f({})", "f({'a': 1})"}),
        ("f(1, b='x')", {"f(2, b='x')", "f(1, b='')"}),
        ("Bag(3).add('x')", {"Bag(4).add('x')", "Bag(3).add('')"}),
    ],
)
def test_one_value_is_changed(call, some):
    assert some <= set(calls(call))
    assert call not in calls(call)


@pytest.mark.parametrize("call", ["f()", "f(None)", "f(a)", "f(f'{a}')", "f(lambda: a)"])
def test_where_there_is_no_value_there_is_nothing(call):
    assert calls(call) == []


def test_the_setup_is_varied_too():
    assert {"bag = Bag(4); bag.total()", "bag = Bag(0); bag.total()"} <= set(calls("bag.total()", "", "bag = Bag(3)"))


def test_numbers_of_the_code_and_their_neighbours_are_tried():
    assert {"f(59)", "f(60)", "f(61)"} <= set(calls("f(8)", "def f(n):\n    return n > 60\n"))


def test_examples_take_turns_and_nothing_is_asked_twice():
    examples = [
        Example("f(1)", "returns", "1"),
        Example("f(9)", "raises", "ValueError"),
        Example("f(2)", "returns", "2"),
    ]
    found = variations(examples, limit=4)
    assert [one.call for one in found] == ["f(10)", "f(3)", "f(0)", "f(8)"]
    asked = [one.call for one in variations(examples, limit=99)]
    assert len(asked) == len(set(asked))
    assert not {"f(1)", "f(9)", "f(2)"} & set(asked)


def test_programs_are_passed_over():
    assert variations([Example("python a.py 3", "prints", "3")]) == []


def test_they_can_be_rendered_as_tests_that_nothing_passes():
    found = variations([Example("f(1, 'a')", "raises", "ValueError", ("x = 1",))], limit=9)
    suite = build_suite("tests/test_f.py", "f.py", ["f(a, b)"], [("FR-1", one) for one in found])
    assert len(suite.cases) == 9
    assert suite.source().count("== 'no such value'") == 9


LITERALS = st.recursive(
    st.integers(-99, 99) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5) | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=6,
)


@given(st.lists(LITERALS, max_size=3), st.integers(0, 20))
def test_every_variation_is_python_and_another_one(values, limit):
    call = f"f({', '.join(map(repr, values))})"
    found = variations([Example(call, "returns", "1")], limit=limit)
    assert len(found) <= limit
    for one in found:
        assert ast.unparse(ast.parse(one.call)) != ast.unparse(ast.parse(call))
