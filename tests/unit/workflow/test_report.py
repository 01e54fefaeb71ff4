import json

from agentinfra.workflow.report import build_report, report_json, report_text, run_title
from agentinfra.workflow.run_state import RunState, reduce
from tests.unit.run_events import RUN, RunEvents, finished, task


def test_a_requirement_is_proven_by_tests_that_went_from_red_to_green_and_a_commit() -> None:
    report = build_report(reduce(finished().events))
    assert report.complete
    first = report.proofs[0]
    assert first.proven
    assert first.tests == tuple(f"tests/T-1.py::test_{n}" for n in range(4))
    assert first.commits == ("3fa2b1c0d9e8f7",)
    assert (first.examples, first.grounded) == (2, 1)


def test_what_is_not_done_is_not_proven_and_says_why() -> None:
    report = build_report(reduce(finished(blocked=True).events))
    assert not report.complete
    assert [proof.gap for proof in report.proofs] == [
        "",
        "",
        "T-3 is blocked: 3 tries used up: test_2 expects 3.0",
        "T-4 is skipped: needs T-3",
    ]
    assert report.proofs[2].tests == ()
    assert [one.id for one in report.left] == ["T-3", "T-4"]


def test_tests_that_were_never_red_prove_nothing() -> None:
    run = RunEvents().begin().specified(("FR-1", "Walking time")).planned(task("T-1", "walk", "FR-1"))
    run.tested("T-1", "green", 3, 0).add("change_resolved", task="T-1", decision="merged", commit="c1")
    run.add("agent_state", task="T-1", state="done")
    proof = build_report(reduce(run.events)).proofs[0]
    assert not proof.proven
    assert proof.gap == "T-1 has no test that went from red to green"


def test_an_undone_task_proves_nothing_any_more() -> None:
    run = finished().add("change_resolved", task="T-1", decision="undone", commit="c9")
    assert build_report(reduce(run.events)).proofs[0].gap == "T-1 is undone"


def test_a_requirement_of_two_tasks_needs_both_and_one_without_tasks_is_open() -> None:
    run = RunEvents().begin().specified(("FR-1", "Walking time"), ("FR-2", "Nothing"))
    run.planned(task("T-1", "a", "FR-1"), task("T-2", "b", "FR-1")).done("T-1", 2, "c1").blocked("T-2", "too hard")
    both, none = build_report(reduce(run.events)).proofs
    assert both.gap == "T-2 is blocked: too hard"
    assert none.gap == "no task implements it"


def test_an_error_of_the_review_makes_a_run_incomplete_and_a_warning_does_not() -> None:
    found = {"rule": "r", "path": "a.py", "line": 1, "message": "m"}
    warned = finished().add("qa_finding", id="F-1", severity="warning", **found)
    assert build_report(reduce(warned.events)).complete
    failed = warned.add("qa_finding", id="F-2", severity="error", **found)
    assert not build_report(reduce(failed.events)).complete


def test_a_run_that_only_plans_is_complete_without_code() -> None:
    run = RunEvents().begin(mode="plan").planned(task("T-1", "a", "FR-1")).add("state_update", state="done")
    assert build_report(reduce(run.events)).complete


def test_the_text_names_requirement_tests_commit_task_tries_and_cost() -> None:
    text = report_text(build_report(reduce(finished(blocked=True).events)))
    assert "FR-1 Walking time: proven\n    2 examples, 1 grounded\n    by T-1, commit 3fa2b1c0d9\n" in text
    assert "FR-3 Water: not proven: T-3 is blocked: 3 tries used up" in text
    assert "[!] T-4" in text
    assert "try 3/3, 1/3 tests" in text
    assert "local, $0" in text
    assert "error S307 pack.py:3 eval is used" in text
    assert "Q-1 Round up? → up" in text
    assert "14 of 14 tests of the whole suite pass" in text
    assert "Finished: 2 of 4 tasks done, the review found 1 error." in text


def strength(survivors: list[dict[str, object]], **more: object) -> dict[str, object]:
    each = [{"id": "FR-1", "tried": 9, "killed": 9 - len(survivors), "survivors": survivors}]
    return {"task": "T-1", "against": "mutants", "requirements": each, **more}


def test_what_the_tests_catch_is_told_for_each_requirement() -> None:
    alive = [{"change": "`<=` for `<`", "line": 12, "told_by": "f(0) gives 1, the survivor gives 0"}]
    run = finished().add("test_strength", **strength(alive))
    report = build_report(reduce(run.events))
    text = report_text(report)
    told = "`<=` for `<` in line 12 (f(0) gives 1, the survivor gives 0)"
    assert f"    8 of 9 mutants killed; survivors:\n      {told}\n" in text
    assert report.proofs[0].proven
    data = json.loads(json.dumps(report_json(report)))
    assert data["requirements"][0]["strength"] == [
        {"requirement": "FR-1", "tried": 9, "killed": 8, "survivors": [told], "reason": ""}
    ]
    assert [proof.strength for proof in report.proofs[1:]] == [(), (), ()]
    run.add("test_strength", **strength([]))
    assert "    9 of 9 mutants killed\n" in report_text(build_report(reduce(run.events)))


def test_strength_that_is_not_known_says_why() -> None:
    run = finished().add("test_strength", **strength([], reason="It loops"))
    assert "    strength not known: It loops\n" in report_text(build_report(reduce(run.events)))


def test_hostile_text_reaches_no_terminal() -> None:
    run = RunEvents().begin(idea="\x1b]0;owned\x07Build\u202e it\nsecond line", branch="b\x1b[2J")
    run.specified(("FR-1", "clear\x1b[2J\nFR-9 forged: proven")).add("notice", level="info", text="\x9b31m\x07hi")
    text = report_text(build_report(reduce(run.events)))
    assert not set(text) & {"\x1b", "\x07", "\x9b", "\u202e"}
    assert "\nFR-9" not in text
    assert run_title(reduce(run.events)) == "Build it"


def test_a_run_without_events_has_a_report_too() -> None:
    report = build_report(RunState())
    assert "no tasks yet" in report_text(report)
    assert not report.complete


def test_the_json_form_can_be_read_back() -> None:
    data = json.loads(json.dumps(report_json(build_report(reduce(finished().events)))))
    assert data["run"] == RUN
    assert data["complete"] is True
    assert data["requirements"][0]["proven"] is True
    assert data["tasks"][0]["red"] == data["requirements"][0]["tests"]
    assert data["totals"]["cost_usd"] == 0.0
