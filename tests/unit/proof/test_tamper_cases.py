import ast

import pytest

from agentinfra.proof.tamper_cases import Known, are_words, canonical, known_cases

TEST = """\
import os, subprocess, sys
import pytest
from sums import half, Bag

def test_equal():
    assert half(4) == 2.0
def test_turned_around():
    assert "ab" == half("a", n=1)
def test_approx():
    assert half(1) == pytest.approx(0.5)
def test_truth():
    assert half(0) is None
def test_raises():
    with pytest.raises(ValueError):
        half(-1)
def test_prepared():
    bag = Bag()
    assert bag.take(3) == [1]
def test_program(tmp_path):
    command = [sys.executable, "-m", "greet", "Ada"]
    done = subprocess.run(command, cwd=tmp_path)
    assert done.stdout.strip() == "Hello"
class TestMore:
    def test_method(self):
        assert half([1, 2]) == ()
def test_unreadable(name):
    assert half(name) == 1
    assert half(2) > 1
    assert half() == 3
def helper():
    assert half(9) == 9
"""


def test_calls_and_what_they_must_do_are_read():
    assert known_cases(TEST) == [
        Known("half", ("4",), "2", alone=True),
        Known("half", ("'a'", "1"), "'ab'", alone=True),
        Known("half", ("1",), "0.5", alone=True),
        Known("half", ("0",), "None", alone=True),
        Known("half", ("-1",), "", "ValueError", alone=True),
        Known("bag.take", ("3",), "[1]"),
        Known("python -m greet", ("'Ada'",), "'Hello'"),
        Known("half", ("[1, 2]",), "()", alone=True),
    ]
    assert [case.function for case in known_cases(TEST) if case.is_program] == ["python -m greet"]


def test_what_is_no_python_asks_nothing():
    assert known_cases("def test(") == []


@pytest.mark.parametrize(
    ("source", "text"), [("2.0", "2"), ("'a' 'b'", "'ab'"), ("f( 1 )", "f(1)"), ("{2: 1}", "{2: 1}")]
)
def test_equal_constants_are_spelt_alike(source, text):
    assert canonical(ast.parse(source, mode="eval").body) == text


@pytest.mark.parametrize(
    ("outcomes", "words"),
    [
        (["'OK'", "'Not Found'", "'Gone'"], True),
        (["'Monday'"], True),
        (["'IV'", "'XL'"], False),
        (["'Fizz'", "'7'"], False),
        (["1", "2"], False),
    ],
)
def test_words_for_people(outcomes, words):
    assert are_words(outcomes) is words
