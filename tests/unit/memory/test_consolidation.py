from typing import Any

from agentinfra.core.events import Event
from agentinfra.memory.consolidation import consolidate
from agentinfra.memory.statement import Statement
from tests.unit.run_events import RUN, RunEvents, finished, task


def of_kind(kind: str, run: RunEvents) -> list[Statement]:
    return [one for one in consolidate(run.events) if one.kind == kind]


def tried(run: RunEvents, name: str, **outcomes: str) -> RunEvents:
    tests = [
        {"id": f"tests/test_pace.py::{test}", "outcome": "failed" if message else "passed", "message": message}
        for test, message in outcomes.items()
    ]
    return run.add("test_result", task=name, phase="attempt", attempt=1, exit_code=1, tests=tests)


def one_task() -> RunEvents:
    return RunEvents().begin().planned(task("T-1", "format_time(minutes)", "FR-1"))


def test_a_test_that_failed_and_was_mended_is_a_lesson_with_its_cause_and_cure() -> None:
    run = tried(one_task(), "T-1", test_1="assert '1:5' == '1:05'\nmore", test_2="")
    tried(run, "T-1", test_1="", test_2="").add("change_resolved", task="T-1", decision="merged", commit="3fa2b1c0d9e8")
    [lesson] = of_kind("lesson", run.add("agent_state", task="T-1", state="done"))
    assert lesson.text == "format_time(minutes) in pace.py: what failed first was test_1: assert '1:5' == '1:05'"
    assert lesson.why == "Solved at try 2, in commit 3fa2b1c0d9e8"
    assert (lesson.source, lesson.author, lesson.tainted) == (f"run {RUN}", "engine", False)
    assert 0 < lesson.confidence < 1


def test_a_task_solved_at_once_teaches_nothing() -> None:
    run = tried(one_task(), "T-1", test_1="").add("agent_state", task="T-1", state="done")
    assert consolidate(run.events) == ()


def test_a_blocked_task_is_a_lesson_of_little_confidence() -> None:
    run = tried(one_task(), "T-1", test_1="TypeError")
    [lesson] = of_kind("lesson", run.add("agent_state", task="T-1", state="blocked", reason="3 tries used up"))
    assert "was not solved: 3 tries used up (test_1: TypeError)" in lesson.text
    assert lesson.confidence == 0.5


def test_work_that_was_sent_back_at_the_merge_is_a_lesson() -> None:
    run = one_task().add("change_resolved", task="T-1", decision="returned", reason="test_pace fails beside T-2")
    [lesson] = of_kind("lesson", run.add("agent_state", task="T-1", state="done"))
    assert "did not fit what was written beside it: test_pace fails beside T-2" in lesson.text
    assert lesson.subject == "merging format_time(minutes) in pace.py"


def test_what_a_person_answered_is_a_decision_and_weighs_more_than_what_was_recommended() -> None:
    run = RunEvents().begin()
    for name, by in (("Q-1", "person"), ("Q-2", "recommended")):
        run.add("question", id=name, text=f"Round up {name}?", options=["yes"], recommended="yes")
        run.add("answer", id=name, text="yes", by=by)
    first, second = of_kind("decision", run)
    assert (first.text, first.subject, first.author, first.confidence) == (
        "Round up Q-1? yes",
        "Round up Q-1?",
        "person",
        1.0,
    )
    assert (second.author, second.confidence) == ("engine", 0.5)


def test_a_rejected_run_is_a_lesson_of_the_person() -> None:
    run = RunEvents().begin().add("change_resolved", decision="rejected", reason="It uses floats for money")
    [lesson] = of_kind("lesson", run)
    assert lesson.text.endswith("It uses floats for money")
    assert lesson.author == "person"


def test_an_error_of_the_review_is_told_once_with_its_places() -> None:
    run = RunEvents().begin()
    for path in ("b.py", "a.py", "a.py"):
        run.add("qa_finding", id="F", severity="error", rule="S307", path=path, line=3, message="eval is used")
    run.add("qa_finding", id="F", severity="info", rule="D100", path="a.py", line=1, message="no docstring")
    [lesson] = of_kind("lesson", run)
    assert lesson.text == "The review found eval is used (S307) in a.py, b.py"


def test_where_modules_and_tests_lie_is_a_convention_once_there_are_enough() -> None:
    run = RunEvents().begin()
    run.planned(*({**task(f"T-{n}", f"f{n}()", "FR-1"), "files": [f"src/m{n}.py"]} for n in range(3)))
    for n in range(2):
        run.add("agent_state", task=f"T-{n}", state="done")
    assert of_kind("convention", run) == []
    run.add("agent_state", task="T-2", state="done")
    tests: list[dict[str, Any]] = [{"id": f"tests/test_m{n}.py::test", "outcome": "passed"} for n in range(3)]
    run.add("test_result", phase="suite", tests=tests)
    assert [one.text for one in of_kind("convention", run)] == ["Modules lie in src/", "Tests lie in tests/"]


def test_files_all_over_the_place_are_no_convention() -> None:
    run = RunEvents().begin()
    run.planned(*({**task(f"T-{n}", f"f{n}()", "FR-1"), "files": [f"m{n % 2}/m{n}.py"]} for n in range(6)))
    for n in range(6):
        run.add("agent_state", task=f"T-{n}", state="done")
    assert of_kind("convention", run) == []


def test_what_a_run_that_read_the_web_says_is_tainted_but_not_what_a_person_said() -> None:
    run = one_task().add("tool_call", id="t", title="page", kind="fetch")
    run.add("question", id="Q-1", text="Round up?").add("answer", id="Q-1", text="yes", by="person")
    tried(run, "T-1", test_1="boom").add("agent_state", task="T-1", state="done")
    assert {one.kind: one.tainted for one in consolidate(run.events)} == {"decision": False, "lesson": True}


def test_a_whole_run_teaches_each_thing_once_and_in_clean_lines() -> None:
    run = finished(blocked=True)
    tried(run, "T-2", test_x="\x1b[31mred\u202e " + "x" * 5_000)
    found = consolidate(run.events)
    assert len({(one.kind, one.text) for one in found}) == len(found) >= 3
    assert all("\x1b" not in one.text and "\u202e" not in one.text and len(one.text) <= 400 for one in found)


def test_events_of_another_shape_teach_nothing_and_fail_nothing() -> None:
    odd: list[dict[str, Any]] = [{}, {"task": 3}, {"tasks": "T-1"}, {"tasks": [3, {}]}, {"id": [], "text": {}}]
    kinds = ("plan_update", "test_result", "agent_state", "question", "answer", "change_resolved", "qa_finding")
    events = [Event("r", 1, 0.0, kind, data) for kind in kinds for data in odd]
    assert consolidate(events) == ()
    assert consolidate([]) == ()
