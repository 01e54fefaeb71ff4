from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from agentinfra.core.errors import InputError, WorkspaceError
from agentinfra.environment.git_objects import REVIEW_TRAILER
from agentinfra.environment.git_workspace import GitWorkspace

from .conftest import APP, DATE, RUN, UserRepo, do_task, isolated_git, merge_task, new_repo


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository of a run of three tasks: T-1 and T-2 independent, T-3 on the lines of T-1."""
    folder = tmp_path_factory.mktemp("template")
    with isolated_git(folder):
        new_repo(folder / "work").commit(**APP)
        asyncio.run(build(GitWorkspace.open(folder / "work", scratch=folder / "scratch")))
    return folder / "work"


async def build(workspace: GitWorkspace) -> None:
    await workspace.start_branch(RUN)
    await workspace.commit_files(RUN, {"spec.md": "# Spec\n"}, "Write the spec", {})
    await merge_task(workspace, "T-1", {"one.py": "a = 1\n"})
    await merge_task(workspace, "T-2", {"two.py": "b = 1\n"})
    await merge_task(workspace, "T-3", {"one.py": "a = 3\n"})


@pytest.fixture
def repo(template: Path, tmp_path: Path) -> UserRepo:
    shutil.copytree(template, tmp_path / "work", symlinks=True)
    return UserRepo(tmp_path / "work")


@pytest.fixture
def built(repo: UserRepo, tmp_path: Path) -> GitWorkspace:
    return GitWorkspace.open(repo.root, scratch=tmp_path / "scratch")


class TestAccept:
    async def test_the_base_and_its_checkout_move_to_the_branch(self, built: GitWorkspace, repo: UserRepo) -> None:
        for _ in range(2):
            accepted = await built.accept(RUN)
            assert accepted == repo.git("rev-parse", "main") == repo.git("rev-parse", "agentinfra/r1")
        assert (repo.root / "one.py").read_text() == "a = 3\n"
        assert repo.status() == ""
        assert repo.git("symbolic-ref", "HEAD") == "refs/heads/main"

    async def test_a_dirty_tree_is_refused_and_named(self, built: GitWorkspace, repo: UserRepo) -> None:
        repo.write("app.py", "mine = 1\n")
        with pytest.raises(WorkspaceError, match=r"not committed: app\.py"):
            await built.accept(RUN)
        assert (repo.root / "app.py").read_text() == "mine = 1\n"
        assert not (repo.root / "one.py").exists()

    async def test_untracked_files_stand_in_the_way_only_of_files_with_their_name(
        self, built: GitWorkspace, repo: UserRepo
    ) -> None:
        repo.write("notes ä.txt", "x")
        repo.write("two.py", "mine = 1\n")
        with pytest.raises(WorkspaceError, match=r"not committed: two\.py\."):
            await built.accept(RUN)
        (repo.root / "two.py").unlink()
        await built.accept(RUN)
        assert repo.git("ls-files", "--others") == '"notes \\303\\244.txt"'

    async def test_a_moved_base_is_refused_with_its_commits(self, built: GitWorkspace, repo: UserRepo) -> None:
        moved = repo.commit(other="x = 1\n")
        with pytest.raises(WorkspaceError, match=rf"main has moved.*{moved[:10]} \(by hand\)"):
            await built.accept(RUN)
        assert repo.git("rev-parse", "main") == moved

    async def test_a_moved_base_is_refused_with_the_files_that_conflict(
        self, built: GitWorkspace, repo: UserRepo
    ) -> None:
        repo.commit(other="x = 1\n")
        with pytest.raises(WorkspaceError, match="a merge of the branch meets no conflict"):
            await built.accept(RUN)
        repo.commit(one="a = 9\n")
        with pytest.raises(WorkspaceError, match=r"conflicts in one\.py\.") as refused:
            await built.accept(RUN)
        assert "two.py" not in str(refused.value)

    async def test_a_rewritten_base_is_refused(self, built: GitWorkspace, repo: UserRepo) -> None:
        repo.git("commit", "-q", "--amend", "-m", "rewritten")
        with pytest.raises(WorkspaceError, match="main has moved"):
            await built.accept(RUN)

    async def test_a_base_that_went_back_is_refused(self, repo: UserRepo, tmp_path: Path) -> None:
        repo.commit(other="x = 1\n")
        workspace = GitWorkspace.open(repo.root, scratch=tmp_path / "scratch")
        await workspace.start_branch("r2")
        repo.git("reset", "-q", "--hard", "HEAD~1")
        with pytest.raises(WorkspaceError, match="main has moved"):
            await workspace.accept("r2")

    async def test_an_empty_base_that_got_a_commit_has_moved(self, empty_repo: UserRepo, tmp_path: Path) -> None:
        workspace = GitWorkspace.open(empty_repo.root, scratch=tmp_path / "scratch")
        await workspace.start_branch(RUN)
        await merge_task(workspace, "T-1", {"a.py": "a = 1\n"})
        empty_repo.commit(mine="x = 1\n")
        with pytest.raises(WorkspaceError, match="main has moved"):
            await workspace.accept(RUN)

    async def test_a_deleted_base_has_moved(self, built: GitWorkspace, repo: UserRepo) -> None:
        repo.git("checkout", "-q", "-b", "elsewhere")
        repo.git("branch", "-q", "-D", "main")
        with pytest.raises(WorkspaceError, match="main has moved"):
            await built.accept(RUN)

    async def test_a_detached_base_moves_with_head(self, repo: UserRepo, tmp_path: Path) -> None:
        repo.git("checkout", "-q", "--detach")
        workspace = GitWorkspace.open(repo.root, scratch=tmp_path / "scratch")
        await workspace.start_branch("r2")
        result = await workspace.merge_commit("r2", await do_task(workspace, "T-1", {"a.py": "a = 1\n"}, "HEAD"))
        accepted = await workspace.accept("r2")
        assert result.commit == accepted == repo.git("rev-parse", "HEAD") != repo.git("rev-parse", "main")
        assert repo.status() == ""

    async def test_another_checkout_is_left_alone(self, built: GitWorkspace, repo: UserRepo) -> None:
        repo.git("checkout", "-q", "-b", "elsewhere")
        repo.write("app.py", "mine = 1\n")
        accepted = await built.accept(RUN)
        assert repo.git("rev-parse", "main") == accepted
        assert (repo.root / "app.py").read_text() == "mine = 1\n"
        assert not (repo.root / "one.py").exists()

    async def test_a_base_in_another_worktree_is_refused(
        self, built: GitWorkspace, repo: UserRepo, tmp_path: Path
    ) -> None:
        repo.git("checkout", "-q", "-b", "elsewhere")
        repo.git("worktree", "add", "-q", str(tmp_path / "side"), "main")
        with pytest.raises(WorkspaceError, match=r"checked out in .*side"):
            await built.accept(RUN)

    async def test_it_is_finished_after_it_was_cut_off_before_the_base_moved(
        self, built: GitWorkspace, repo: UserRepo
    ) -> None:
        repo.git("read-tree", "-m", "-u", "HEAD", "agentinfra/r1")
        assert repo.status() != ""
        accepted = await built.accept(RUN)
        assert repo.git("rev-parse", "main") == accepted
        assert repo.status() == ""


class TestAcceptTasks:
    async def test_only_these_tasks_come_and_the_rest_may_follow(self, built: GitWorkspace, repo: UserRepo) -> None:
        await built.accept(RUN, ["T-2"])
        assert repo.git("log", "-1", "--format=%s") == "Do T-2"
        assert {path.name for path in repo.root.glob("[!.]*")} == {"app.py", "two.py"}
        assert await built.accept(RUN, ["T-2"]) == repo.git("rev-parse", "main")
        await built.accept(RUN, ["T-1", "T-3"])
        assert repo.git("log", "--format=%s").splitlines() == ["Do T-3", "Do T-1", "Do T-2", "by hand"]
        whole = await built.accept(RUN)
        assert await built.list_files(whole) == ("app.py", "one.py", "spec.md", "two.py")
        assert await built.accept(RUN) == whole
        assert repo.status() == ""

    async def test_a_task_without_what_it_builds_on_conflicts_by_name(
        self, built: GitWorkspace, repo: UserRepo
    ) -> None:
        before = repo.git("rev-parse", "main")
        with pytest.raises(WorkspaceError, match=r"T-3 cannot be accepted alone.*one\.py"):
            await built.accept(RUN, ["T-3"])
        assert repo.git("rev-parse", "main") == before

    async def test_an_unknown_task_is_named(self, built: GitWorkspace) -> None:
        with pytest.raises(InputError, match=r"T-9 has no commit"):
            await built.accept(RUN, ["T-1", "T-9"])

    async def test_an_empty_base_is_created(self, empty_repo: UserRepo, tmp_path: Path) -> None:
        workspace = GitWorkspace.open(empty_repo.root, scratch=tmp_path / "scratch")
        await workspace.start_branch(RUN)
        await workspace.commit_files(RUN, {"spec.md": "# Spec\n"}, "Write the spec", {})
        await merge_task(workspace, "T-1", {"a.py": "a = 1\n"})
        await workspace.accept(RUN, ["T-1"])
        assert empty_repo.git("ls-files") == "a.py"
        assert empty_repo.status() == ""


class TestUndo:
    async def test_a_task_goes_and_the_others_stay(self, built: GitWorkspace) -> None:
        for _ in range(2):
            tip = await built.undo(RUN, ["T-2"], date=DATE)
            assert await built.list_files(tip) == ("app.py", "one.py", "spec.md")
        last = (await built.log(RUN))[-1]
        assert (last.sha, last.subject) == (tip, 'Revert "Do T-2"')
        assert last.trailers == {"AgentInfra-Run": RUN, "AgentInfra-Undo": "T-2"}

    async def test_tasks_that_build_on_each_other_go_together(self, built: GitWorkspace) -> None:
        tip = await built.undo(RUN, ["T-1", "T-3"])
        assert await built.list_files(tip) == ("app.py", "spec.md", "two.py")

    async def test_a_conflict_is_named_and_nothing_is_undone(self, built: GitWorkspace) -> None:
        before = await built.log(RUN)
        with pytest.raises(WorkspaceError, match=r"T-1 cannot be undone.*one\.py"):
            await built.undo(RUN, ["T-1", "T-2"])
        assert await built.log(RUN) == before

    async def test_an_undone_task_can_be_done_again(self, built: GitWorkspace) -> None:
        await built.undo(RUN, ["T-2"])
        again = await merge_task(built, "T-2", {"two.py": "b = 1\n"})
        assert (await built.log(RUN))[-1].sha == again
        assert await built.read_file("agentinfra/r1", "two.py") == "b = 1\n"

    async def test_the_base_keeps_what_was_accepted_until_the_undo_is_accepted(
        self, built: GitWorkspace, repo: UserRepo
    ) -> None:
        await built.accept(RUN)
        await built.undo(RUN, ["T-2"])
        assert (repo.root / "two.py").exists()
        await built.accept(RUN)
        assert not (repo.root / "two.py").exists()
        assert repo.status() == ""


class TestReviewed:
    """Lines of a task were taken back by a commit of their own."""

    @pytest.fixture
    async def trimmed(self, built: GitWorkspace) -> GitWorkspace:
        await merge_task(built, "T-4", {"four.py": "d = 1\ne = 2\n"})
        await built.commit_files(RUN, {"four.py": "d = 1\n"}, "Take back lines of T-4", {REVIEW_TRAILER: "T-4"})
        return built

    async def test_undoing_the_task_takes_both_away(self, trimmed: GitWorkspace) -> None:
        await trimmed.undo(RUN, ["T-4"])
        assert "four.py" not in await trimmed.list_files("agentinfra/r1")
        assert "T-4" not in await trimmed.merged_tasks(RUN)
        await trimmed.redo(RUN, ["T-4"])
        assert await trimmed.read_file("agentinfra/r1", "four.py") == "d = 1\ne = 2\n"
        await trimmed.undo(RUN, ["T-4"])
        assert "four.py" not in await trimmed.list_files("agentinfra/r1")

    async def test_undoing_another_task_leaves_it(self, trimmed: GitWorkspace) -> None:
        await trimmed.undo(RUN, ["T-2"])
        assert await trimmed.read_file("agentinfra/r1", "four.py") == "d = 1\n"

    async def test_accepting_the_task_alone_accepts_what_is_left_of_it(
        self, trimmed: GitWorkspace, repo: UserRepo
    ) -> None:
        for _ in range(2):
            await trimmed.accept(RUN, ["T-4"])
            assert (repo.root / "four.py").read_text() == "d = 1\n"
        await trimmed.commit_files(RUN, {"four.py": "d = 0\n"}, "Take back lines of T-4", {REVIEW_TRAILER: "T-4"})
        await trimmed.accept(RUN, ["T-4"])
        assert (repo.root / "four.py").read_text() == "d = 0\n"


class TestRedo:
    async def test_an_undone_task_comes_back_as_it_was(self, built: GitWorkspace) -> None:
        before = await built.list_files("agentinfra/r1")
        await built.undo(RUN, ["T-2"], date=DATE)
        done = await built.redo(RUN, ["T-2"], date=DATE)
        assert done == {"T-2": await built.tip(RUN)}
        assert await built.redo(RUN, ["T-2"]) == done
        assert await built.list_files(await built.tip(RUN)) == before
        assert (await built.merged_tasks(RUN))["T-2"] == done["T-2"]
        assert await built.list_files(await built.undo(RUN, ["T-2"])) == ("app.py", "one.py", "spec.md")
        await built.redo(RUN, ["T-2"])
        assert [commit.subject for commit in (await built.log(RUN))[4:]] == [
            'Revert "Do T-2"',
            "Do T-2",
            'Revert "Do T-2"',
            "Do T-2",
        ]

    async def test_tasks_that_build_on_each_other_come_back_in_their_order(self, built: GitWorkspace) -> None:
        await built.undo(RUN, ["T-1", "T-3"])
        await built.redo(RUN, ["T-3", "T-1"])
        assert await built.read_file("agentinfra/r1", "one.py") == "a = 3\n"
        assert [commit.subject for commit in (await built.log(RUN))[-2:]] == ["Do T-1", "Do T-3"]

    async def test_what_others_did_meanwhile_stays_and_a_conflict_is_named(self, built: GitWorkspace) -> None:
        await built.undo(RUN, ["T-1", "T-3"])
        await merge_task(built, "T-4", {"four.py": "d = 1\n"})
        await built.redo(RUN, ["T-1"])
        assert "four.py" in await built.list_files("agentinfra/r1")
        await merge_task(built, "T-5", {"one.py": "a = 5\n"})
        before = await built.log(RUN)
        with pytest.raises(
            WorkspaceError, match=r"T-3 cannot be done again: it conflicts in one\.py\. .*T-5"
        ) as refused:
            await built.redo(RUN, ["T-3"])
        assert "agentinfra undo T-1 T-5" in refused.value.next_step
        assert await built.log(RUN) == before

    async def test_a_task_without_what_it_builds_on_conflicts(self, built: GitWorkspace) -> None:
        await built.undo(RUN, ["T-1", "T-3"])
        with pytest.raises(WorkspaceError, match=r"T-3 cannot be done again.*builds on was undone") as refused:
            await built.redo(RUN, ["T-3"])
        assert "agentinfra redo" in refused.value.next_step

    async def test_a_task_that_was_never_merged_is_named(self, built: GitWorkspace) -> None:
        with pytest.raises(InputError, match="T-9 has no commit"):
            await built.redo(RUN, ["T-9"])


class TestTheUsersOwnEdits:
    """Commits of the user on the run's branch, and changes that are not committed while it is checked out."""

    async def test_commits_beside_the_task_stay(self, built: GitWorkspace, repo: UserRepo) -> None:
        repo.git("checkout", "-q", "agentinfra/r1")
        repo.commit(mine="x = 1\n")
        repo.git("checkout", "-q", "main")
        tip = await built.undo(RUN, ["T-2"])
        assert await built.list_files(tip) == ("app.py", "mine.py", "one.py", "spec.md")
        done = await built.redo(RUN, ["T-2"])
        assert await built.read_file(done["T-2"], "mine.py") == "x = 1\n"

    async def test_commits_on_the_same_lines_are_named_with_their_files(
        self, built: GitWorkspace, repo: UserRepo
    ) -> None:
        repo.git("checkout", "-q", "agentinfra/r1")
        mine = repo.commit(two="b = 1000\n")
        repo.git("checkout", "-q", "main")
        with pytest.raises(WorkspaceError, match=rf"it conflicts in two\.py\. .*{mine[:10]} \(by hand\)") as refused:
            await built.undo(RUN, ["T-2"])
        assert f"git revert {mine[:10]}" in refused.value.next_step
        assert await built.tip(RUN) == mine

    async def test_lines_beside_those_of_the_task_stay(self, built: GitWorkspace, repo: UserRepo) -> None:
        repo.git("checkout", "-q", "agentinfra/r1")
        repo.commit(one="a = 3\nmine = 2\n")
        repo.git("checkout", "-q", "main")
        tip = await built.undo(RUN, ["T-3"])
        assert await built.read_file(tip, "one.py") == "a = 1\nmine = 2\n"

    async def test_changes_in_the_checkout_of_the_branch_stay(self, built: GitWorkspace, repo: UserRepo) -> None:
        repo.git("checkout", "-q", "agentinfra/r1")
        repo.write("app.py", "mine = 1\n")
        repo.write("notes.txt", "mine")
        tip = await built.undo(RUN, ["T-2"])
        assert repo.git("rev-parse", "HEAD") == tip
        assert not (repo.root / "two.py").exists()
        assert (repo.root / "app.py").read_text() == "mine = 1\n"
        assert repo.status() == "M app.py\n?? notes.txt"

    async def test_changes_to_the_same_files_are_named(self, built: GitWorkspace, repo: UserRepo) -> None:
        repo.git("checkout", "-q", "agentinfra/r1")
        repo.write("app.py", "mine = 1\n")
        repo.write("two.py", "mine = 1\n")
        before = repo.git("rev-parse", "HEAD")
        with pytest.raises(WorkspaceError, match=r"not committed: two\.py\."):
            await built.undo(RUN, ["T-2"])
        assert repo.git("rev-parse", "HEAD") == before
        assert (repo.root / "two.py").read_text() == "mine = 1\n"


@pytest.mark.parametrize("verb", [GitWorkspace.accept, GitWorkspace.undo, GitWorkspace.redo])
async def test_no_branch_no_delivery(built: GitWorkspace, verb: Callable[..., Awaitable[str]]) -> None:
    with pytest.raises(WorkspaceError, match="no branch agentinfra/r9"):
        await verb(built, "r9", ["T-1"])
