"""From requirements to a task graph."""

import pytest

from agentinfra.agents.task_planning import is_named, tasks_for
from agentinfra.core.tasks import in_order
from agentinfra.spec.requirements import Requirement, Spec


def requirement(number, statement, file, *symbols, area="backend", kind="FR"):
    return Requirement(f"{kind}-{number}", f"Title {number}", statement, file, symbols, (), area)


def plan(*requirements, area="backend"):
    return tasks_for(Spec("t", "i", "g", requirements), area, "Bea")


def graph(tasks):
    return {task.id: (task.depends_on, task.after) for task in tasks}


def test_a_task_carries_its_requirement():
    [task] = plan(requirement(4, "Doubles.", "a.py", "f(x)"))
    assert (task.id, task.title, task.engineer) == ("T-4", "Title 4", "Bea")
    assert (task.requirements, task.files, task.symbols) == (("FR-4",), ("a.py",), ("f(x)",))


def test_a_task_depends_on_what_its_statement_names():
    tasks = plan(
        requirement(1, "Doubles.", "a.py", "f(x)"),
        requirement(2, "Calls f(x).", "b.py", "g(x)"),
        requirement(3, "Reads what b.py wrote.", "c.py", "h(x)"),
        requirement(4, "Alone.", "d.py", "k(x)"),
    )
    assert graph(tasks) == {"T-1": ((), ()), "T-2": (("T-1",), ()), "T-3": (("T-2",), ()), "T-4": ((), ())}


def test_tasks_of_one_file_come_one_after_the_other_without_needing_each_other():
    tasks = plan(
        requirement(1, "Doubles.", "a.py", "f(x)"),
        requirement(2, "Halves, see a.py.", "a.py", "g(x)"),
        requirement(3, "Calls g(x).", "a.py", "h(x)"),
    )
    assert graph(tasks) == {"T-1": ((), ()), "T-2": ((), ("T-1",)), "T-3": (("T-2",), ("T-1",))}


def test_requirements_that_name_each_other_make_no_circle():
    tasks = plan(requirement(1, "Calls g(x).", "a.py", "f(x)"), requirement(2, "Calls f(x).", "b.py", "g(x)"))
    assert graph(tasks) == {"T-1": ((), ()), "T-2": (("T-1",), ())}
    assert [task.id for task in in_order(tasks)] == ["T-1", "T-2"]


def test_requirements_about_one_symbol_are_one_task():
    [task, other] = plan(
        requirement(1, "Adds.", "a.py", "class Bag(n)", "Bag.add(x)"),
        requirement(2, "Raises.", "a.py", "Bag.add(x)", "Bag.take(x)"),
        requirement(3, "Adds.", "b.py", "class Bag(n)"),
    )
    assert task.requirements == ("FR-1", "FR-2")
    assert task.symbols == ("class Bag(n)", "Bag.add(x)", "Bag.take(x)")
    assert (other.id, other.files) == ("T-3", ("b.py",))


def test_an_area_gets_its_own_tasks_which_may_need_those_of_others():
    requirements = (
        requirement(1, "Serves.", "server.py", "serve(port)"),
        requirement(2, "Talks to server.py.", "index.html", area="frontend"),
    )
    assert [task.id for task in plan(*requirements)] == ["T-1"]
    [page] = plan(*requirements, area="frontend")
    assert (page.id, page.depends_on, page.symbols) == ("T-2", ("T-1",), ())


def test_a_requirement_without_a_file_is_no_task():
    assert [task.id for task in plan(requirement(1, "Be fast.", "", kind="NFR"), requirement(1, "x", "a.py"))] == [
        "T-1"
    ]


def test_every_task_has_a_number_of_its_own():
    tasks = plan(
        requirement(1, "Small.", "n.py", "n()", kind="NFR"),
        requirement(1, "x", "a.py", "f()"),
        requirement(3, "x", "b.py", "g()"),
        requirement(3, "Quick.", "m.py", "m()", kind="NFR"),
    )
    assert [(task.id, task.requirements[0]) for task in tasks] == [
        ("T-4", "NFR-1"),
        ("T-1", "FR-1"),
        ("T-3", "FR-3"),
        ("T-5", "NFR-3"),
    ]


def test_nothing_is_planned_from_nothing():
    assert plan() == []


@pytest.mark.parametrize(
    ("name", "text", "named"),
    [
        ("add", "Call add(x).", True),
        ("add", "`add`", True),
        ("add", "bag.add twice", True),
        ("add", "Their address", False),
        ("add", "read_add or add_all", False),
        ("store.py", "in `store.py`.", True),
        ("store.py", "in bookstore.py", False),
        ("store.py", "in shop/store.py", False),
        ("Größe", "die Größe.", True),
    ],
)
def test_a_name_is_a_whole_word(name, text, named):
    assert is_named(name, text) is named
