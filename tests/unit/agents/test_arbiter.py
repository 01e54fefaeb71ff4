"""Code or test? One table of suites and candidates."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentinfra.agents.arbiter import PASSED, Candidate, answers, arbitrate, is_sound, settled
from agentinfra.agents.test_suite import build_suite
from agentinfra.proof.report import TestOutcome, TestReport
from agentinfra.spec.requirements import Example, Ground

FIRM, GUESS = Ground.STATED, Ground.GUESSED
PASS = "passed"


def suite(*grounds):
    """One case a ground: f(1) is 10, f(2) is 20, …"""
    examples = [Example(f"f({n})", "returns", str(n * 10), (), ground) for n, ground in enumerate(grounds, 1)]
    return build_suite("tests/test_f.py", "f.py", ["f(x)"], [("FR-1", example) for example in examples])


def candidate(tests, *answers, code=None, turn=0):
    """A candidate by what it does in each case: PASS, a value, an error such as "KeyError: 1", or None (not run)."""
    outcomes = tuple(
        TestOutcome(tests.test_id(case), *told(case, answer))
        for case, answer in zip(tests.cases, answers, strict=True)
        if answer is not None
    )
    report = TestReport(outcomes, int(any(one.outcome != PASS for one in outcomes)), 0.0)
    return Candidate({"f.py": code or f"def f(x):\n    return {answers!r}\n"}, {}, report, 1, turn)


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
    other = candidate(tests, 5, code="def f(x):\n    return 4 + 1\n", turn=1)
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


@pytest.mark.parametrize(
    ("grounds", "rows", "fault"),
    [
        ((FIRM, GUESS), [(PASS, PASS)], ""),
        # The code: nothing passes the anchor, whatever candidates agree about.
        ((FIRM, GUESS), [(5, PASS), (5, PASS), (5, 7)], "code"),
        ((FIRM,), [], "code"),
        # The test: a guess that independent candidates contradict.
        ((FIRM, GUESS), [(PASS, 5), (PASS, 5)], "test"),
        ((GUESS, GUESS), [(PASS, 5), (PASS, 5)], "test"),
        # The specification: two against two, and all pass the anchor.
        ((FIRM, GUESS, GUESS), [(PASS, 5, PASS), (PASS, 5, PASS), (PASS, PASS, 7), (PASS, PASS, 7)], "spec"),
        # Nothing is grounded, and no two agree.
        ((GUESS, GUESS), [(PASS, 5), (7, PASS)], "spec"),
        # One against one is too little to ask a person about.
        ((FIRM, GUESS, GUESS), [(PASS, PASS, 7), (PASS, 5, PASS)], "code"),
        # What only raises is no answer to choose from.
        ((GUESS,), [("KeyError: 1",), (None,)], "code"),
    ],
)
def test_the_fault(grounds, rows, fault):
    tests = suite(*grounds)
    ruling = arbitrate(tests, [candidate(tests, *row, code=f"x = {n}") for n, row in enumerate(rows)])
    assert ruling.fault == fault
    assert (ruling.question is not None) == (fault == "spec")
    assert ruling.sound == sum(is_sound(candidate(tests, *row), tests) for row in rows)


def test_an_open_specification_becomes_a_question_with_the_answers_to_choose_from():
    tests = suite(FIRM, GUESS, GUESS)
    rows = [(PASS, 5, PASS), (PASS, 5, PASS), (PASS, 5, PASS), (PASS, PASS, 7), (PASS, PASS, 7), (PASS, PASS, 7)]
    rows += [(PASS, PASS, "ValueError: no"), (PASS, PASS, PASS)]
    ruling = arbitrate(tests, [candidate(tests, *row, code=f"x = {n}") for n, row in enumerate(rows)])
    assert ruling.fault == ""
    ruling = arbitrate(tests, [candidate(tests, *row, code=f"x = {n}") for n, row in enumerate(rows[:-1])])
    question = ruling.question
    assert (ruling.case, question.text) == ("test_f_3", "What should f(3) give?")
    assert question.options == ("30", "7", "raises ValueError")
    assert question.recommended == "30"
    assert "3 of 7 candidates say 7" in question.why


def test_a_stated_example_that_all_candidates_contradict_stands_and_is_named():
    tests = suite(FIRM, GUESS)
    given = [candidate(tests, 5, PASS, code=f"x = {n}") for n in range(3)]
    ruling = arbitrate(tests, given)
    assert (ruling.winner, ruling.drop, dict(ruling.amend)) == (None, (), {})
    assert "or f(1) is: all 3 say 5, not 10" in ruling.reason
    assert "or f(1)" not in arbitrate(tests, given[:1]).reason
    assert "or f(1)" not in arbitrate(tests, [*given, candidate(tests, 6, PASS, code="x = 9")]).reason


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("7", ("returns", "7")),
        (" [1, 'a'] ", ("returns", "[1, 'a']")),
        ("raises ValueError", ("raises", "ValueError")),
        ("raises shop.SoldOut", ("raises", "shop.SoldOut")),
        ("It depends", None),
        ("raises", None),
        ("", None),
        ("f(3)", None),
    ],
)
def test_what_a_person_says_becomes_a_grounded_case(answer, expected):
    tests = suite(FIRM, GUESS)
    made = settled(tests, "test_f_2", answer)
    if expected is None:
        assert made is None
        return
    example = made.cases[1].example
    assert (example.expect, example.value, example.ground) == (*expected, Ground.ANSWERED)
    assert made.cases[0] == tests.cases[0]


ANSWERS = st.sampled_from([PASS, 5, 7, "KeyError: 1", None])


@st.composite
def tables(draw):
    """A suite and candidates that do anything at all."""
    grounds = draw(st.lists(st.sampled_from([FIRM, GUESS]), min_size=1, max_size=4))
    tests = suite(*grounds)
    rows = draw(st.lists(st.tuples(*(ANSWERS for _ in grounds)), max_size=6))
    codes = draw(st.lists(st.integers(0, 6), min_size=len(rows), max_size=len(rows)))
    turns = draw(st.permutations(range(len(rows))))
    # The same code gives the same answers.
    by_code = {}
    for code, row in zip(codes, rows, strict=True):
        by_code.setdefault(code, row)
    made = [
        candidate(tests, *by_code[code], code=f"x = {code}", turn=turn) for code, turn in zip(codes, turns, strict=True)
    ]
    return tests, made, draw(st.permutations(made))


@given(tables())
def test_the_order_of_the_candidates_makes_no_difference(table):
    tests, given, shuffled = table
    assert arbitrate(tests, given) == arbitrate(tests, shuffled) == arbitrate(tests, given)


@given(tables())
def test_an_anchor_is_never_dropped_or_amended_and_every_winner_passes_it(table):
    tests, given, _ = table
    ruling = arbitrate(tests, given)
    firm = {case.name for case in tests.cases if case.example.ground.is_firm}
    assert not firm & {*ruling.drop, *ruling.amend}
    if ruling.winner is not None:
        told = answers(ruling.winner.report, tests)
        assert {told[name] for name in firm} <= {PASSED}
        # What stands after the ruling, the winner passes.
        left = {case.name for case in tests.cases} - {*ruling.drop, *ruling.amend}
        assert {told[name] for name in left} <= {PASSED}


@given(tables())
def test_a_ruling_says_what_is_at_fault(table):
    tests, given, _ = table
    ruling = arbitrate(tests, given)
    changed = bool(ruling.drop or ruling.amend)
    assert ruling.reason
    assert (ruling.fault == "test") == changed
    assert (ruling.winner is None) == (ruling.fault in ("code", "spec"))
    assert (ruling.question is not None) == (ruling.fault == "spec")
    if ruling.question is not None:
        [case] = [case for case in tests.cases if case.name == ruling.case]
        assert not case.example.ground.is_firm
        assert len(set(ruling.question.options)) > 1
        assert settled(tests, ruling.case, ruling.question.recommended) is not None


@given(tables(), st.integers(1, 3))
def test_the_same_code_again_adds_no_weight(table, times):
    tests, given, _ = table
    again = [replace(one, turn=one.turn + 10 * n) for n in range(1, times + 1) for one in given]
    ruling, more = arbitrate(tests, given), arbitrate(tests, [*given, *again])
    assert ruling == more
