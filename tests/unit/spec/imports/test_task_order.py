import pytest

from agentinfra.core.errors import SpecError
from agentinfra.core.tasks import Task
from agentinfra.spec.imports.task_order import with_order


def task(name, *needed):
    return Task(name, name, (), (), depends_on=needed)


def test_what_is_implied_comes_behind_what_is_written_down():
    tasks, agreed = with_order([task("T-1"), task("T-2"), task("T-3", "T-2")], {"T-3": ["T-1", "T-2"]})
    assert (tasks[2].depends_on, agreed) == (("T-2", "T-1"), True)


def test_what_is_written_down_wins():
    before = [task("T-1", "T-2"), task("T-2")]
    assert with_order(before, {"T-2": ["T-1"]}) == (tuple(before), False)


def test_a_circle_that_is_written_down_is_refused():
    with pytest.raises(SpecError, match=r"in a circle: T-(1 → T-2 → T-1|2 → T-1 → T-2)\."):
        with_order([task("T-1", "T-2"), task("T-2", "T-1")], {})
