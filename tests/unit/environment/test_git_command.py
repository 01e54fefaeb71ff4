from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agentinfra.core.errors import WorkspaceError
from agentinfra.environment.git_command import GitCommand
from agentinfra.environment.git_workspace import GitWorkspace

from .conftest import RUN, UserRepo, merge_task

HOOKS = ("post-checkout", "pre-commit", "post-commit", "reference-transaction", "post-index-change", "post-merge")


async def life_of_a_run(repo: UserRepo, scratch: Path) -> None:
    workspace = GitWorkspace.open(repo.root, scratch=scratch)
    workspace.is_dirty()
    await workspace.start_branch(RUN)
    await workspace.commit_files(RUN, {"spec.md": "# Spec\n"}, "Write the spec", {})
    await merge_task(workspace, "T-1", {"app.py": "changed = 1\n"})
    await merge_task(workspace, "T-2", {"other.py": "x = 1\n"})
    await workspace.log(RUN)
    await workspace.diff_stat("main", "agentinfra/r1")
    await workspace.undo(RUN, ["T-2"])
    await workspace.accept(RUN)
    await workspace.forget(RUN)


async def test_nothing_that_the_repository_names_is_started(repo: UserRepo, tmp_path: Path) -> None:
    marker, program = tmp_path / "marker", tmp_path / "program"
    program.write_text(f"#!/bin/sh\necho \"$0 $*\" >> '{marker}'\nexit 0\n")
    program.chmod(0o755)
    for hook in HOOKS:
        (repo.root / ".git" / "hooks" / hook).symlink_to(program)
    for key in ("core.fsmonitor", "core.pager", "diff.external", "gpg.program", "core.sshCommand", "core.editor"):
        repo.git("config", key, str(program))
    repo.git("config", "commit.gpgSign", "true")
    repo.git("config", "diff.py.command", str(program))
    repo.git("config", "diff.py.textconv", str(program))
    repo.write(".git/info/attributes", "*.py diff=py\n")
    repo.git("status")
    assert marker.exists(), "control: plain git runs what the settings name"
    marker.unlink()
    await life_of_a_run(repo, tmp_path / "scratch")
    assert not marker.exists(), marker.read_text()
    assert (repo.root / "app.py").read_text() == "changed = 1\n"
    for key in ("core.fsmonitor", "commit.gpgSign"):
        repo.git("config", "--unset", key)


@pytest.mark.parametrize(
    "key", ["filter.x.smudge", "filter.x.clean", "filter.y.z.process", "merge.x.driver", "includeIf.gitdir:/x.path"]
)
def test_settings_that_start_programs_are_refused_by_name(repo: UserRepo, key: str) -> None:
    repo.git("config", key, "/nonexistent")
    with pytest.raises(WorkspaceError, match=f"(?i){key}"):
        GitWorkspace.open(repo.root)


def test_settings_of_an_included_file_are_refused(repo: UserRepo, tmp_path: Path) -> None:
    (tmp_path / "more").write_text('[filter "x"]\n\tclean = touch /nonexistent\n')
    repo.git("config", "include.path", str(tmp_path / "more"))
    with pytest.raises(WorkspaceError, match=r"filter\.x\.clean"):
        GitWorkspace.open(repo.root)


async def test_filters_of_the_user_stay_in_force(repo: UserRepo, home: Path, tmp_path: Path) -> None:
    with (home / ".gitconfig").open("a") as file:
        file.write('[filter "upper"]\n\tclean = tr a-z A-Z\n')
    repo.write(".gitattributes", "*.txt filter=upper\n")
    repo.commit()
    workspace = GitWorkspace.open(repo.root, scratch=tmp_path / "scratch")
    await workspace.start_branch(RUN)
    await merge_task(workspace, "T-1", {"a.txt": "loud\n"})
    assert await workspace.read_file("agentinfra/r1", "a.txt") == "LOUD\n"


def test_a_failure_says_what_git_said(repo: UserRepo) -> None:
    with pytest.raises(WorkspaceError, match=r"`git rev-parse` failed with exit code 128\. fatal: Needed a single"):
        GitCommand(repo.root / ".git", repo.root).text("rev-parse", "--verify", "--end-of-options", "nowhere")


def test_a_missing_git_is_named(repo: UserRepo, tmp_path: Path) -> None:
    program = "from agentinfra.environment.git_workspace import GitWorkspace as W; W.open('.')"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=repo.root,
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "WorkspaceError: git was not found. Install git 2.38 or newer" in done.stderr


def test_an_old_git_is_named(empty_repo: UserRepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "git").write_text("#!/bin/sh\necho git version 2.30.9\n")
    (tmp_path / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(WorkspaceError, match=r"git version 2\.30\.9 is too old"):
        GitWorkspace.open(empty_repo.root)


@pytest.mark.parametrize("seconds", [0.2, 0.4])
async def test_a_run_that_was_killed_is_repeated_to_the_same_end(
    repo: UserRepo, tmp_path: Path, seconds: float
) -> None:
    program = f"""
import asyncio
from pathlib import Path
from agentinfra.environment.git_workspace import GitWorkspace
async def main():
    print("start", flush=True)
    w = GitWorkspace.open({str(repo.root)!r}, scratch=Path({str(tmp_path / "scratch")!r}))
    await w.start_branch("r1")
    for n in range(4):
        folder = await w.task_worktree(f"r1-T-{{n}}", "agentinfra/r1")
        (folder / f"f{{n}}.py").write_text(f"x = {{n}}")
        trailers = {{"AgentInfra-Run": "r1", "AgentInfra-Task": f"T-{{n}}"}}
        sha = await w.commit_worktree(f"r1-T-{{n}}", f"Do {{n}}", trailers)
        await w.merge_commit("r1", sha) if sha else None
    await w.prune()
    await w.accept("r1")
    print("end", flush=True)
asyncio.run(main())
"""
    argv = [sys.executable, "-c", program]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"start\n"
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
    time.sleep(0.3)  # the git command that was in flight ends by itself
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.stdout.endswith("end\n"), done.stderr
    assert repo.git("rev-list", "--count", "main") == "5"
    assert repo.status() == ""
    assert len(repo.git("worktree", "list").splitlines()) == 1
