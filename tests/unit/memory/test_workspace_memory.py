"""Context out of a workspace's index, as programs ask for it."""

import pytest

from agentinfra.core.errors import InputError
from agentinfra.core.tasks import Task
from agentinfra.memory.task_context import request_for
from agentinfra.memory.workspace_memory import WorkspaceMemory

SPEC = "# Tea\n\n## Requirements\n\n### FR-1 · Brew\n\nTea is brewed.\n"


@pytest.fixture
async def memory(tmp_path):
    (tmp_path / "workspace").mkdir()
    (tmp_path / "workspace" / "tea.py").write_text("def brew(cups):\n    return cups\n")
    opened = WorkspaceMemory.open(tmp_path / "workspace", data=tmp_path / "data")
    yield opened
    await opened.aclose()


async def test_a_question_and_a_task_get_their_pieces(memory):
    await memory.index()
    assert [piece.source for piece in (await memory.context("brew tea", 500)).pieces] == ["tea.py:1-2"]
    asked = request_for(Task("T-1", "brew(cups)", ("FR-1",), ("tea.py",)), SPEC)
    assert [(piece.kind, piece.source) for piece in (await memory.context(asked, 500)).pieces] == [
        ("spec", "spec.md:5-7"),
        ("file", "tea.py:1-2"),
    ]


async def test_a_question_without_an_index_says_what_to_do_and_a_task_has_its_specification(memory):
    with pytest.raises(InputError, match="agentinfra index"):
        await memory.context("brew tea", 500)
    asked = request_for(Task("T-1", "brew(cups)", ("FR-1",), ("tea.py",)), SPEC)
    assert [piece.kind for piece in (await memory.context(asked, 500)).pieces] == ["spec"]


async def test_a_budget_that_is_too_small_is_no_error(memory):
    await memory.index()
    assert (await memory.context("brew tea", 1)).pieces == ()
