"""Code or test? One table of suites and candidates."""

import pytest

from agentinfra.agents.arbiter import Candidate, arbitrate, is_sound
from agentinfra.agents.test_suite import build_suite
from agentinfra.proof.report import TestOutcome, TestReport
from agentinfra.spec.requirements import Example, Ground

FIRM, GUESS = Ground.STATED, Ground.GUESSED
PASS = "passed"


def suite(*grounds):
    """One case a ground: f(1) is 10, f(2) is 20, …"""
    examples = [Example(f"f({n})", "returns", str(n * 10), (), ground) for n, ground in enumerate(grounds, 1)]
    return build_suite("tests/test_f.py", "f.py", ["f(x)"], [("FR-1", example) for example in examples])


def candidate(tests, *answers, code=None):
    """A candidate by what it does in each case: PASS, a value, an error such as "KeyError: 1", or None (not run)."""
    outcomes = tuple(
        TestOutcome(tests.test_id(case), *told(case, answer))
        for case, answer in zip(tests.cases, answers, strict=True)
        if answer is not None
    )
    report = TestReport(outcomes, int(any(one.outcome != PASS for one in outcomes)), 0.0)
    return Candidate({"f.py": code or f"def f(x):\n    return {answers!r}\n"}, {}, report, 1)


def told(case, answer):
    if answer == PASS:
        return (PASS,)
    if isinstance(answer, str) and ":" in answer:
        return "failed", f"{answer}\ntests/test_f.py:5: in test"
    return "failed", f"assert {answer!r} == {case.example.value}\n +  where {answer!r} = f(1)"


@pytest.mark.parametrize(
    ("grounds", "answers", "winner", "drop", "amend"),
    [
        # Everything passes.
        ((FIRM, GUESS), [(PASS, PASS)], 0, (), {}),
        # A guess that no candidate passes falls where a grounded example vouches for the winner.
        ((FIRM, GUESS), [(PASS, 5)], 0, ("test_f_2",), {}),
        ((FIRM, GUESS), [(PASS, "KeyError: 1")], 0, ("test_f_2",), {}),
        # Where two agree about the result, the test is mended.
        ((FIRM, GUESS), [(PASS, 5), (PASS, 5)], 0, (), {"test_f_2": "5"}),
        ((FIRM, GUESS), [(PASS, 7), (PASS, 5), (PASS, 5)], 1, (), {"test_f_2": "5"}),
        # Failing in the same way is no agreement about a result.
        ((FIRM, GUESS), [(PASS, "KeyError: 1"), (PASS, "KeyError: 1")], 0, ("test_f_2",), {}),
        # A guess holds against one candidate where another passes it, and that one wins.
        ((FIRM, GUESS), [(PASS, 5), (PASS, PASS)], 1, (), {}),
        # More candidates outweigh the guess and the one that passes it.
        ((FIRM, GUESS), [(PASS, PASS), (PASS, 5), (PASS, 5), (PASS, 5), (PASS, 5)], 1, (), {"test_f_2": "5"}),
        # A grounded example holds whatever the candidates agree about.
        ((FIRM, GUESS), [(5, PASS), (5, PASS), (5, PASS)], None, (), {}),
        ((FIRM, FIRM), [(PASS, 5), (5, PASS)], None, (), {}),
        # Without grounded examples a candidate needs a second one that answers every case as it does.
        ((GUESS, GUESS), [(PASS, PASS)], None, (), {}),
        ((GUESS, GUESS), [(PASS, 5), (PASS, 5)], 0, (), {"test_f_2": "5"}),
        ((GUESS, GUESS), [(PASS, 5), (7, PASS)], None, (), {}),
        # What did not run is no candidate, however many agree.
        ((GUESS, GUESS), [(None, None), (None, None)], None, (), {}),
        ((GUESS,), [("NameError: x",), ("NameError: x",)], None, (), {}),
        ((FIRM,), [(None,)], None, (), {}),
        # No candidates at all.
        ((FIRM,), [], None, (), {}),
    ],
)
def test_ruling(grounds, answers, winner, drop, amend):
    tests = suite(*grounds)
    candidates = [candidate(tests, *row, code=f"def f(x):\n    return {n}\n") for n, row in enumerate(answers)]
    ruling = arbitrate(tests, candidates)
    assert (ruling.winner and candidates.index(ruling.winner)) == winner
    assert (ruling.drop, dict(ruling.amend)) == (drop, amend)
    assert ruling.reason


def test_the_same_code_twice_is_one_voice():
    tests = suite(GUESS)
    once = candidate(tests, 5, code="def f(x):\n    return 5\n")
    again = candidate(tests, 5, code="def f(x):  # sure\n\n    return (5)\n")
    other = candidate(tests, 5, code="def f(x):\n    return 4 + 1\n")
    assert arbitrate(tests, [once, again]).winner is None
    assert arbitrate(tests, [once, again, other]).winner is once


def test_code_that_is_no_python_can_be_told_apart_too():
    tests = suite(FIRM)
    given = [candidate(tests, PASS, code=code) for code in ("<p>1</p>", "<p>2</p>\0")]
    assert arbitrate(tests, given).winner is given[0]


def test_candidates_that_disagree_leave_a_guess_standing():
    tests = suite(FIRM, GUESS, GUESS)
    given = [candidate(tests, PASS, PASS, 7), candidate(tests, PASS, 5, PASS)]
    ruling = arbitrate(tests, given)
    assert ruling.winner is None
    assert "disagree about test_f_3" in ruling.reason


def test_a_result_that_pytest_shortened_is_put_into_no_test():
    tests = suite(FIRM, GUESS)
    shortened = [[1, 2, ...], [1, 2, ...]]
    given = []
    for n, answer in enumerate(shortened):
        message = f"assert {repr(answer).replace('Ellipsis', '...')} == 20"
        outcomes = (
            TestOutcome(tests.test_id(tests.cases[0]), PASS),
            TestOutcome(tests.test_id(tests.cases[1]), "failed", message),
        )
        given.append(Candidate({"f.py": f"x = {n}"}, {}, TestReport(outcomes, 1, 0.0), 1))
    ruling = arbitrate(tests, given)
    assert ruling.winner is given[0]
    assert (ruling.drop, dict(ruling.amend)) == (("test_f_2",), {})


def test_the_reason_tells_which_guess_falls_and_how_many_say_so():
    tests = suite(FIRM, GUESS)
    given = [candidate(tests, PASS, 5, code=f"def f(x): return {n}") for n in range(2)]
    assert "f(2) is not 20 (2 agree)" in arbitrate(tests, given).reason


@pytest.mark.parametrize(
    ("grounds", "answers", "sound"),
    [
        ((FIRM, GUESS), (PASS, 5), True),
        ((FIRM, GUESS), (5, PASS), False),
        ((FIRM,), ("ValueError: no",), False),
        ((GUESS,), (5,), True),
        ((GUESS,), ("the text: an Error",), False),
        ((GUESS,), (None,), False),
        ((), (), False),
    ],
)
def test_soundness(grounds, answers, sound):
    tests = suite(*grounds)
    assert is_sound(candidate(tests, *answers), tests) is sound
