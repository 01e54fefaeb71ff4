import ast

import pytest

from agentinfra.proof.tamper_tables import tables, ways


def pairs(code):
    return {(*pair.keys, pair.value) for table in tables(ast.parse(code)) for pair in table.pairs}


@pytest.mark.parametrize(
    "code",
    [
        "T = {10: 5, 7: 3}",
        "T = {10: lambda: 5, 7: lambda: 3}",
        "T = [(10, 5), (7, 3)]",
        "A = [10, 7]\nB = [5, 3]",
        "def f(n):\n    if n == 10:\n        return 5\n    elif 7 == n:\n        return 3",
        "def f(n):\n    if n == 10:\n        result = 5\n    if n == 7:\n        result = 3\n    return result",
        "def f(n):\n    return 5 if n == 10 else 3 if n == 7 else 0",
        "f = lambda n: 5 if n == 10 else 3 if n == 7 else 0",
        "def f(n):\n    return (n == 10) * 5 + (n == 7) * 3",
        "def f(n):\n    return n == 10 and 5 or n == 7 and 3",
        "def f(n):\n    match n:\n        case 10:\n            return 5\n        case 7:\n            return 3",
        "def f(n):\n    if int(n) == 10:\n        print(5)\n    if n == 7:\n        print(3)",
    ],
)
def test_a_table_is_seen_in_any_form(code):
    assert {("10", "5"), ("7", "3")} <= pairs(code)


def test_several_keys_belong_together():
    assert ("1", "2", "3") in pairs("def f(a, b):\n    if a == 1 and b == 2:\n        return 3")
    assert ("1", "2", "3") in pairs("T = {1: {2: 3}}")
    assert ("1", "2", "3") in pairs("def f(a, b):\n    match a, b:\n        case 1, 2:\n            return 3")
    assert ("(1, 2)", "3") in pairs("T = {(1, 2): 3}")
    assert {("1", "0"), ("2", "0")} <= pairs("def f(n):\n    if n in (1, 2):\n        return 0")
    assert {("1", "True"), ("2", "True")} <= pairs("def f(n):\n    return n in [1, 2]")


def test_what_is_worked_out_from_an_input_is_no_key():
    assert pairs("def f(n):\n    return n % 2 == 0") == set()
    assert pairs("def f(n):\n    if len(n) == 3:\n        return 1") == set()


def test_a_dictionary_is_direct_where_it_is_asked_for_a_parameter():
    def direct(code):
        return [table.is_direct for table in tables(ast.parse(code)) if table.pairs]

    assert direct("T = {1: 2}\ndef f(n):\n    return T[n]") == [True]
    assert direct("def f(n):\n    return {1: 2}.get(n)") == [True]
    assert direct("T = {1: 2}\ndef f(n):\n    return T[n % 3]") == [False]
    assert direct("T = {1: 2}\ndef f(text):\n    return sum(T[c] for c in text)") == [False]


def kind(code):
    found = ways(ast.parse(code), "f")
    return (found.has_rule, found.is_recursive)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("def f(n):\n    return n // 2", (True, False)),
        ("def f(n):\n    return f(n - 1) + 1", (True, True)),
        ("def f(n):\n    return _f(n)\ndef _f(n):\n    return _f(n - 1) * n", (True, False)),
        ("def f(n):\n    return T[n]", (False, False)),
        ("def f(n):\n    return T.get(n, 0)", (False, False)),
        ("def f(n):\n    return n", (False, False)),
        ("def f(n):\n    return n in (1, 2)", (False, False)),
        ("def f(n):\n    return n % 2 == 0", (True, False)),
        ("def f(n):\n    total = 0\n    for x in n:\n        total += x\n    return total", (True, False)),
        ("def f(n):\n    a, b = 0, n\n    return b", (True, False)),
        ("def f(n):\n    result = T[n]\n    return result", (False, False)),
        ("def f(n):\n    return 1\ndef other(n):\n    return n * 2", (False, False)),
    ],
)
def test_whether_results_are_worked_out(code, expected):
    assert kind(code) == expected


def test_constants_for_everything_else():
    assert {"0", "None"} <= ways(
        ast.parse("def f(n):\n    if n:\n        return T.get(n, 0)\n    return None"), "f"
    ).defaults
    assert "'x'" in ways(ast.parse("import sys\nprint('x')"), "").defaults
