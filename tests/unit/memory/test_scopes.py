import pytest

from agentinfra.core.errors import InputError
from agentinfra.memory.scopes import Scope


def test_everyone_sees_the_project_and_the_user_nearest_first() -> None:
    assert Scope().visible == ("project", "user")
    assert Scope("r1").visible == ("run:r1", "project", "user")


def test_a_child_sees_what_its_parents_share_and_not_what_they_keep() -> None:
    parent = Scope("r1", ("planner",)).child("backend")
    child, other = parent.child("micro"), Scope("r1", ("planner", "frontend"))
    assert parent.shared in child.visible
    assert Scope("r1", ("planner",)).shared in child.visible
    assert parent.own not in child.visible
    assert child.own not in parent.visible
    assert parent.shared not in other.visible
    assert child.visible[0] == child.own == "run:r1:planner/backend/micro"


def test_runs_do_not_see_each_other() -> None:
    assert not {one for one in Scope("r1", ("planner",)).visible if one.startswith("run:r2")}
    assert Scope("r2").own not in Scope("r1").visible


@pytest.mark.parametrize(
    ("run", "agent"), [("", ("planner",)), ("r:1", ()), ("r", ("a/b",)), ("r", ("",)), ("r", ("*",))]
)
def test_names_that_would_mean_another_scope_are_refused(run: str, agent: tuple[str, ...]) -> None:
    with pytest.raises(InputError):
        Scope(run, agent)
