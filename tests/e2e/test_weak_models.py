"""What a weak, broken or cheating model can do to a run: little, and the report says what."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterator

import pytest

from tests.e2e.place import Outcome, Place
from tests.e2e.provider import CODE, CUT, IDEA, PLAN, SHORT, WITHOUT_EXAMPLES, Provider, in_turn, planned


@pytest.fixture
def place(place: Place) -> Place:
    place.environment["OPENAI_API_KEY"] = "x"
    return place


def plan(place: Place, provider: Provider, idea: str, *options: str) -> Outcome:
    return place.agentinfra("plan", idea, "--init", "--yes", *provider.options, *options)


def states(place: Place) -> dict[str, str]:
    return {task["id"]: task["state"] for task in place.report()["tasks"]}


def test_broken_json_prose_and_wrong_names_do_no_harm(place: Place) -> None:
    broken = '{"title": "Sums", "goal": 3, "requirements": [{"file": '
    wrong = {**PLAN, "requirements": [planned("path/to/my_sums.py", "half(number)"), planned("/etc/passwd", "f()")]}
    fenced = f"Of course! Here is the plan you asked for:\n\n```json\n{json.dumps(wrong)}\n```\nAnything else?"
    code = (
        f"Sure!\n\n### path/of/file.py\n{CODE}\n### tests/test_sums.py\n```python\ndef test_it():\n    pass\n```\nBye."
    )
    with Provider({"Plan": in_turn(broken, fenced), "code": code}) as provider:
        outcome = plan(place, provider, SHORT)
    assert outcome.code == 0, outcome.said
    first, second = provider.asked("Plan")
    assert second["messages"][: len(first["messages"])] == first["messages"]
    assert second["messages"][-2]["content"] == broken
    assert "cannot be used" in second["messages"][-1]["content"]
    assert set(states(place).values()) == {"done"}
    python = [path for path in place.files(place.branch()) if path.endswith(".py")]
    assert sorted(python) == ["sums.py", "tests/test_sums_half.py"]
    assert "def half" in place.show(place.branch(), "sums.py")
    assert "def test_it" not in place.show(place.branch(), "tests/test_sums_half.py")


@pytest.mark.parametrize("reply", ["I'm sorry, but I can't help with that.", ""])
def test_a_model_that_never_plans_ends_the_run_with_a_word(place: Place, reply: str) -> None:
    with Provider({"Plan": reply}) as provider:
        outcome = plan(place, provider, SHORT)
    assert outcome.code == 1
    assert "openai:gpt-4o did not answer (plan) in the form asked for, twice" in outcome.said
    assert "Traceback" not in outcome.said
    assert len(provider.asked("Plan")) == 2
    assert place.git("status", "--porcelain") == ""
    assert place.report()["state"] == "failed"


def _endless() -> Iterator[str]:
    for number in itertools.count():
        time.sleep(0.01)  # so slow that its time is over before its length is
        yield f'{{"title": "again {number}"}}, '


def test_an_endless_answer_is_cut_when_the_time_is_up(place: Place) -> None:
    with Provider({"Plan": lambda body: _endless()}) as provider:
        outcome = plan(place, provider, SHORT, "--budget-minutes", "0.1")
    assert outcome.code == 1
    assert "0.1 minutes are over" in outcome.said
    assert provider.cuts(1) == 1


def test_a_task_whose_tests_test_nothing_is_not_done(place: Place) -> None:
    case = {"call": "half(4)", "expect": "returns", "value": "None"}
    with Provider({"ProposedCases": json.dumps({"cases": [case]})}) as provider:
        outcome = plan(place, provider, WITHOUT_EXAMPLES)
    assert outcome.code == 1
    (task,) = place.report()["tasks"]
    assert task["state"] == "blocked"
    assert "prove nothing" in task["reason"]
    assert "prove nothing" in place.agentinfra("report").said
    assert "sums.py" not in place.files(place.branch())
    assert provider.asked("code") == []


def test_code_that_cheats_is_not_taken_and_honest_code_after_it_is(place: Place) -> None:
    leaves = "```python\nimport os\n\n\ndef half(n):\n    os._exit(0)\n```"
    rewrites = (
        "```python\nfrom pathlib import Path\n\n\ndef half(n):\n"
        '    for path in Path(__file__).parent.glob("tests/*.py"):\n'
        '        path.write_text("def test_half_1():\\n    assert True\\n")\n'
        "    return None\n```"
    )
    with Provider({"code": in_turn(leaves, rewrites, CODE)}) as provider:
        outcome = plan(place, provider, SHORT)
    assert outcome.code == 0, outcome.said
    first, second, third = [event for event in place.told("test_result") if event["phase"] == "attempt"]
    assert not any(test["outcome"] == "passed" for test in (*first["tests"], *second["tests"]))
    assert first["reason"]
    assert third["exit_code"] == 0
    assert "os._exit" not in place.show(place.branch(), "sums.py")
    assert "half(7)" in place.show(place.branch(), "tests/test_sums_half.py")
    (task,) = place.report()["tasks"]
    assert (task["attempt"], task["max_attempts"]) == (3, 3)


EQUAL_TO_ALL = (
    "```python\nclass Half:\n    def __eq__(self, other):\n        return True\n\n    __hash__ = None\n\n\n"
    "def half(n):\n    return Half()\n```"
)
ANSWERS = "```python\ndef half(n):\n    return {10: 5, 7: 3}[n]\n```"
CALLER = "```python\nimport sys\n\n\ndef half(n):\n    return sys._getframe(1).f_code.co_consts[2]\n```"


def test_tampering_is_told_to_the_model_and_to_the_person(place: Place) -> None:
    with Provider({"code": in_turn(EQUAL_TO_ALL, ANSWERS, CODE)}) as provider:
        outcome = plan(place, provider, SHORT)
    assert outcome.code == 0, outcome.said
    first, second, third = [event for event in place.told("test_result") if event["phase"] == "attempt"]
    assert "took a wrong result for the right one" in first["reason"]
    assert "holds the tests' own inputs of half with their results" in second["reason"]
    assert (third["reason"], third["exit_code"]) == ("", 0)
    told = json.dumps(provider.asked("code")[1])
    assert "tampering: sums.py bends its tests" in told and "for every input" in told
    proof = place.agentinfra("proof")
    assert proof.code == 0, proof.said
    assert "1 of 1 done tasks are borne out by their records" in proof.said
    assert "caught tampering: sums.py bends its tests" in proof.said
    assert "// 2" in place.show(place.branch(), "sums.py")


def test_a_model_that_only_cheats_gets_nothing_done(place: Place) -> None:
    with Provider({"code": in_turn(CALLER, ANSWERS, EQUAL_TO_ALL)}) as provider:
        outcome = plan(place, provider, SHORT)
    assert outcome.code == 1
    assert states(place) == {"T-1": "blocked"}
    assert "sums.py" not in place.files(place.branch())
    assert place.agentinfra("proof").said.count("caught tampering") == 3


def test_what_a_wrong_model_cannot_build_is_blocked_and_the_rest_is_delivered(place: Place) -> None:
    wrong = CODE.replace("return a + b", "return a * b")
    with Provider({"code": wrong}) as provider:
        outcome = plan(place, provider, IDEA, "--max-attempts", "2")
    assert outcome.code == 1
    assert states(place) == {"T-1": "blocked", "T-2": "done", "T-3": "skipped"}
    report = place.report()
    assert [requirement["proven"] for requirement in report["requirements"]] == [False, True, False]
    text = place.agentinfra("report").said
    assert "1 of 3 tasks done" in text
    assert "T-3 is skipped: needs T-1" in text
    assert "try 2/2" in text
    python = [path for path in place.files(place.branch()) if path.endswith(".py")]
    assert sorted(python) == ["sums.py", "tests/test_sums_half.py"]
    assert "def add" not in place.show(place.branch(), "sums.py")
    assert "[!]" in place.show(place.branch(), "tasks.md")


def test_at_the_limit_of_money_what_is_proven_is_merged_and_reported(place: Place) -> None:
    with Provider() as provider:
        provider.answers["code"] = lambda body: costly(provider)
        outcome = plan(place, provider, IDEA, "--budget-usd", "1")
    assert outcome.code == 1
    report = place.report()
    done = [task["id"] for task in report["tasks"] if task["state"] == "done"]
    assert len(done) in (1, 2)  # what was asked at the same time as the one that hit the limit is paid as well
    assert "budget is used up" in place.agentinfra("report").said
    assert report["totals"]["cost_usd"] > 1
    assert report["suite"]["passed"] >= 2
    assert report["suite"]["failed"] == 0


def costly(provider: Provider) -> str:
    provider.tokens = 1_000_000
    return CODE


def test_a_provider_that_dies_stops_the_run_and_nothing_is_asked_twice(place: Place) -> None:
    with Provider({"code": in_turn(CODE, CUT)}) as provider:
        outcome = plan(place, provider, IDEA)
        assert outcome.code == 130
        assert "agentinfra resume" in outcome.said
        assert "cannot be reached" in outcome.said
        assert place.agentinfra("status").code == 0
    asked = [json.dumps(body) for _, body in provider.requests]
    with Provider(port=provider.port) as revived:
        outcome = place.agentinfra("resume")
    assert outcome.code == 0, outcome.said
    assert set(states(place).values()) == {"done"}
    answered = set(asked[: asked.index(json.dumps(provider.asked("code")[1]))])
    assert not answered & {json.dumps(body) for _, body in revived.requests}
