from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from agentinfra.core.errors import InputError, WorkspaceError
from agentinfra.environment.git_workspace import GitWorkspace

from .conftest import DATE, RUN, UserRepo, do_task, merge_task, trailers


class TestOpen:
    def test_a_folder_that_is_no_repository_is_offered_init(self, tmp_path: Path) -> None:
        with pytest.raises(WorkspaceError, match=r"not a git repository.*--init"):
            GitWorkspace.open(tmp_path / "home")

    def test_init_makes_the_folder_itself_a_repository(self, repo: UserRepo, tmp_path: Path) -> None:
        inner = GitWorkspace.open(repo.root / "inner", init=True, scratch=tmp_path / "s")
        assert (inner.root, inner.base, inner.is_unborn()) == (repo.root / "inner", "main", True)
        again = GitWorkspace.open(repo.root / "inner", init=True, scratch=tmp_path / "s")
        assert again.is_unborn()

    def test_a_subfolder_leads_to_its_repository(self, repo: UserRepo) -> None:
        (repo.root / "sub").mkdir()
        assert GitWorkspace.open(repo.root / "sub").root == repo.root

    def test_an_inherited_git_dir_does_not_lead_elsewhere(
        self, repo: UserRepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
        monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "elsewhere-index"))
        assert GitWorkspace.open(repo.root).is_dirty() == ()

    def test_a_detached_head_is_its_own_base(self, repo: UserRepo) -> None:
        repo.git("checkout", "-q", "--detach")
        assert GitWorkspace.open(repo.root).base == repo.git("rev-parse", "HEAD")

    def test_a_linked_worktree_of_the_user_is_a_workspace(self, repo: UserRepo, tmp_path: Path) -> None:
        repo.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
        opened = GitWorkspace.open(tmp_path / "side")
        assert (opened.root, opened.base) == (tmp_path / "side", "side")

    def test_the_inside_of_dot_git_is_refused(self, repo: UserRepo) -> None:
        with pytest.raises(WorkspaceError, match=r"inside a \.git folder"):
            GitWorkspace.open(repo.root / ".git" / "objects")

    def test_a_bare_repository_is_refused(self, repo: UserRepo, tmp_path: Path) -> None:
        repo.git("clone", "-q", "--bare", ".", str(tmp_path / "bare.git"))
        with pytest.raises(WorkspaceError, match="bare"):
            GitWorkspace.open(tmp_path / "bare.git")
        repo.git("config", "core.bare", "true")
        try:
            with pytest.raises(WorkspaceError, match="bare"):
                GitWorkspace.open(repo.root)
        finally:
            repo.git("config", "core.bare", "false")

    def test_a_folder_under_a_file_cannot_be_made(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(WorkspaceError, match="cannot be written"):
            GitWorkspace.open(tmp_path / "file" / "sub", init=True)

    def test_scratch_inside_the_workspace_is_refused(self, repo: UserRepo) -> None:
        with pytest.raises(InputError, match="inside"):
            GitWorkspace.open(repo.root, scratch=repo.root / ".scratch")


class TestFacts:
    def test_dirty_files_are_named_as_they_are(self, workspace: GitWorkspace, repo: UserRepo) -> None:
        repo.write("app.py", "changed = 1\n")
        repo.write("neu und schön.txt", "x")
        assert sorted(workspace.is_dirty()) == ["app.py", "neu und schön.txt"]
        assert not workspace.is_unborn()

    async def test_files_of_a_commit(self, workspace: GitWorkspace, repo: UserRepo) -> None:
        (repo.root / "link").symlink_to("/etc/passwd")
        (repo.root / "raw.bin").write_bytes(b"\xff\x00")
        repo.commit()
        assert await workspace.list_files("HEAD") == ("app.py", "raw.bin")
        sizes = {"app.py": (repo.root / "app.py").stat().st_size, "raw.bin": 2}
        assert await workspace.file_sizes("HEAD") == sizes
        assert (await workspace.read_file("main", "app.py")).startswith("one = 1")
        for path, reason in (("raw.bin", "not text"), ("link", "not in"), ("no.py", "not in")):
            with pytest.raises(WorkspaceError, match=reason):
                await workspace.read_file("HEAD", path)
        with pytest.raises(WorkspaceError, match="not in the repository"):
            await workspace.list_files("--output=x")


class TestBranch:
    async def test_it_starts_at_head_and_touches_nothing_of_the_user(
        self, workspace: GitWorkspace, repo: UserRepo
    ) -> None:
        repo.write("app.py", "staged = 1\n")
        repo.git("add", "app.py")
        repo.write("app.py", "dirty = 1\n")
        before, index = repo.status(), (repo.root / ".git" / "index").read_bytes()
        start = await workspace.start_branch(RUN)
        await merge_task(workspace, "T-1", {"new.py": "x = 1\n"})
        await workspace.commit_files(RUN, {"spec.md": "# Spec\n"}, "Add the spec", {})
        assert start == repo.git("rev-parse", "HEAD")
        assert (repo.status(), (repo.root / ".git" / "index").read_bytes()) == (before, index)
        assert (repo.root / "app.py").read_text() == "dirty = 1\n"

    async def test_a_repetition_keeps_the_start(self, workspace: GitWorkspace, repo: UserRepo) -> None:
        start = await workspace.start_branch(RUN)
        repo.commit(other="x = 1\n")
        assert await workspace.start_branch(RUN) == start

    async def test_an_empty_repository_gets_a_root_commit_on_the_branch_only(
        self, empty_repo: UserRepo, tmp_path: Path
    ) -> None:
        workspace = GitWorkspace.open(empty_repo.root, scratch=tmp_path / "scratch")
        start = await workspace.start_branch(RUN, date=DATE)
        assert workspace.is_unborn()
        assert empty_repo.git("rev-parse", "agentinfra/r1") == start
        await merge_task(workspace, "T-1", {"a.py": "a = 1\n"})
        assert workspace.is_unborn()
        accepted = await workspace.accept(RUN)
        assert empty_repo.git("rev-parse", "main") == accepted
        assert (empty_repo.root / "a.py").read_text() == "a = 1\n"
        assert empty_repo.status() == ""

    async def test_names_that_are_no_names_are_refused(self, workspace: GitWorkspace) -> None:
        with pytest.raises(InputError):
            await workspace.start_branch("../x")
        with pytest.raises(InputError):
            await workspace.task_worktree("../x", "HEAD")
        with pytest.raises(WorkspaceError, match="no branch agentinfra/r9"):
            await workspace.log("r9")

    async def test_equal_work_at_equal_dates_has_equal_ids(
        self, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tips: list[str] = []
        for number, (name, zone) in enumerate((("Ada", "UTC"), ("Bob", "JST-9"))):
            monkeypatch.setenv("TZ", zone)
            (home / ".gitconfig").write_text(f"[user]\n\tname = {name}\n\temail = {name}@example.org\n")
            workspace = GitWorkspace.open(tmp_path / f"w{number}", init=True, scratch=tmp_path / f"s{number}")
            await workspace.start_branch(RUN, date=DATE)
            await workspace.commit_files(RUN, {"spec.md": "# S\n"}, "Add the spec", {}, DATE)
            tips.append(await merge_task(workspace, "T-1", {"a.py": "a = 1\n"}))
        assert tips[0] == tips[1]

    async def test_without_a_date_the_user_signs(self, workspace: GitWorkspace, repo: UserRepo, home: Path) -> None:
        await workspace.start_branch(RUN)
        await workspace.commit_files(RUN, {"a": "a"}, "A", {})
        assert repo.git("log", "-1", "--format=%an %ae", "agentinfra/r1") == "Ada ada@example.org"
        (home / ".gitconfig").unlink()
        unknown = GitWorkspace.open(repo.root)
        await unknown.commit_files(RUN, {"b": "b"}, "B", {})
        assert repo.git("log", "-1", "--format=%an %ae", "agentinfra/r1") == "AgentInfra agentinfra@localhost"


class TestMerge:
    async def test_two_tasks_of_the_same_file_become_one_commit_each(
        self, workspace: GitWorkspace, repo: UserRepo
    ) -> None:
        start = await workspace.start_branch(RUN)
        top = await do_task(workspace, "T-1", {"app.py": "ONE = 1\ntwo = 2\nthree = 3\nfour = 4\nfive = 5\n"})
        bottom = await do_task(workspace, "T-2", {"app.py": "one = 1\ntwo = 2\nthree = 3\nfour = 4\nFIVE = 5\n"})
        for sha in (top, bottom):
            assert (await workspace.merge_commit(RUN, sha)).conflicts == ()
        log = await workspace.log(RUN)
        assert [(c.subject, c.trailers["AgentInfra-Task"], c.files) for c in log] == [
            ("Do T-1", "T-1", ("app.py",)),
            ("Do T-2", "T-2", ("app.py",)),
        ]
        text = await workspace.read_file("agentinfra/r1", "app.py")
        assert text == "ONE = 1\ntwo = 2\nthree = 3\nfour = 4\nFIVE = 5\n"
        assert repo.git("rev-list", "--count", "--min-parents=2", "agentinfra/r1") == "0"
        assert await workspace.tip(RUN) == log[-1].sha
        stat = await workspace.diff_stat(start, "agentinfra/r1")
        assert [(s.path, s.added, s.removed) for s in stat] == [("app.py", 2, 2)]

    async def test_a_repeated_merge_returns_the_same_commit(self, workspace: GitWorkspace) -> None:
        await workspace.start_branch(RUN)
        sha = await do_task(workspace, "T-1", {"a.py": "a = 1\n"})
        first = await workspace.merge_commit(RUN, sha)
        await merge_task(workspace, "T-2", {"b.py": "b = 1\n"})
        assert await workspace.merge_commit(RUN, sha) == first
        assert len(await workspace.log(RUN)) == 2

    async def test_a_conflict_names_the_files_and_leaves_the_branch(
        self, workspace: GitWorkspace, repo: UserRepo
    ) -> None:
        await workspace.start_branch(RUN)
        mine = await do_task(workspace, "T-1", {"app.py": "mine = 1\n", "ä b.py": "1\n"})
        other = await do_task(workspace, "T-2", {"app.py": "mine = 2\n", "ä b.py": "2\n"})
        tip = (await workspace.merge_commit(RUN, mine)).commit
        result = await workspace.merge_commit(RUN, other)
        assert (result.commit, set(result.conflicts)) == (None, {"app.py", "ä b.py"})
        assert repo.git("rev-parse", "agentinfra/r1") == tip

    async def test_a_dry_run_can_be_tested_before_it_counts(self, workspace: GitWorkspace) -> None:
        start = await workspace.start_branch(RUN)
        sha = await do_task(workspace, "T-1", {"a.py": "a = 1\n"})
        await merge_task(workspace, "T-2", {"b.py": "b = 1\n"})
        preview = (await workspace.merge_commit(RUN, sha, date=DATE, dry_run=True)).commit
        assert preview is not None
        folder = await workspace.task_worktree("r1-merge", preview)
        assert {path.name for path in folder.glob("*.py")} == {"a.py", "app.py", "b.py"}
        assert len(await workspace.log(RUN)) == 1
        assert (await workspace.merge_commit(RUN, sha, date=DATE)).commit == preview
        assert start not in (preview, sha)

    async def test_a_commit_of_no_task_is_refused(self, workspace: GitWorkspace) -> None:
        start = await workspace.start_branch(RUN)
        with pytest.raises(InputError, match="AgentInfra-Task"):
            await workspace.merge_commit(RUN, start)

    async def test_many_tasks_at_once_lose_nothing(self, workspace: GitWorkspace) -> None:
        await workspace.start_branch(RUN)
        await asyncio.gather(*(merge_task(workspace, f"T-{n}", {f"f{n}.py": f"{n}\n"}) for n in range(6)))
        assert len(await workspace.log(RUN)) == 6
        assert len(await workspace.list_files("agentinfra/r1")) == 7

    async def test_a_branch_that_somebody_looks_at_is_not_moved(self, workspace: GitWorkspace, repo: UserRepo) -> None:
        await workspace.start_branch(RUN)
        sha = await do_task(workspace, "T-1", {"a.py": "a = 1\n"})
        repo.git("checkout", "-q", "agentinfra/r1")
        with pytest.raises(WorkspaceError, match="checked out"):
            await workspace.merge_commit(RUN, sha)
        repo.git("checkout", "-q", "main")
        assert (await workspace.merge_commit(RUN, sha)).commit is not None

    async def test_a_title_cannot_forge_a_trailer(self, workspace: GitWorkspace) -> None:
        await workspace.start_branch(RUN)
        folder = await workspace.task_worktree("r1-T-1", "agentinfra/r1")
        (folder / "a.py").write_text("a = 1\n")
        message = "Add a\n\nAgentInfra-Task: T-9\nAgentInfra-Undo: T-2"
        sha = await workspace.commit_worktree("r1-T-1", message, trailers("T-1"))
        assert sha is not None
        await workspace.merge_commit(RUN, sha)
        assert (await workspace.log(RUN))[0].trailers == trailers("T-1")


class TestCommitFiles:
    async def test_content_that_is_there_is_not_committed_again(self, workspace: GitWorkspace) -> None:
        await workspace.start_branch(RUN)
        files = {"spec.md": "# Spec\n", "tests/täst 1.py": "assert 1\n"}
        first = await workspace.commit_files(RUN, files, "Plan", {"AgentInfra-Agent": "planner"})
        await workspace.commit_files(RUN, {"other.md": "x"}, "Other", {})
        assert await workspace.commit_files(RUN, files, "Plan", {}) == first
        log = await workspace.log(RUN)
        assert [c.subject for c in log] == ["Plan", "Other"]
        assert log[0].files == tuple(files)
        assert log[0].trailers == {"AgentInfra-Agent": "planner", "AgentInfra-Run": RUN}
        assert await workspace.read_file("agentinfra/r1", "tests/täst 1.py") == "assert 1\n"

    async def test_the_mode_of_a_file_is_kept(self, workspace: GitWorkspace, repo: UserRepo) -> None:
        repo.write("run.sh", "echo 1\n")
        (repo.root / "run.sh").chmod(0o755)
        repo.commit()
        await workspace.start_branch(RUN)
        await workspace.commit_files(RUN, {"run.sh": "echo 2\n"}, "Change it", {})
        assert repo.git("ls-tree", "agentinfra/r1", "run.sh").startswith("100755")

    @pytest.mark.parametrize("path", ["../x", "/x", ".git/config", "a/.GIT/hooks/x", "app.py/x"])
    async def test_paths_that_lead_elsewhere_are_refused(self, workspace: GitWorkspace, path: str) -> None:
        start = await workspace.start_branch(RUN)
        with pytest.raises(WorkspaceError):
            await workspace.commit_files(RUN, {path: "x"}, "Bad", {})
        assert await workspace.log(RUN) == []
        assert await workspace.list_files(start) == ("app.py",)


class TestEnd:
    async def test_at_the_end_the_branch_can_be_checked_out(self, workspace: GitWorkspace, repo: UserRepo) -> None:
        await workspace.start_branch(RUN)
        await workspace.task_worktree("r1-T-1", "agentinfra/r1")
        repo.git("checkout", "-q", "agentinfra/r1")
        repo.git("checkout", "-q", "main")

    async def test_reject_keeps_the_branch_and_forget_deletes_everything(
        self, workspace: GitWorkspace, repo: UserRepo, tmp_path: Path
    ) -> None:
        await workspace.start_branch(RUN)
        mine = await workspace.task_worktree("r1-T-1", "agentinfra/r1")
        other = await workspace.task_worktree("r2-T-1", "agentinfra/r1")
        await workspace.reject(RUN)
        assert (mine.exists(), other.exists()) == (False, True)
        assert repo.git("rev-parse", "--verify", "agentinfra/r1")
        for _ in range(2):
            await workspace.forget(RUN)
        assert other.exists()
        assert repo.git("branch", "--list", "agentinfra/*") == ""
        assert "agentinfra" not in (repo.root / ".git" / "config").read_text()

    async def test_a_branch_that_is_checked_out_is_not_forgotten(self, workspace: GitWorkspace, repo: UserRepo) -> None:
        await workspace.start_branch(RUN)
        repo.git("checkout", "-q", "agentinfra/r1")
        with pytest.raises(WorkspaceError, match="checked out"):
            await workspace.forget(RUN)
