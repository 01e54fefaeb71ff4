import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentinfra.core.errors import SpecError
from agentinfra.core.tasks import Task, TaskState
from agentinfra.spec.tasks_document import parse_tasks, render_tasks

TASKS = (
    Task("T-1", "Brewing time", ("FR-1", "NFR-2"), ("tea.py",), ("brew(kind, *, cups=1)",), engineer="backend"),
    Task("T-2", "Page", ("FR-2",), ("page.html", "app.py"), depends_on=("T-1",), engineer="frontend"),
)
TEXT = """# Tasks

- [x] T-1 · Brewing time _(done)_
  - Requirements: FR-1, NFR-2
  - Files: `tea.py`
  - Symbols: `brew(kind, *, cups=1)`
  - Engineer: backend
- [!] T-2 · Page _(blocked: 3 tries (all red))_
  - Requirements: FR-2
  - Files: `page.html`, `app.py`
  - Depends on: T-1
  - Engineer: frontend
"""

name = st.text(st.characters(exclude_categories=["Cs"]), max_size=12).map(lambda text: " ".join(text.split()))
filled = name.filter(bool)
tasks = st.lists(
    st.builds(
        Task,
        id=st.integers(1, 99).map("T-{}".format),
        title=st.one_of(name, st.sampled_from(["_(done)_", "a _(done: b", "x _(done)_ y"])),
        requirements=st.lists(st.integers(1, 9).map("FR-{}".format), max_size=2).map(tuple),
        files=st.lists(filled, max_size=2).map(tuple),
        symbols=st.lists(filled, max_size=2).map(tuple),
        depends_on=st.lists(st.integers(1, 9).map("T-{}".format), max_size=2).map(tuple),
        engineer=name,
    ),
    max_size=4,
    unique_by=lambda task: task.id,
)


def test_tasks_read_like_a_check_list():
    states = {"T-1": TaskState.DONE, "T-2": TaskState.BLOCKED}
    assert render_tasks(TASKS, states, {"T-2": "3 tries\n(all red)"}) == TEXT
    assert parse_tasks(TEXT) == TASKS


@settings(deadline=None)
@given(tasks, st.sampled_from(TaskState), filled | st.just("see _(done)_"))
def test_what_is_rendered_parses_to_the_same_tasks(some: list[Task], state: TaskState, reason: str):
    text = render_tasks(some, {task.id: state for task in some}, {task.id: reason for task in some})
    assert parse_tasks(text) == tuple(some)
    assert parse_tasks(text.replace("\n", "\r\n")) == tuple(some)


def test_tasks_written_by_hand_are_understood():
    text = "Notes\n\n* [ ] **T-3** Later\n  - files: a.py, b.py\n  - depends on T-1\n  - Depends on: T-1 and T-2\n"
    assert parse_tasks(text) == (Task("T-3", "Later", (), ("a.py", "b.py"), depends_on=("T-1", "T-2")),)


@pytest.mark.parametrize(
    ("text", "says"),
    [("- [ ] buy tea\n", "line 1.*no task"), ("- [ ] T-1 a\n\n- [ ] T-1 b\n", "line 3.*used twice")],
)
def test_what_cannot_be_read_is_named_with_its_line(text: str, says: str):
    with pytest.raises(SpecError) as refused:
        parse_tasks(text)
    assert re.search(says, str(refused.value))
