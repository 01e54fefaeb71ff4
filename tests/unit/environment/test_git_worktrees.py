from __future__ import annotations

import os
from pathlib import Path

import pytest

from agentinfra.core.errors import WorkspaceError
from agentinfra.environment.git_workspace import GitWorkspace

from .conftest import DATE, RUN, UserRepo, trailers

NAME = "r1-T-1"


@pytest.fixture
async def folder(workspace: GitWorkspace) -> Path:
    await workspace.start_branch(RUN)
    return await workspace.task_worktree(NAME, "agentinfra/r1")


async def commit(workspace: GitWorkspace) -> str | None:
    return await workspace.commit_worktree(NAME, "Do it", trailers("T-1"), DATE)


async def test_it_lies_outside_the_workspace_and_shows_the_start(folder: Path, repo: UserRepo) -> None:
    assert not folder.is_relative_to(repo.root)
    assert (folder / "app.py").read_text() == (repo.root / "app.py").read_text()
    assert repo.git("-C", str(folder), "status", "--porcelain") == ""
    assert folder.parent.stat().st_mode & 0o077 == 0


async def test_making_it_again_resets_it(workspace: GitWorkspace, folder: Path) -> None:
    (folder / "app.py").write_text("changed = 1\n")
    (folder / "new.py").write_text("")
    (folder / ".git").write_text("gitdir: /nowhere\n")
    again = await workspace.task_worktree(NAME, "agentinfra/r1")
    assert again == folder
    assert sorted(path.name for path in folder.iterdir()) == [".git", "app.py"]
    assert (folder / "app.py").read_text().startswith("one = 1")


async def test_every_change_that_is_not_ignored_is_committed(workspace: GitWorkspace, folder: Path) -> None:
    (folder / ".gitignore").write_text("*.log\n")
    (folder / "neu und schön.py").write_text("x = 1\n")
    (folder / "-dash.py").write_text("x = 1\n")
    (folder / "run.log").write_text("ignored")
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "app.pyc").write_bytes(b"\0")
    (folder / "app.py").unlink()
    sha = await commit(workspace)
    assert sha is not None
    assert await workspace.list_files(sha) == ("-dash.py", ".gitignore", "neu und schön.py")


async def test_no_change_no_commit(workspace: GitWorkspace, folder: Path) -> None:
    os.utime(folder / "app.py", (0, 0))
    assert await commit(workspace) is None


async def test_a_repeated_commit_is_the_same(workspace: GitWorkspace, folder: Path) -> None:
    (folder / "app.py").write_text("changed = 1\n")
    first = await commit(workspace)
    assert first is not None
    assert await commit(workspace) == first
    assert await workspace.commit_worktree(NAME, "Another", trailers("T-2"), DATE) is None
    assert await workspace.commit_worktree(NAME, "Another", {}, DATE) is None


async def test_a_commit_that_was_cut_off_after_staging_is_finished(
    workspace: GitWorkspace, folder: Path, repo: UserRepo
) -> None:
    (folder / "app.py").write_text("changed = 1\n")
    repo.git("-C", str(folder), "add", "-A")
    sha = await commit(workspace)
    assert sha is not None
    assert await workspace.read_file(sha, "app.py") == "changed = 1\n"


async def test_a_file_that_became_a_folder_is_committed(workspace: GitWorkspace, folder: Path) -> None:
    (folder / "app.py").unlink()
    (folder / "app.py").mkdir()
    (folder / "app.py" / "inner.py").write_text("x = 1\n")
    sha = await commit(workspace)
    assert sha is not None
    assert await workspace.list_files(sha) == ("app.py/inner.py",)


async def test_links_and_repositories_are_refused(workspace: GitWorkspace, folder: Path, repo: UserRepo) -> None:
    (folder / "passwd").symlink_to("/etc/passwd")
    (folder / "nested").mkdir()
    repo.git("-C", str(folder / "nested"), "init", "-q")
    repo.git("-C", str(folder / "nested"), "commit", "-q", "--allow-empty", "-m", "x")
    with pytest.raises(WorkspaceError, match="nested/, passwd"):
        await commit(workspace)


async def test_a_tracked_folder_that_became_a_link_is_refused(
    workspace: GitWorkspace, repo: UserRepo, tmp_path: Path
) -> None:
    repo.write("pkg/mod.py", "x = 1\n")
    repo.commit()
    await workspace.start_branch(RUN)
    folder = await workspace.task_worktree(NAME, "agentinfra/r1")
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "mod.py").write_text("key = 'k'\n")
    (folder / "pkg" / "mod.py").unlink()
    (folder / "pkg").rmdir()
    (folder / "pkg").symlink_to(tmp_path / "secret")
    with pytest.raises(WorkspaceError):
        await commit(workspace)


async def test_no_git_settings_made_inside_are_ever_used(
    workspace: GitWorkspace, folder: Path, repo: UserRepo, tmp_path: Path
) -> None:
    marker, evil = tmp_path / "marker", folder / "evil"
    evil.mkdir()
    repo.git("-C", str(evil), "init", "-q")
    repo.git("-C", str(evil), "config", "filter.x.clean", f"touch {marker}; cat")
    repo.git("-C", str(evil), "config", "core.fsmonitor", f"touch {marker}")
    (folder / ".git").write_text(f"gitdir: {evil}/.git\n")
    (folder / ".gitattributes").write_text("* filter=x\n")
    (folder / "app.py").write_text("changed = 1\n")
    repo.git("-C", str(folder), "status")
    assert marker.exists(), "control: plain git runs what the settings name"
    marker.unlink()
    with pytest.raises(WorkspaceError, match="evil/"):
        await commit(workspace)
    (evil / ".git").rename(tmp_path / "moved")
    assert await commit(workspace) is not None
    await workspace.remove_worktree(NAME)
    assert not marker.exists()


async def test_a_submodule_stays_and_a_repository_made_in_its_place_is_not_entered(
    workspace: GitWorkspace, repo: UserRepo, tmp_path: Path
) -> None:
    head = repo.git("rev-parse", "HEAD")
    repo.git("update-index", "--add", "--cacheinfo", f"160000,{head},sub")
    repo.git("commit", "-q", "-m", "submodule")
    await workspace.start_branch(RUN)
    folder = await workspace.task_worktree(NAME, "agentinfra/r1")
    (folder / "app.py").write_text("changed = 1\n")
    sha = await commit(workspace)
    assert sha is not None
    assert repo.git("ls-tree", sha, "sub").split()[2] == head
    marker, sub = tmp_path / "marker", UserRepo(folder / "sub")
    sub.git("init", "-q")
    sub.git("fetch", "-q", str(repo.root / ".git"), head)
    sub.git("reset", "-q", "--hard", head)
    sub.git("config", "core.fsmonitor", f"touch {marker}")
    sub.git("-C", str(folder), "status")
    assert marker.exists(), "control: plain git runs what the settings name"
    marker.unlink()
    assert await commit(workspace) == sha
    sub.git("config", "--unset", "core.fsmonitor")
    sub.commit(inner="x = 1\n")
    sub.git("config", "core.fsmonitor", f"touch {marker}")
    marker.unlink(missing_ok=True)
    with pytest.raises(WorkspaceError, match="sub/"):
        await commit(workspace)
    assert not marker.exists()


async def test_removing_copes_with_what_tests_leave_behind(
    workspace: GitWorkspace, folder: Path, repo: UserRepo, tmp_path: Path
) -> None:
    (tmp_path / "outside").mkdir(mode=0o755)
    (folder / "locked" / "inner").mkdir(parents=True)
    (folder / "link").symlink_to(tmp_path / "outside")
    (folder / "locked").chmod(0)
    for _ in range(2):
        await workspace.remove_worktree(NAME)
    assert not folder.exists()
    assert (tmp_path / "outside").stat().st_mode & 0o777 == 0o755
    assert "T-1" not in repo.git("worktree", "list")


async def test_prune_leaves_the_users_own_worktrees(
    workspace: GitWorkspace, folder: Path, repo: UserRepo, tmp_path: Path
) -> None:
    repo.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "side" / NAME))
    (tmp_path / "side" / NAME / ".git").rename(tmp_path / "away")
    (folder.parent / "half-made").mkdir()
    await workspace.prune()
    assert list(folder.parent.iterdir()) == []
    assert "[side]" in repo.git("worktree", "list")


async def test_committing_without_a_worktree_says_so(workspace: GitWorkspace, folder: Path) -> None:
    await workspace.remove_worktree(NAME)
    with pytest.raises(WorkspaceError, match="no worktree r1-T-1"):
        await commit(workspace)


async def test_settings_that_came_after_opening_are_refused(workspace: GitWorkspace, repo: UserRepo) -> None:
    repo.git("config", "filter.x.smudge", "/nonexistent")
    with pytest.raises(WorkspaceError, match=r"filter\.x\.smudge"):
        await workspace.task_worktree(NAME, "HEAD")


async def test_a_start_that_does_not_exist_is_named(workspace: GitWorkspace, folder: Path) -> None:
    with pytest.raises(WorkspaceError, match="no-such-ref"):
        await workspace.task_worktree(NAME, "no-such-ref")
    assert folder.is_dir()
