"""From an idea and a model's plan to requirements: what the idea states wins."""

import pytest

from agentinfra.agents.outline import anchors_text, outline
from agentinfra.agents.replies import Plan, PlannedRequirement
from agentinfra.core.errors import ReplyError
from agentinfra.spec.requirements import Ground

NAMED = """I count. `count.py` has `double(n)`: twice the number, so `double(2)` gives 4 and `double(5)` gives 10.
It also has `half(n)`: half the number, rounded down."""
STORE = """In `store.py`: a class `Store(path)` with `add(name)`. Adding twice raises `StoreError`, an exception."""


def planned(file, signature, title="Title", rules="Some rules.", **more):
    return PlannedRequirement(file=file, signature=signature, title=title, rules=rules, **more)


def plan(*requirements):
    return Plan(title="Counting", goal="To count", requirements=list(requirements), out_of_scope=["Fractions"])


INVENTED = planned("invented.py", "invented(x)")


def shape(spec):
    return [(one.id, one.file, one.symbols) for one in spec.requirements]


def test_what_the_idea_names_wins_and_what_the_plan_invents_is_dropped():
    spec = outline(NAMED, plan(INVENTED, planned("other.py", "half(x, y)", "Halve a number.")))
    assert shape(spec) == [("FR-1", "count.py", ("double(n)",)), ("FR-2", "count.py", ("half(n)",))]
    assert [one.title for one in spec.requirements] == ["double", "Halve a number"]
    assert "rounded down" in spec.requirements[1].statement and "Some rules" not in spec.requirements[1].statement
    assert (spec.title, spec.idea, spec.goal, spec.out_of_scope) == ("Counting", NAMED, "To count", ("Fractions",))


def test_stated_examples_go_to_the_requirement_that_they_call():
    spec = outline(NAMED, plan(INVENTED))
    assert [(one.call, one.value, one.ground) for one in spec.requirements[0].examples] == [
        ("double(2)", "4", Ground.STATED),
        ("double(5)", "10", Ground.STATED),
    ]
    assert spec.requirements[1].examples == ()


def test_a_dot_in_an_argument_does_not_lead_an_example_astray():
    idea = "`m.py`: `scale(amount)` takes a `fractions.Fraction`; `scale(Fraction(1, 2))` gives 1.5."
    [requirement] = outline(idea, plan(INVENTED)).requirements
    assert [one.call for one in requirement.examples] == ["scale(Fraction(1, 2))"]


@pytest.mark.parametrize(
    ("idea", "expected"),
    [
        (STORE, [("Store", ("class Store(path)", "Store.add(name)", "class StoreError(Exception)"))]),
        (
            "In `s.py`: `class StoreError(Exception)` and `class Store(path)` with `add(x)`.",
            [("Store", ("class Store(path)", "class StoreError(Exception)", "Store.add(x)"))],
        ),
        (
            "In `s.py`: `class LoadError(Exception)`. `save(path)` saves. `load(path)` raises LoadError.",
            [("save", ("save(path)",)), ("load", ("load(path)", "class LoadError(Exception)"))],
        ),
        ("`e.py` holds `class OnlyError(Exception)`.", [("OnlyError", ("class OnlyError(Exception)",))]),
    ],
)
def test_exceptions_are_built_with_what_raises_them(idea, expected):
    found = [(one.title, one.symbols) for one in outline(idea, plan(INVENTED)).requirements]
    assert sorted(found) == sorted((title, symbols) for title, symbols in expected)


def test_a_free_idea_takes_the_plan():
    spec = outline(
        "Make me something that counts sheep.",
        plan(
            planned("./sheep-pen.py", "def count(herd) -> int:", "Count.", "One for each."),
            planned("sheep_pen.py", "class Pen(size)", methods=["add(sheep)", "Pen.take()"]),
            planned("sheep_pen.py", "count(herd, twice)", "Doubled"),
            planned("index.html", "", "Page"),
            planned("/etc/passwd", "f()"),
            planned("../up.py", "f()"),
            planned("no file", "f()"),
            planned("junk.py", "???"),
        ),
    )
    assert shape(spec) == [
        ("FR-1", "sheep_pen.py", ("count(herd)",)),
        ("FR-2", "sheep_pen.py", ("class Pen(size)", "Pen.add(sheep)", "Pen.take()")),
        ("FR-3", "index.html", ()),
    ]
    assert (spec.requirements[0].title, spec.requirements[0].statement) == ("Count", "One for each.")
    assert [one.area for one in spec.requirements] == ["backend", "backend", "frontend"]


def test_programs_and_pages_that_the_idea_names_are_requirements_of_their_own():
    idea = f"{NAMED}\n\nThe program `main.py` prints all. The page `index.html` shows them. Data is in `data.json`."
    spec = outline(idea, plan(planned("main.py", "main()", "Print all.")))
    assert shape(spec)[2:] == [("FR-3", "main.py", ()), ("FR-4", "index.html", ())]
    assert [one.title for one in spec.requirements[2:]] == ["Print all", "index.html"]
    assert spec.requirements[2].statement == idea


def test_a_function_without_a_file_goes_to_the_one_that_the_plan_names():
    idea = "`double(n)` is twice the number."
    assert outline(idea, plan(planned("twice.py", "double(n)"))).requirements[0].file == "twice.py"
    assert outline(idea, plan(planned("", "double(n)"))).requirements[0].file == "main.py"


def test_a_long_idea_makes_bounded_statements():
    idea = f"`f.py`: `f(x)` does this. {'Very slowly and ' * 2000}."
    assert len(outline(idea, plan(INVENTED)).requirements[0].statement) <= 3000


def test_where_nothing_can_be_built_that_is_said():
    with pytest.raises(ReplyError, match=r"names nothing that could be built.*Say in the idea what to build"):
        outline("Be nice.", plan(planned("no file", "f()")))


def test_anchors_are_what_the_idea_names():
    assert anchors_text(NAMED).splitlines()[1:] == ["- count.py", "- double(n)", "- half(n)"]
    assert anchors_text("Be nice.") == ""
