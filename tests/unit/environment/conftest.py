from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agentinfra.environment.git_workspace import GitWorkspace

DATE = "2026-01-02T03:04:05"
RUN = "r1"
APP = {"app": "one = 1\ntwo = 2\nthree = 3\nfour = 4\nfive = 5\n"}


def trailers(task: str) -> dict[str, str]:
    return {"AgentInfra-Run": RUN, "AgentInfra-Task": task}


async def do_task(workspace: GitWorkspace, task: str, files: dict[str, str], start: str = "agentinfra/r1") -> str:
    folder = await workspace.task_worktree(f"{RUN}-{task}", start)
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    sha = await workspace.commit_worktree(f"{RUN}-{task}", f"Do {task}", trailers(task), DATE)
    await workspace.remove_worktree(f"{RUN}-{task}")
    assert sha is not None
    return sha


async def merge_task(workspace: GitWorkspace, task: str, files: dict[str, str]) -> str:
    result = await workspace.merge_commit(RUN, await do_task(workspace, task, files), date=DATE)
    assert result.conflicts == ()
    assert result.commit is not None
    return result.commit


class UserRepo:
    """A repository as its owner sees it, through the ordinary git program."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def git(self, *words: str, check: bool = True) -> str:
        env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        done = subprocess.run(["git", *words], cwd=self.root, env=env, capture_output=True, text=True, check=False)
        assert not check or done.returncode == 0, done.stderr
        return done.stdout.strip()

    def write(self, path: str, text: str) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)

    def commit(self, **files: str) -> str:
        for name, text in files.items():
            self.write(name + ".py", text)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "by hand", "--allow-empty")
        return self.git("rev-parse", "HEAD")

    def status(self) -> str:
        return self.git("status", "--porcelain")


def new_repo(root: Path) -> UserRepo:
    root.mkdir()
    UserRepo(root).git("init", "-q", "-b", "main")
    return UserRepo(root)


@contextmanager
def isolated_git(home: Path) -> Iterator[None]:
    """git as a user called Ada has it, whatever is set on this machine."""
    (home / ".gitconfig").write_text("[user]\n\tname = Ada\n\temail = ada@example.org\n")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("GIT_", "XDG_"))]:
            patch.delenv(name)
        patch.setenv("HOME", str(home))
        yield


@pytest.fixture(autouse=True)
def home(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "home").mkdir()
    with isolated_git(tmp_path / "home"):
        yield tmp_path / "home"


@pytest.fixture
def empty_repo(tmp_path: Path) -> UserRepo:
    return new_repo(tmp_path / "empty")


@pytest.fixture(scope="session")
def first_commit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("first")
    with isolated_git(folder):
        new_repo(folder / "work").commit(**APP)
    return folder / "work"


@pytest.fixture
def repo(first_commit: Path, tmp_path: Path) -> UserRepo:
    shutil.copytree(first_commit, tmp_path / "work", symlinks=True)
    return UserRepo(tmp_path / "work")


@pytest.fixture
def workspace(repo: UserRepo, tmp_path: Path) -> Iterator[GitWorkspace]:
    yield GitWorkspace.open(repo.root, scratch=tmp_path / "scratch")
    assert repo.git("fsck", "--strict", "--no-dangling") == ""
