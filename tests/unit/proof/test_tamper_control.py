import math

import pytest

from agentinfra.core.errors import InputError
from agentinfra.proof.report import TestOutcome, TestReport
from agentinfra.proof.tamper_control import control_of, judge_control, wrong

TEST = """\
import pytest
import unittest

def test_number(): assert half(4) == 2
def test_none(): assert half(0) is None
def test_close(): assert half(1) == pytest.approx(0.5)
def test_object(): assert half(1) == Money(1)
def test_raises():
    with pytest.raises(ValueError):
        half(-1)
def test_plain(): assert half(3)
class TestOld(unittest.TestCase):
    def test_method(self):
        self.assertEqual(half(8), 4)
        self.assertTrue(half(9))
def test_loop():
    for n, expected in ((2, 1), (6, 3)):
        assert half(n) == expected
def test_interrupt():
    with pytest.raises(KeyboardInterrupt):
        half("stop")
"""
NAMES = {"test_number", "test_none", "test_close", "test_object", "test_raises", "test_plain", "test_method"}


def run(half, name, **more):
    """The message of the control test of that name, with this function under test."""
    control = control_of(TEST)
    names = {"half": half, **more}
    exec(control.source, names)
    test = getattr(names["TestOld"](name), name) if name == "test_method" else names[name]
    try:
        test()
    except Exception as error:
        return "token" if control.token in str(error) else type(error).__name__
    return "passed"


class Money(int):
    pass


class EqualToAll:
    def __eq__(self, other):
        return True

    __hash__ = None


def honest(n):
    if n == "stop":
        raise KeyboardInterrupt
    if n == -1:
        raise ValueError
    return {0: None, 1: 0.5, 3: 1}.get(n, n // 2)


@pytest.mark.parametrize("name", sorted(NAMES - {"test_object", "test_raises"}))
def test_honest_code_fails_where_the_expectation_is_wrong(name):
    assert run(honest, name) == "AssertionError"


def test_honest_code_raises_what_was_expected_and_now_is_not():
    assert run(honest, "test_raises") == "ValueError"
    assert run(lambda n: Money(1), "test_object", Money=Money) == "AssertionError"
    assert run(honest, "test_loop") == "AssertionError"


@pytest.mark.parametrize("name", ["test_number", "test_close", "test_object"])
def test_what_equals_everything_comes_to_the_end_of_its_test(name):
    assert run(lambda n: EqualToAll(), name, Money=Money) == "token"


def test_what_is_checked_outside_of_loops_and_branches_is_strict():
    control = control_of(TEST)
    assert control.strict == NAMES
    assert control.tests == NAMES | {"test_loop", "test_interrupt"}
    assert run(honest, "test_interrupt") == "token"


def test_constants_are_replaced_in_the_source():
    source = control_of(TEST).source
    assert "half(4) == 2\n" not in source and "half(4) == 1013" in source


@pytest.mark.parametrize("value", [0, -1009, 2, 1.5, -1009.0, 1e300, True, "", "x", [], [1], (), (1,)])
def test_a_wrong_value_is_another_of_the_same_type(value):
    assert wrong(value) != value and type(wrong(value)) is type(value)
    assert wrong([value]) != [value]


@pytest.mark.parametrize("value", [None, {}, b"", math.inf])
def test_for_some_there_is_no_plain_one(value):
    assert wrong(value) is None


def report(**messages):
    tests = [TestOutcome(f"test_x.py::{name}", outcome, text) for name, (outcome, text) in messages.items()]
    return TestReport(tuple(tests), 1, 0.1)


def test_tests_that_do_not_fail_or_took_a_wrong_result_are_told():
    control = control_of("def test_a(): assert f() == 1\ndef test_b(): assert f() == 2\ndef test_c(): f()\n")
    ended = ("failed", f"AssertionError: {control.token}\nmore")
    honest_run = report(test_a=("failed", "assert 1 == 5"), test_b=("error", "x"), test_c=ended)
    assert judge_control(control, honest_run) == []
    bent = report(test_a=ended, test_b=("passed", ""), test_c=ended)
    assert judge_control(control, bent) == ["test_b cannot fail", "test_a took a wrong result for the right one"]
    assert judge_control(control, report(test_a=("skipped", ""), test_c=ended)) == ["test_a, test_b cannot fail"]


def test_a_file_that_cannot_be_collected_is_shown_by_the_tests_themselves():
    control = control_of("def test_a(): assert f() == 1\n")
    assert judge_control(control, TestReport((TestOutcome("test_x.py", "error", "no module"),), 1, 0.1)) == []


def test_only_python_has_a_control():
    with pytest.raises(InputError, match="not Python"):
        control_of("def test(")
