from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentinfra.core.tasks import Task
from agentinfra.spec.change import Change, changed, grounded_by_hand, stale
from agentinfra.spec.requirements import Example, Ground, Requirement, Spec

TEA = Requirement(
    "FR-1", "Tea", "brew(cups) boils water.", "tea.py", ("brew(cups)",), (Example("brew(1)", "returns", "2"),)
)
CUP = Requirement("FR-2", "Cup", "wash(cup) cleans it.", "cup.py", ("wash(cup)",))
SPEC = Spec("Kitchen", "idea", "goal", (TEA, CUP))


def with_tea(**values):
    return replace(SPEC, requirements=(replace(TEA, **values), CUP))


@pytest.mark.parametrize(
    "values",
    [
        {"statement": "brew(cups) boils milk."},
        {"examples": (Example("brew(1)", "returns", "3"),)},
        {"examples": ()},
        {"file": "pot.py"},
        {"symbols": ("brew(cups, kind)",)},
        {"area": "frontend"},
    ],
)
def test_another_wish_is_a_modification(values):
    assert changed(SPEC, with_tea(**values)) == Change(modified=("FR-1",))


@pytest.mark.parametrize(
    "values",
    [
        {"statement": "brew(cups)\n boils   water."},
        {"examples": (Example("brew(1)", "returns", "2", ground=Ground.STATED),)},
    ],
)
def test_layout_and_ground_are_no_change(values):
    change = changed(SPEC, with_tea(**values))
    assert change == Change()
    assert str(change) == "nothing changed"
    assert not change.calls_for_work


def test_a_title_alone_is_reworded():
    change = changed(SPEC, with_tea(title="A pot of tea"))
    assert (change.reworded, change.calls_for_work) == (("FR-1",), False)


def test_what_came_and_went_is_named():
    new = replace(CUP, id="FR-3")
    change = changed(SPEC, replace(SPEC, requirements=(TEA, new)))
    assert change == Change(added=("FR-3",), removed=("FR-2",))
    assert str(change) == "added FR-3; removed FR-2"
    assert change.affected == {"FR-3"}


def test_only_examples_that_a_person_wrote_are_theirs():
    guess = Example("brew(2)", "returns", "4")
    edited = with_tea(examples=(*TEA.examples, guess, Example("brew(0)", "returns", "0", ground=Ground.STATED)))
    grounds = [one.ground for one in grounded_by_hand(SPEC, edited).requirements[0].examples]
    assert grounds == [Ground.GUESSED, Ground.ANSWERED, Ground.STATED]


def task(number, requirement, *needs, file="a.py", symbols=("f()",)):
    return Task(f"T-{number}", "", (requirement,), (file,), symbols, tuple(f"T-{one}" for one in needs))


GRAPH = [task(1, "FR-1"), task(2, "FR-2", 1), task(3, "FR-3")]
DONE = ("T-1", "T-2", "T-3")


def test_the_tasks_of_changed_requirements_are_stale_and_no_other():
    assert stale(Change(modified=("FR-1",)), GRAPH, GRAPH, DONE) == ("T-1",)


def test_what_was_never_done_is_stale_too():
    assert stale(Change(), GRAPH, GRAPH, ("T-1", "T-3")) == ("T-2",)


def test_another_signature_takes_along_what_rests_on_it():
    after = [task(1, "FR-1", symbols=("f(x)",)), *GRAPH[1:]]
    assert stale(Change(modified=("FR-1",)), GRAPH, after, DONE) == ("T-1", "T-2")


def test_a_new_task_is_stale_with_what_has_come_to_rest_on_it():
    after = [*GRAPH[:2], task(3, "FR-3", 4), task(4, "FR-4")]
    assert stale(Change(added=("FR-4",)), GRAPH, after, DONE) == ("T-3", "T-4")


def test_a_task_that_lost_a_requirement_is_stale():
    before = [replace(GRAPH[0], requirements=("FR-1", "FR-9")), *GRAPH[1:]]
    assert stale(Change(removed=("FR-9",)), before, GRAPH, DONE) == ("T-1",)


@given(st.sets(st.sampled_from(["FR-1", "FR-2", "FR-3"])), st.sets(st.sampled_from(DONE)))
def test_nothing_affected_or_open_is_ever_kept(affected, done):
    found = stale(Change(modified=tuple(affected)), GRAPH, GRAPH, done)
    kept = {one.id for one in GRAPH} - set(found)
    assert kept <= done
    assert not any(affected & set(one.requirements) for one in GRAPH if one.id in kept)
