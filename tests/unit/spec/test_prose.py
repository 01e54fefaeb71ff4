import ast

import pytest

from agentinfra.spec.prose import (
    Value,
    call_values,
    called_name,
    literal_values,
    parse_call,
    parse_expression,
    read_prose,
)


def mentions(text: str) -> list[tuple[str, object]]:
    found = [m for block in read_prose(text) for clause in block.clauses for m in clause.mentions]
    return [(m.kind, m.value if m.kind != "call" else text[m.start : m.end]) for m in found]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("say \"a b\" and “c”, „d“, «e», 'f', ‘g’", [("text", letter) for letter in ("a b", "c", "d", "e", "f", "g")]),
        ("it's the boss's turn, isn't it", []),
        ("3, -4, −5 and 1,250.", [("number", 3), ("number", -4), ("number", -5), ("number", 1250)]),
        ("2.5 kg, 30min", [("number", 2.5), ("number", 30)]),
        ("on 2024-03-01 at 18:30, 3/4 of v1.2 or x5", []),
        ("twelve, minus one, Zero", [("number", 12), ("number", -1), ("number", 0)]),
        ("a bad one, this one, the latter one", []),
        ("True or false, else None", [("constant", True), ("constant", False), ("constant", None)]),
        ("an empty list, a blank line, empty", [("empty", "container"), ("empty", "string"), ("empty", "any")]),
        ('f(2, "a") and g(x) and h()', [("call", 'f(2, "a")')]),
        ("f(Fraction(1, 2))", [("call", "f(Fraction(1, 2))")]),
        ('the "7 dwarfs"', [("text", "7 dwarfs")]),
    ],
)
def test_values_are_found_in_prose(text: str, found: list[tuple[str, object]]):
    assert mentions(text) == found


def test_blocks_and_clauses_keep_the_text():
    text = 'One, e.g. this; two `a. b` here! "Three. Four." (Five.)\n- six\n  seven\n\n`eight`\n'
    blocks = read_prose(text)
    assert [block.text for block in blocks] == [text.split("\n- ", maxsplit=1)[0], "- six\n  seven", "\n`eight`"[1:]]
    first = blocks[0]
    assert [first.text[c.start : c.end].strip() for c in first.clauses] == [
        "One, e.g. this;",
        "two `a. b` here!",
        '"Three. Four." (Five.)',
    ]
    assert first.codes == ("a. b",)


def test_front_matter_is_no_prose():
    assert [block.text for block in read_prose("---\nx: 3\n---\nHello\n")] == ["Hello"]


@pytest.mark.parametrize(
    ("source", "values"),
    [
        (
            "f(1, -2.5, 'a', None, True)",
            [("number", 1), ("number", -2.5), ("text", "a"), ("constant", None), ("constant", True)],
        ),
        ("f([1, ('a',)], {'b': 2})", [("number", 1), ("text", "a"), ("text", "b"), ("number", 2)]),
        ("f('', [], key={})", [("empty", "string"), ("empty", "container"), ("empty", "container")]),
        ("f(Fraction(1, 2))", [("number", 1), ("number", 2)]),
        ("f(datetime.date(2024, 2, 9))", [("text", "2024-02-09")]),
        ("f()", []),
        ("f(x)", None),
        ("f('a' * 3)", None),
        ("f(b'a')", None),
        ("f(date(2024, 2, 31))", None),
        ("f(g(x))", None),
    ],
)
def test_the_literals_of_a_call(source: str, values: list[tuple[str, object]] | None):
    call = parse_call(source)
    assert call is not None
    assert call_values(call) == (None if values is None else tuple(Value(*value) for value in values))  # type: ignore[arg-type]


@pytest.mark.parametrize("source", ["1 +", "x = 1", "\0", "(" * 5000, "-" * 100_000 + "1"])
def test_what_is_no_expression_is_none(source: str):
    assert parse_expression(source) is None


def test_parts_of_calls():
    call = parse_call(" bag.add(1) ")
    assert call is not None
    assert called_name(call) == "add"
    assert parse_call("bag.add") is None
    assert literal_values(ast.Constant(3)) == (Value("number", 3),)
