from dataclasses import replace
from typing import Any

import pytest

from agentinfra.core.errors import InputError
from agentinfra.memory.judgement import check_author, judge, nearest, strength
from agentinfra.memory.records import MemoryRecord
from agentinfra.memory.statement import Statement

NOW, DAY = 1_000_000_000.0, 86_400.0


def record(id: str, text: str, **more: Any) -> MemoryRecord:
    about: dict[str, Any] = {"subject": "rounding", "author": "engine", "confidence": 0.7, "created": NOW, "used": NOW}
    return MemoryRecord(id, more.pop("kind", "fact"), text, **{**about, **more})


def test_a_memory_counts_half_after_its_half_life_and_less_for_a_lesson() -> None:
    assert strength(record("a", "x"), NOW) == pytest.approx(0.7)
    assert strength(record("a", "x"), NOW + 120 * DAY) == pytest.approx(0.35)
    assert strength(record("a", "x", kind="lesson"), NOW + 120 * DAY) == pytest.approx(0.175)


def test_use_begins_the_half_life_anew_and_makes_it_longer() -> None:
    idle, used = record("a", "x"), record("a", "x", uses=3, used=NOW + 60 * DAY)
    later = NOW + 180 * DAY
    assert strength(used, later) > 2 * strength(idle, later)
    assert strength(used, NOW + 60 * DAY + 360 * DAY) == pytest.approx(0.35)


def test_rules_do_not_fade_and_a_clock_that_jumps_back_makes_nothing_older() -> None:
    assert strength(record("a", "x", kind="rule"), NOW + 10_000 * DAY) == 0.7
    assert strength(record("a", "x"), NOW - 10_000 * DAY) == 0.7


def test_the_same_said_again_is_one_memory_and_surer() -> None:
    old = record("a", "Round half up.")
    verdict = judge(record("b", "round  half UP", author="person", confidence=0.5, why="asked"), [old], NOW + 5)
    [kept] = verdict.records
    assert (verdict.id, kept.id, kept.author, kept.why) == ("a", "a", "person", "asked")
    assert kept.confidence == pytest.approx(0.85)
    assert (kept.uses, kept.used) == (1, NOW + 5)


def test_a_stranger_who_repeats_it_does_not_taint_it_and_a_person_cleans_it() -> None:
    clean, tainted = record("a", "x"), record("b", "x", tainted=True)
    assert not judge(tainted, [clean], NOW).records[0].tainted
    assert not judge(clean, [tainted], NOW).records[0].tainted
    assert judge(tainted, [replace(tainted, id="c")], NOW).records[0].tainted


def test_what_the_same_source_says_twice_counts_once_even_if_it_holds_no_more() -> None:
    told, gone = record("a", "up", source="run 1"), record("b", "down", source="run 1", superseded_by="a")
    for text, known in (("up", "a"), ("down", "b")):
        verdict = judge(record("c", text, source="run 1"), [told, gone], NOW)
        assert (verdict.records, verdict.id) == ((), known)
    assert judge(record("c", "up", source="run 2"), [told, gone], NOW).records[0].confidence > 0.7


def test_a_person_who_says_something_else_supersedes_and_both_stay_on_record() -> None:
    old, new = record("a", "up", author="person", confidence=1.0), record("b", "down", author="person", confidence=0.6)
    verdict = judge(new, [old], NOW)
    assert verdict.records == (new, replace(old, superseded_by="b"))
    assert verdict.disputed == ()


@pytest.mark.parametrize(
    ("confidence", "old_confidence", "days", "outcome"),
    [
        (0.9, 0.7, 0, "newer"),
        (0.7, 0.7, 0, "disputed"),
        (0.6, 0.7, 0, "disputed"),
        (0.8, 0.7, 0, "disputed"),
        (0.5, 0.7, 0, "older"),
        (0.5, 0.7, 240, "newer"),
    ],
)
def test_of_equals_the_surer_one_holds_and_close_ones_are_disputed(
    confidence: float, old_confidence: float, days: float, outcome: str
) -> None:
    old, now = record("a", "up", confidence=old_confidence), NOW + days * DAY
    new = record("b", "down", confidence=confidence, created=now, used=now)
    verdict = judge(new, [old], now)
    by_id = {one.id: one for one in verdict.records}
    if outcome == "newer":
        assert (by_id["a"].superseded_by, by_id["b"].holds, verdict.disputed) == ("b", True, ())
    elif outcome == "older":
        assert (by_id["b"].superseded_by, list(by_id), verdict.disputed) == ("a", ["b"], ())
    else:
        assert (by_id["a"].disputed_by, by_id["b"].disputed_by, verdict.disputed) == ("b", "a", ("a",))
        assert all(one.holds for one in by_id.values())


@pytest.mark.parametrize("more", [{"author": "engine"}, {"author": "person", "tainted": True}])
def test_nobody_supersedes_who_is_believed_more_than_themselves(more: dict[str, Any]) -> None:
    person = record("a", "up", author="person", confidence=0.5)
    verdict = judge(record("b", "down", **{"confidence": 1.0, **more}), [person], NOW)
    assert verdict.disputed == ("a",)
    assert all(one.holds for one in verdict.records)


def test_a_person_ends_a_dispute() -> None:
    first = record("a", "up", disputed_by="b")
    second = record("b", "down", disputed_by="a")
    verdict = judge(record("c", "even", author="person"), [first, second], NOW)
    assert [(one.id, one.superseded_by, one.disputed_by) for one in verdict.records] == [
        ("c", "", ""),
        ("a", "c", ""),
        ("b", "c", ""),
    ]


@pytest.mark.parametrize("other", [{"subject": "colour"}, {"kind": "decision"}, {"scope": "user"}])
def test_other_subjects_kinds_and_scopes_are_no_contradiction(other: dict[str, Any]) -> None:
    new = record("b", "down", confidence=1.0)
    assert judge(new, [record("a", "up", **other)], NOW).records == (new,)


def test_without_a_subject_nothing_is_contradicted_and_equal_texts_are_one() -> None:
    old, new = record("a", "up", subject=""), record("b", "down", subject="")
    assert judge(new, [old], NOW).records == (new,)
    assert judge(record("c", "UP", subject=""), [old], NOW).id == "a"


SCOPES = ("run:r", "project", "user")


def held(*records: MemoryRecord) -> list[str]:
    return [one.id for one in nearest(records, SCOPES)]


def test_what_is_said_nearer_holds_and_other_subjects_and_kinds_stay() -> None:
    user, project, run = (record(scope, scope, scope=scope) for scope in ("user", "project", "run:r"))
    assert held(user, project, run) == ["run:r"]
    assert held(user, project) == ["project"]
    others = [record("a", "x", scope="user", subject="else"), record("b", "y", scope="user", kind="lesson")]
    assert held(*others, replace(project, subject="")) == ["project", "a", "b"]
    assert held(record("a", "The same. ", scope="user", subject=""), record("b", "the same", scope="project")) == ["b"]


def test_disputes_within_a_scope_stay() -> None:
    assert held(record("a", "up", scope="user"), record("b", "down", scope="user")) == ["a", "b"]


@pytest.mark.parametrize("near", [{"tainted": True, "author": "person"}, {"author": "engine"}])
def test_nobody_is_overruled_by_those_who_are_believed_less(near: dict[str, Any]) -> None:
    far = record("far", "up", scope="user", author="person")
    assert held(far, record("near", "down", scope="project", **near)) == ["near", "far"]
    assert held(far, record("near", "down", scope="project", author="person")) == ["near"]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (Statement("rule", "Always push.", author="MicroAgent"), "MicroAgent is neither"),
        (Statement("rule", "Always push.", author="engine"), "engine is neither"),
        (Statement("rule", "Always push.", tainted=True), "strangers"),
        (Statement("fact", " "), "empty"),
        (Statement("fact", "x", confidence=1.5), r"1\.5"),
        (Statement("fact", "x", confidence=float("nan")), "nan"),
    ],
)
def test_what_may_not_be_remembered_is_refused(wrong: Statement, told: str) -> None:
    with pytest.raises(InputError, match=told):
        check_author(wrong)


@pytest.mark.parametrize("author", ["person", "planner"])
def test_a_person_and_the_planner_write_rules(author: str) -> None:
    check_author(Statement("rule", "Keep functions small.", author=author))
