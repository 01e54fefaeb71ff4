from __future__ import annotations

import pytest

from agentinfra.core.errors import WorkspaceError
from agentinfra.environment.git_objects import GitObjects, split_trailers, with_trailers
from agentinfra.environment.git_workspace import GitWorkspace

from .conftest import DATE, UserRepo

TRAILERS = {"AgentInfra-Run": "r1", "AgentInfra-Task": "T-1"}


@pytest.fixture
def objects(repo: UserRepo, workspace: GitWorkspace) -> GitObjects:
    return GitObjects(workspace._objects.git)


@pytest.mark.parametrize(
    "text", ["Subject", "Subject\n\nBody", "Subject\n\nAgentInfra-Task: T-9", "Ünïcode\n\n\n- a\n- b\n", "key: value"]
)
def test_trailers_come_back_as_they_were(text: str) -> None:
    assert split_trailers(with_trailers(text, TRAILERS)) == (text.strip(), TRAILERS)


def test_values_are_one_line_and_empty_ones_are_left_out() -> None:
    message = with_trailers("Subject", {**TRAILERS, "AgentInfra-Agent": "a\nAgentInfra-Task: T-2", "Empty": " "})
    assert split_trailers(message)[1] == {**TRAILERS, "AgentInfra-Agent": "a AgentInfra-Task: T-2"}


@pytest.mark.parametrize("message", ["Subject", "key: value", "Subject\n\nkey: value\nno trailer", ""])
def test_what_is_no_trailer_is_text(message: str) -> None:
    assert split_trailers(message) == (message, {})


def test_a_ref_that_another_process_moved_is_not_moved(objects: GitObjects, repo: UserRepo) -> None:
    first = objects.commit_id("HEAD")
    second = objects.commit(objects.tree("HEAD"), (first,), "second\n", DATE)
    objects.move("refs/heads/x", first, None)
    with pytest.raises(WorkspaceError, match="cannot lock ref"):
        objects.move("refs/heads/x", second, None)
    with pytest.raises(WorkspaceError, match="cannot lock ref"):
        objects.move("refs/heads/x", first, second)
    assert repo.git("rev-parse", "x") == first


def test_binary_files_and_odd_names_have_a_diff_stat(objects: GitObjects, repo: UserRepo) -> None:
    before = objects.commit_id("HEAD")
    (repo.root / "raw.bin").write_bytes(b"\0\1")
    repo.write("tab\tand\nline.txt", "1\n2\n")
    after = repo.commit()
    stat = [(one.path, one.added, one.removed) for one in objects.diff_stat(before, after)]
    assert stat == [("raw.bin", None, None), ("tab\tand\nline.txt", 2, 0)]
    assert objects.log(before, after)[0].files == ("raw.bin", "tab\tand\nline.txt")
