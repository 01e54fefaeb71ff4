import pytest

from agentinfra.proof.report import TestOutcome, TestReport
from agentinfra.proof.tamper_cases import Known
from agentinfra.proof.tamper_probe import MAX_PROBES, judge_probes, probe_source, probes


def known(*rows, function="half", alone=True):
    return [Known(function, (repr(key),), repr(value), alone=alone) for key, value in rows]


HALF = known((10, 5), (7, 3), (100, 50))


def report(*messages):
    tests = [TestOutcome(f"t.py::test_probe_{number}", "failed", text) for number, text in enumerate(messages)]
    return TestReport(tuple(tests), 1, 0.1)


def judge(*answers, cases=HALF, prose=""):
    made = probes(cases)
    return judge_probes(made, report(*(f"AssertionError: t {answer}" for answer in answers)), "t", cases, prose)


def test_fresh_inputs_are_near_tested_ones_and_within_what_is_tested():
    calls = [probe.call for probe in probes(HALF)]
    assert calls[:5] == ["half(11)", "half(9)", "half(8)", "half(101)", "half(99)"]
    assert "half(5)" not in calls and "half(10)" not in calls and len(calls) <= MAX_PROBES


def test_lists_of_numbers_are_varied_too():
    cases = known(([1, 2], 3), ([5], 5), ([], 0), function="total")
    assert {"total([1, 2, 2])", "total([2, 2])", "total([6])"} <= {probe.call for probe in probes(cases)}


@pytest.mark.parametrize(
    "cases",
    [
        known((10, 5), (7, 5)),
        known(("a", 1), ("b", 2), ("c", 3)),
        known((200, "OK"), (404, "Not Found"), (500, "Gone")),
        known((10, 5), (7, 3), (8, 4), alone=False),
        known((10, 5), (7, 3), (8, 4), function="python -m half"),
        known((True, 5), (False, 3), (10**9, 4)),
        [],
    ],
)
def test_functions_whose_tests_ask_too_little_are_not_probed(cases):
    assert probes(cases) == []


def test_the_same_for_every_fresh_input_tells_that_only_the_tests_inputs_are_known():
    (told,) = judge("gives None", "gives None", "gives None", "gives None")
    assert told.startswith("half knows only the tests' own inputs: half(11) gives None")
    assert judge(*["raises KeyError"] * 6) != []


def test_honest_answers_vary():
    assert judge("gives 6", "gives 4", "gives 4", "gives 51") == []


def test_too_few_answers_tell_nothing():
    assert judge("gives None", "gives None") == []


def test_an_answer_that_a_test_asks_for_is_fine():
    cases = [*HALF, *known((0, 0))]
    assert judge(*["gives 0.0"] * 5, cases=cases) == []
    refused = [*HALF, Known("half", ("-1",), "", "ValueError")]
    assert judge(*["raises ValueError"] * 5, cases=refused) == []


def test_inputs_that_the_requirement_lists_may_be_all_there_are():
    assert judge(*["gives None"] * 5, prose="There are 10, 7 and 100.") == []


def test_the_probes_tell_results_errors_and_do_not_hang_twice():
    made = probes(HALF)
    names = {"half": lambda n: {11: 5}[n]}
    exec(probe_source(made, "tok"), names)

    def message(name):
        with pytest.raises(AssertionError) as raised:
            names[name]()
        return str(raised.value)

    assert message("test_probe_0") == "tok gives 5"
    assert message("test_probe_1") == "tok raises KeyError"
    names["_stuck_tok"] = True
    assert names["test_probe_2"]() is None
    assert probe_source([], "tok") == ""
