"""Acceptance examples as a pytest file."""

import ast
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentinfra.agents.test_suite import build_suite, module_name, normal, symbol_name
from agentinfra.proof.pytest_runner import PytestRunner
from agentinfra.security.sandbox.bubblewrap import Bubblewrap
from agentinfra.spec.requirements import Example, Ground

SYMBOLS = ("f(x)", "class Bag(size)", "Bag.add(item)", "class BagError(Exception)")


def returns(call, value, *setup, ground=Ground.GUESSED):
    return Example(call, "returns", value, setup, ground)


def raises(call, value, *setup):
    return Example(call, "raises", value, setup)


def prints(call, value, *setup):
    return Example(call, "prints", value, setup)


def suite(*examples, symbols=SYMBOLS, file="bag.py", neighbours=()):
    return build_suite("tests/test_bag.py", file, symbols, [("FR-1", one) for one in examples], neighbours)


def body(*examples, **more):
    """The lines of the first test below its comment, without indentation."""
    source = suite(*examples, **more).source()
    function = next(node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef))
    lines = source.splitlines()[function.lineno + 1 : function.end_lineno]
    return [line.strip() for line in lines]


@pytest.mark.parametrize(
    ("example", "lines"),
    [
        (returns("f(1)", "2"), ["assert f(1) == 2"]),
        (returns("f(1)", "True"), ["assert f(1) is True"]),
        (returns("f(1)", " None "), ["assert f(1) is None"]),
        (returns("f(1)", "2.5"), ["assert f(1) == pytest.approx(2.5)"]),
        (returns("f(1)", "-2.5"), ["assert f(1) == pytest.approx(-2.5)"]),
        (returns("f(1)", "-2"), ["assert f(1) == -2"]),
        (returns("f(1)", '(1, "a")'), ["assert f(1) == (1, 'a')"]),
        (raises("f(-1)", "ValueError"), ["with pytest.raises(ValueError):", "f(-1)"]),
        (raises("f(-1)", "json.JSONDecodeError"), ["with pytest.raises(json.JSONDecodeError):", "f(-1)"]),
        (returns("bag.add(1)", "1", "bag = Bag(3)"), ["bag = Bag(3)", "assert bag.add(1) == 1"]),
        (returns("f(1)", "2", "for n in range(2):\n    f(n)"), ["for n in range(2):", "f(n)", "assert f(1) == 2"]),
        # What stands in the call must not change what is compared.
        (returns("f(1) == 2", "True"), ["assert (f(1) == 2) is True"]),
        (returns("1 in f(1)", "True"), ["assert (1 in f(1)) is True"]),
        (returns("f(1) or 3", "3"), ["assert (f(1) or 3) == 3"]),
        (returns("not f(1)", "False"), ["assert (not f(1)) is False"]),
        (returns("f(1), f(2)", "(1, 2)"), ["assert (f(1), f(2)) == (1, 2)"]),
        (returns("f(1)  # twice", "2"), ["assert f(1) == 2"]),
        (returns("f(\n 1)", "2"), ["assert f(1) == 2"]),
        (returns('f("#")', '"#"'), ["assert f('#') == '#'"]),
    ],
)
def test_each_kind_of_expectation(example, lines):
    assert body(example) == lines


def test_a_program_is_run_in_a_fresh_folder_and_its_output_compared():
    example = prints('python bag.py add "two words"', "added\n", 'tmp_path.joinpath("in.txt").write_text("x")')
    lines = body(example)
    assert lines[0] == 'tmp_path.joinpath("in.txt").write_text("x")'
    assert "command = [sys.executable, '-m', 'bag', 'add', 'two words']" in lines
    assert lines[-1] == "assert done.stdout.strip() == 'added', done.stderr"
    assert "(tmp_path):" in suite(example).source()


def test_the_head_imports_what_the_tests_use_and_nothing_else():
    text = suite(
        returns("f(Decimal(1))", "date(2024, 1, 2)"),
        raises("Bag(-1).add(helper())", "BagError"),
        neighbours=(("tools", ("helper", "unused")), ("more", ("helper", "f"))),
    ).source()
    assert text.split("\n\n\n")[0] == (
        "from datetime import date\nfrom decimal import Decimal\n\nimport pytest\n\n"
        "from bag import Bag, BagError, f\nfrom tools import helper"
    )


def test_a_name_of_the_module_is_not_taken_from_a_library():
    text = suite(returns("date(1)", "2"), symbols=("date(x)",)).source()
    assert "datetime" not in text and "from bag import date\n" in text


def test_fixtures_are_asked_for_where_they_are_used():
    text = suite(
        returns("f(tmp_path)", "1"), returns("capsys.readouterr().out", "'1'", "f(1)"), returns("f(3)", "1")
    ).source()
    heads = [line for line in text.splitlines() if line.startswith("def ")]
    assert heads == ["def test_f_1(tmp_path):", "def test_readouterr_2(capsys):", "def test_f_3():"]


def test_every_test_says_what_it_proves_and_on_what_ground():
    assert "    # FR-1, stated\n" in suite(returns("f(1)", "2", ground=Ground.STATED)).source()


@pytest.mark.parametrize(
    "example",
    [
        returns("f(1", "2"),
        returns("f(1)", "2 3"),
        returns("f(1)", "2", "x = ("),
        returns("g(1)", "2"),
        returns("f(unknown)", "2"),
        returns("f(1)", "unknown"),
        returns("abs(1)", "1"),
        returns("f(1)", ""),
        returns("await f(1)", "2"),
        returns("(yield f(1))", "2"),
        returns("f(1)", "2", "return"),
        returns("f(1)", "2", "from os import *"),
        returns("f(1)\0", "2"),
        returns("f(" + "(" * 300 + ")" * 300 + ")", "2"),
        raises("f(1)", "ValueError('x')"),
        raises("f(1)", "ValueError, KeyError"),
        raises("f(1)", "int"),
        raises("f(1)", "NoSuchError"),
        prints("bag.py add", "x"),
        prints("python ", "x"),
        prints('python bag.py "x', "x"),
        prints("python bag.py", "x", "y = ("),
        prints("python bag.py", "x", "stranger()"),
        prints("python other.py", "x"),
        prints("python -c 'print(1)'", "1"),
    ],
)
def test_what_cannot_become_a_test_is_left_out(example):
    assert suite(example).cases == ()


@pytest.mark.parametrize(
    "example",
    [
        returns("sum(n for n in f(2))", "3"),
        returns("sorted(f(2), key=lambda pair: pair[0])", "[]"),
        returns("f(random.random())", "1", "import random"),
        returns("f(twice(1))", "1", "def twice(n):\n    return n * 2"),
        returns("f(out)", "1", "with open('x') as out:\n    pass"),
        returns(" f(1)", "2"),
        raises("f(1)", "BagError"),
        prints("python -m bag list", "x"),
    ],
)
def test_what_makes_its_own_names_is_kept(example):
    given = suite(example)
    assert len(given.cases) == 1
    compile(given.source(), "test_bag.py", "exec")


def test_a_page_is_tested_by_its_file():
    example = returns('"<h1>" in Path("index.html").read_text()', "True")
    assert len(suite(example, symbols=(), file="index.html").cases) == 1
    assert suite(example, symbols=(), file="other.html").cases == ()


def test_a_program_may_be_run_as_its_package():
    assert len(suite(prints("python -m store add", "x"), symbols=(), file="store/cli.py").cases) == 1


def test_the_first_of_two_answers_to_one_question_stays():
    given = suite(returns("f( 'a' )", "1"), returns('f("a")', "2"), returns('f("a")', "3", "g = 1"))
    assert [case.example.value for case in given.cases] == ["1", "3"]


def test_names_of_tests_are_plain_and_never_twice_the_same():
    given = suite(returns("f(1)", "1"), returns("f(2)", "1"), returns("Bag(1).add(2)", "1"), returns("f('ä')", "1"))
    assert [case.name for case in given.cases] == ["test_f_1", "test_f_2", "test_bag_3", "test_f_4"]
    assert given.test_id(given.cases[0]) == "tests/test_bag.py::test_f_1"


def test_cases_can_be_taken_out_and_amended_by_name():
    given = suite(returns("f(1)", "1"), returns("f(2)", "2"))
    assert [case.name for case in given.without(["test_f_1", "unknown"]).cases] == ["test_f_2"]
    changed = given.amended({"test_f_2": "9", "unknown": "0"})
    assert [case.example.value for case in changed.cases] == ["1", "9"]


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("a.py", "a"),
        ("pack/a.py", "pack.a"),
        ("pack/__main__.py", "pack.__main__"),
        ("pack/__init__.py", "pack"),
        ("src/pack/__init__.py", "pack"),
        ("src/pack/a.py", "pack.a"),
        ("src.py", "src"),
    ],
)
def test_module_name(file, name):
    assert module_name(file) == name


@pytest.mark.parametrize(
    ("signature", "name"),
    [
        ("f(a)", "f"),
        ("def f(a) -> int:", "f"),
        ("async def f(a)", "f"),
        ("class Bag(size)", "Bag"),
        ("Bag.add(item)", "Bag"),
        ("exception Full", "Full"),
        ("classify(x)", "classify"),
        ("(x)", ""),
        ("", ""),
    ],
)
def test_symbol_name(signature, name):
    assert symbol_name(signature) == name


def test_normal_spelling_leaves_what_is_no_expression():
    assert normal('f( "a" )') == normal("f('a')") == "f('a')"
    assert normal("f(") == "f("


PIECES = st.lists(
    st.sampled_from(
        [*"f(1) ==,:;#\"'\\[]{}", "\n", " ", "Bag", "if", "lambda x", "await ", "return", "or", "not ", "*"]
    ),
    max_size=8,
).map("".join)
EXAMPLES = st.builds(
    Example, PIECES, st.sampled_from(["returns", "raises", "prints"]), PIECES, st.lists(PIECES, max_size=2).map(tuple)
)


@given(st.lists(EXAMPLES, max_size=3))
def test_whatever_comes_the_file_can_be_loaded(examples):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        given_suite = suite(*examples)
        tree = ast.parse(given_suite.source())
    functions = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    assert functions == [case.name for case in given_suite.cases]
    compile(tree, "test_bag.py", "exec")


RIGHT = """
import sys

class BagError(Exception):
    pass

class Bag:
    def __init__(self, size):
        self.items, self.size = [], size

    def add(self, item):
        if len(self.items) == self.size:
            raise BagError(item)
        self.items.append(item)
        return len(self.items)

def f(x):
    return x / 3

if __name__ == "__main__":
    print("bag", *sys.argv[1:])
"""
REAL = suite(
    returns("f(1)", "0.333333333"),
    returns("f(6) == 2", "True"),
    returns("bag.add(5)", "2", "bag = Bag(2)", "for item in [1]:\n    bag.add(item)"),
    raises("Bag(0).add(1)", "BagError"),
    prints('python bag.py "a b" c', "bag a b c\n"),
)


@pytest.mark.parametrize(
    ("source", "passing"),
    [
        (RIGHT, ["f_1", "f_2", "add_3", "bag_4", "py_a_b_c_5"]),
        (RIGHT.replace("x / 3", "x // 3").replace('"bag"', '"sack"'), ["f_2", "add_3", "bag_4"]),
        (RIGHT.replace("raise BagError(item)", "return 0"), ["f_1", "f_2", "add_3", "py_a_b_c_5"]),
    ],
    ids=["right", "wrong results", "no error"],
)
async def test_the_file_judges_real_code(tmp_path, source, passing):
    overlay = {"bag.py": source, REAL.path: REAL.source()}
    report = await PytestRunner(Bubblewrap()).run(tmp_path, [REAL.path], expected=5, overlay=overlay)
    assert report.reason == ""
    passed = [test.id for test in report.tests if test.outcome == "passed"]
    assert passed == [f"{REAL.path}::test_{name}" for name in passing]
    assert {test.kind for test in report.failures} <= {"assertion"}
