"""Task states and the order of the graph."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentinfra.core.errors import SpecError
from agentinfra.core.tasks import FINAL_STATES, Task, TaskState, in_order


def task(name, *needs, after=()):
    return Task(name, "t", (), ("a.py",), depends_on=needs, after=tuple(after))


def ids(tasks, **more):
    return [one.id for one in in_order(tasks, **more)]


@pytest.mark.parametrize(
    ("tasks", "order"),
    [
        ([], []),
        ([task("A"), task("B", "A")], ["A", "B"]),
        ([task("B", "A"), task("A")], ["A", "B"]),
        ([task("B", after=["A"]), task("A")], ["A", "B"]),
        # What is in order stays as it is.
        ([task("A"), task("B", "A"), task("C"), task("D", "C")], ["A", "B", "C", "D"]),
        ([task("A"), task("B"), task("X", "B"), task("Y", "A")], ["A", "B", "X", "Y"]),
        # Only what has to move moves.
        ([task("B", "C"), task("A"), task("C")], ["A", "C", "B"]),
        ([task("D", "A", "A", after=["A"]), task("A")], ["A", "D"]),
    ],
)
def test_order(tasks, order):
    assert ids(tasks) == order


@given(st.integers(0, 12), st.randoms(use_true_random=False))
def test_every_task_comes_after_what_it_needs_and_order_is_kept(size, chance):
    names = [f"T-{n}" for n in range(size)]
    sound = [task(name, *(other for other in names[:n] if chance.random() < 0.3)) for n, name in enumerate(names)]
    assert ids(sound) == names
    shuffled = random.Random(chance.random()).sample(sound, len(sound))
    order = ids(shuffled)
    assert sorted(order) == sorted(names)
    assert all(order.index(needed) < order.index(one.id) for one in sound for needed in one.depends_on)
    assert order == ids(shuffled)


def test_a_long_chain_does_not_overflow_the_stack():
    names = [f"T-{n}" for n in range(5000)]
    chain = [task(name, *names[max(0, n - 1) : n]) for n, name in enumerate(names)]
    assert ids(chain[::-1]) == names
    with pytest.raises(SpecError, match="circle"):
        in_order([*chain[1:], task("T-0", "T-4999")])


@pytest.mark.parametrize(
    ("tasks", "path"),
    [
        ([task("A", "A")], "A → A"),
        ([task("A", "B"), task("B", after=["A"])], "A → B → A"),
        ([task("X"), task("A", "C"), task("B", "A"), task("C", "B")], "A → B → C → A"),
    ],
)
def test_a_circle_is_named(tasks, path):
    with pytest.raises(SpecError) as caught:
        in_order(tasks)
    shown = caught.value.what.removeprefix("Tasks depend on each other in a circle: ").split(" → ")
    wanted = path.split(" → ")
    assert shown[0] == shown[-1] and set(shown) == set(wanted) and len(shown) == len(wanted)


def test_an_unknown_need_is_named_with_who_has_it():
    with pytest.raises(SpecError, match=r"A depends on unknown X, Y\. Correct its depends-on\."):
        in_order([task("A", "X", after=["Y"])])


def test_what_runs_elsewhere_may_be_needed_and_orders_nothing():
    assert ids([task("B", "X"), task("A", "B")], others={"X", "A"}) == ["B", "A"]
    with pytest.raises(SpecError, match="unknown Y"):
        in_order([task("B", "X", "Y")], others={"X"})


def test_ids_that_are_used_twice_are_named():
    with pytest.raises(SpecError, match=r"used twice: A, B\. Give"):
        in_order([task("A"), task("B"), task("A"), task("C"), task("B"), task("A")])


def test_states_that_the_engine_will_not_touch_are_final():
    assert {state for state in TaskState if state.is_final} == FINAL_STATES
    assert {state.value for state in FINAL_STATES} == {"done", "blocked", "skipped", "cancelled", "stale"}


@pytest.mark.parametrize(
    ("states", "box"),
    [
        (("pending", "ready"), "[ ]"),
        (("red", "coding", "green"), "[~]"),
        (("done",), "[x]"),
        (("blocked", "skipped", "cancelled", "stale"), "[!]"),
    ],
)
def test_check_boxes(states, box):
    assert {TaskState(state).checkbox for state in states} == {box}
