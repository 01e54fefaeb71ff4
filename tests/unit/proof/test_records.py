import json

import pytest

from agentinfra.core.errors import ProofError
from agentinfra.proof.records import GreenRecord, RedRecord, judge_green, judge_red
from agentinfra.proof.report import TestOutcome, TestReport

A, B = "tests/test_x.py::test_a", "tests/test_x.py::test_b"


def failed(name, kind="assertion"):
    return TestOutcome(name, "failed", "assert 1 == 2\nmore", 0.1, kind)


def passed(name):
    return TestOutcome(name, "passed")


def report(*tests, exit_code=None, reason=""):
    bad = any(test.outcome in ("failed", "error") for test in tests)
    return TestReport(tests, int(bad) if exit_code is None else exit_code, 1.0, reason=reason)


RED = RedRecord((A, B), (A, B), 1, "sha-of-tests")


def test_red_holds_when_every_new_test_fails_for_the_right_reason():
    verdict = judge_red(report(failed(A), failed(B, "missing")), [A, B], tests_sha="s", tree="t")
    assert verdict.record == RedRecord((A, B), (A, B), 1, "s", "t") and verdict.reasons == ()


def test_other_tests_may_do_what_they_like():
    verdict = judge_red(report(failed(A), passed(B), failed("old", "broken")), [A])
    assert verdict.record == RedRecord((A,), (A, B, "old"), 1)


@pytest.mark.parametrize(
    ("run", "reason"),
    [
        (report(passed(A)), f"{A} passes without the code"),
        (report(failed(A, "broken")), f"{A} is broken: assert 1 == 2"),
        (report(TestOutcome(A, "skipped")), f"{A} was skipped"),
        (report(TestOutcome(A, "xfailed")), f"{A} was xfailed"),
        (report(failed(B)), f"{A} was not run"),
        (report(), f"{A} was not run"),
        (report(failed(A), reason="timeout: no result after 3 s"), "timeout: no result after 3 s"),
        (report(failed(f"{A}[1]"), passed(f"{A}[2]")), f"{A}[2] passes without the code"),
    ],
)
def test_red_does_not_hold_and_says_why(run, reason):
    verdict = judge_red(run, [A])
    assert verdict.record is None and verdict.reasons == (reason,)


def test_red_of_nothing_does_not_hold():
    assert judge_red(report(failed(A)), []).reasons == ("no new test was named",)


def test_a_file_that_lacks_its_module_is_red_as_a_whole_and_a_broken_one_is_not():
    missing = TestOutcome("tests/test_x.py", "error", "No module named 'x'", 0.0, "missing")
    assert judge_red(report(missing), [A, B]).record is not None
    assert judge_red(report(missing), ["tests/test_y.py::test_a"]).record is None
    broken = TestOutcome("tests/test_x.py", "error", "SyntaxError", 0.0, "broken")
    assert judge_red(report(broken), [A]).reasons == ("tests/test_x.py is broken: SyntaxError",)


def test_a_name_that_begins_like_another_is_not_that_other():
    assert judge_red(report(failed(f"{A}_more")), [A]).reasons == (f"{A} was not run",)


def test_green_holds_when_the_same_tests_pass():
    verdict = judge_green(RED, report(passed(A), passed(B)), tree="tree")
    assert verdict.record == GreenRecord((A, B), 2, 0, "sha-of-tests", "tree") and verdict.reasons == ()


def test_a_file_that_was_red_as_a_whole_is_green_by_its_tests():
    red = RedRecord((A, B), ("tests/test_x.py",), 1)
    assert judge_green(red, report(passed(A), passed(B))).record is not None
    assert judge_green(red, report(passed(A))).reasons == (f"{B} was RED but was not run",)


@pytest.mark.parametrize(
    ("run", "reason"),
    [
        (report(passed(A)), f"{B} was RED but was not run"),
        (report(passed(A), failed(B)), f"{B} failed"),
        (report(passed(A), TestOutcome(B, "skipped")), f"{B} was skipped"),
        (report(passed(A), TestOutcome(B, "xfailed")), f"{B} was xfailed"),
        (report(passed(A), TestOutcome(B, "error", "boom", 0.0, "broken")), f"{B} was error"),
        (report(passed(A), passed(B), exit_code=4), "the test run ended with exit code 4"),
        (report(passed(A), passed(B), reason="forged report: no"), "forged report: no"),
    ],
)
def test_green_does_not_hold_and_says_why(run, reason):
    verdict = judge_green(RED, run)
    assert verdict.record is None and reason in verdict.reasons


def test_no_other_test_of_the_run_may_vanish():
    red = RedRecord((A,), (A, B), 1)
    assert judge_green(red, report(passed(A))).reasons == (f"{B} is gone",)


def test_no_test_may_join_that_was_not_red():
    red = RedRecord((A,), (A, "tests/test_z.py"), 1)
    run = report(passed(A), passed(f"{A}[1]"), passed("tests/test_z.py::test_1"), passed(B))
    assert judge_green(red, run).reasons == (f"{B} was not among the tests that were RED",)


def test_a_run_that_ended_well_is_not_red():
    verdict = judge_red(report(failed(A), exit_code=0), [A])
    assert verdict.record is None and verdict.reasons == ("the test run ended with exit code 0",)


def test_changed_tests_are_never_green():
    run = report(passed(A), passed(B))
    assert judge_green(RED, run, ["conftest.py was added"]).reasons == ("conftest.py was added",)
    assert judge_green(RED, run, tests_sha="other").reasons == ("the tests are not those that were RED",)
    assert judge_green(RED, run, tests_sha="sha-of-tests").record is not None


def test_records_survive_json():
    green = GreenRecord((A, B), 2, 0, "s", "t")
    assert RedRecord.from_json(json.loads(json.dumps(RED.to_json()))) == RED
    assert GreenRecord.from_json(json.loads(json.dumps(green.to_json()))) == green


@pytest.mark.parametrize("data", [{}, {"tests": 5, "required": 5}, {"tests": [], "required": [], "odd": 1}])
def test_what_is_no_record_is_refused(data):
    with pytest.raises(ProofError, match="RED"):
        RedRecord.from_json(data)
    with pytest.raises(ProofError, match="GREEN"):
        GreenRecord.from_json(data)
