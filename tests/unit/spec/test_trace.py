import pytest

from agentinfra.core.errors import InputError
from agentinfra.spec.trace import Link, Place, Trace, places

SHA = "a" * 40
TEST = "tests/test_tea.py::test_brew"
LINK = Link("FR-1", "Tea", "T-1", "r1", SHA, (TEST,), True, (Place("tea.py", 2, 4),))
BARE = Link("FR-2", "Cup", why="no task of it is in this history")
GONE = Link("FR-9", "", "T-9", "r0", "b" * 40, proven=True)
TRACE = Trace((LINK, BARE, GONE))


@pytest.mark.parametrize("name", ["FR-1", "T-1", TEST, SHA, SHA[:7], "tea.py:2", "tea.py:4", "tea.py"])
def test_a_link_is_found_from_every_end(name):
    assert TRACE.of(name) == (LINK,)


def test_a_parametrised_test_is_found_by_its_function():
    link = Link("FR-1", "Tea", "T-1", tests=(f"{TEST}[one]", "tests/test_tea.py::test_brew_hot"))
    assert Trace((link,)).of(TEST) == (link,)
    with pytest.raises(InputError):
        Trace((link,)).of("tests/test_tea.py::test_bre")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("FR-3", "Neither the specification"),
        ("T-3", "No commit"),
        ("tea.py::test_x", "No task's record"),
        ("tea.py:1", "No run wrote that line"),
        ("tea.py:5", "No run wrote that line"),
        ("aaaaaa", "no commit of one"),
    ],
)
def test_what_is_not_traced_is_told_with_the_reason(name, why):
    with pytest.raises(InputError, match=r"Nothing is traced to") as refused:
        TRACE.of(name)
    assert why in refused.value.why


def test_coverage_counts_what_the_specification_asks_for():
    assert TRACE.coverage == (1, 2)
    assert Trace(()).coverage == (0, 0)


def test_neighbouring_lines_of_a_commit_are_one_place():
    found = places("a.py", ["x", "y", "x", "x", "z", "x"], "x")
    assert found == (Place("a.py", 1, 1), Place("a.py", 3, 4), Place("a.py", 6, 6))
    assert [str(one) for one in found] == ["a.py:1", "a.py:3-4", "a.py:6"]
    assert places("a.py", [], "x") == ()
