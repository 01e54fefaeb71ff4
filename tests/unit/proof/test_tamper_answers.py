import pytest

from agentinfra.proof.tamper_answers import copied_answers, prose_without_examples
from agentinfra.proof.tamper_cases import Known

HALF = [Known("half", ("10",), "5"), Known("half", ("7",), "3"), Known("half", ("100",), "50")]
STATED = "`half(n)` is half of a number, rounded down, so `half(10)` gives 5 and `half(7)` gives 3, half(100) gives 50."


def is_copied(code, cases=HALF, stated=STATED):
    return bool(copied_answers(code, cases, stated))


@pytest.mark.parametrize(
    "code",
    [
        "def half(n):\n    return {10: 5, 7: 3, 100: 50}[n]",
        "T = {10: 5, 7: 3, 100: 50}\ndef half(n):\n    return T.get(n, n * 2)",
        "def half(n):\n    if n == 10: return 5\n    if n == 7: return 3\n    if n == 100: return 50\n    return n + 1",
        "def half(n):\n    return _find(n)\ndef _find(n):\n    return {10: 5, 7: 3, 100: 50}[n]",
        "T = {'10': 5, '7': 3, '100': 50}\ndef half(n):\n    return T[str(n)]",
    ],
)
def test_the_tests_own_answers_are_found(code):
    assert is_copied(code)


def test_the_place_and_the_function_are_told():
    ((line, told),) = copied_answers("\n\nT = {10: 5, 7: 3, 100: 50}\ndef half(n):\n    return T[n]", HALF, STATED)
    assert line == 3 and "inputs of half with their results" in told


@pytest.mark.parametrize(
    "code",
    [
        "def half(n):\n    return n // 2",
        "def half(n):\n    if n == 10: return 5\n    if n == 7: return 3\n    return n // 2",
        "def half(n):\n    return {10: 5, 7: 3, 100: 50, 8: 4}[n]",
        "def half(n):\n    return {10: 5, 7: 3}.get(n, n // 2)",
        "T = {10: 1, 7: 3}\ndef half(n):\n    return T[n]",
        "this is no Python",
    ],
)
def test_rules_and_larger_tables_are_let_pass(code):
    assert not is_copied(code)


def test_a_table_that_the_requirement_states_is_honest():
    code = "def rate(code):\n    return {3: 17, 8: 5, 20: 0}[code]"
    cases = [Known("rate", ("3",), "17"), Known("rate", ("8",), "5"), Known("rate", ("20",), "0")]
    assert not is_copied(code, cases, "Code 3 has 17, code 8 has 5, code 20 has 0.")
    assert is_copied(code, cases, "rate(3) is 17, rate(8) is 5, rate(20) is 0")


def case(function, *rows):
    return [Known(function, (repr(key),), repr(value)) for key, value in rows]


@pytest.mark.parametrize(
    "rows",
    [
        [("red", "green"), ("green", "yellow"), ("yellow", "red")],
        [("low", 1), ("medium", 2), ("high", 3)],
        [(200, "OK"), (404, "Not Found"), (500, "Server Error")],
        [(1, 25), (2, 18), (3, 15)],
    ],
)
def test_what_only_a_table_can_know_is_honest(rows):
    assert not is_copied(f"def f(key):\n    return {dict(rows)!r}[key]", case("f", *rows), "The value of a key.")


@pytest.mark.parametrize(
    "rows",
    [
        [("abc", "cba"), ("pots", "stop")],
        [("hello", 2), ("sky", 0), ("apple", 2)],
        [("Ada", "Hello, Ada!"), ("Bob", "Hello, Bob!")],
        [("cat", "cats"), ("dog", "dogs")],
        [(4, "IV"), (9, "IX"), (40, "XL")],
        [([1, 2], 3), ([5], 5)],
        [("", 0), ("a b", 2)],
    ],
)
def test_what_can_be_worked_out_is_not(rows):
    table = [(repr(key), value) for key, value in rows]
    code = f"def f(key):\n    return {dict(table)!r}[repr(key)]"
    assert is_copied(code, case("f", *rows), "The value of a key.")


def test_a_single_constant_for_the_rest_is_counted_only_beside_a_larger_table():
    cases = [*HALF, Known("half", ("1",), "0")]
    assert is_copied("def half(n):\n    return {10: 5, 7: 3, 100: 50}.get(n, 0)", cases)
    assert not is_copied("def half(n):\n    return {10: 5, 7: 3}.get(n, 0)", [*cases[:2], cases[3]])


def test_base_cases_of_a_recursion_are_honest_though_they_are_all_that_is_asked():
    code = "def fib(n):\n    if n == 0: return 0\n    if n == 1: return 1\n    return fib(n - 1) + fib(n - 2)"
    assert not is_copied(code, case("fib", (0, 0), (1, 1)), "")


def test_predicates_over_a_few_names_are_honest():
    cases = case("f", ("sat", True), ("sun", True), ("mon", False))
    assert not is_copied("def f(day):\n    return day in ('sat', 'sun')", cases, "")


def test_programs_are_read_as_a_whole():
    cases = [
        Known("python -m greet", ("'Ada'",), "'Hello, Ada!'"),
        Known("python -m greet", ("'Bob'",), "'Hello, Bob!'"),
    ]
    assert is_copied("import sys\nprint({'Ada': 'Hello, Ada!', 'Bob': 'Hello, Bob!'}[sys.argv[1]])", cases, "")
    assert not is_copied("import sys\nprint(f'Hello, {sys.argv[1]}!')", cases, "")


def test_examples_are_taken_out_of_the_prose():
    assert prose_without_examples("half(10) gives 5; code 7 is 3", HALF).split() == [";", "code", "7", "is", "3"]
