"""Finds the repository that a folder belongs to, or makes one, and checks that it can be worked on."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from agentinfra.core.errors import WorkspaceError
from agentinfra.environment.git_command import GitCommand
from agentinfra.environment.git_objects import Signature


def locate(folder: Path, init: bool) -> GitCommand:
    """Find the repository of a folder.

    Args:
        folder: Absolute, links resolved; need not exist with ``init``.
        init: Make the folder itself a repository, with the branch ``main``, unless it is one.

    Raises:
        WorkspaceError: There is none, or it is bare, another user's, not writable, or ``folder`` is inside ``.git``.
    """
    _refuse_git_folder(folder)
    root = _initialised(folder) if init else _root_of(folder)
    _refuse_other_owner(root / ".git")
    git_dir = GitCommand(root / ".git", root).text("rev-parse", "--absolute-git-dir")
    git = GitCommand(Path(git_dir), root)
    if git.output("config", "--get", "--type=bool", "core.bare", accept=(0, 1))[1] == b"true\n":
        raise _bare(root)
    _refuse_read_only(git.git_dir)
    return git


def signature(git: GitCommand) -> Signature:
    """The user's name and e-mail address from git's settings; AgentInfra's own where one of them is missing."""
    found = [git.output("config", "--get", key, accept=(0, 1))[1] for key in ("user.name", "user.email")]
    name, email = (value.decode(errors="replace").strip() for value in found)
    return Signature(name, email) if name and email else Signature()


def _initialised(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / ".git").exists():
            _refuse_read_only(folder)
            GitCommand(folder / ".git", folder).output("init", "--quiet", "-b", "main")
    except OSError as error:
        raise _not_writable(folder, error) from error
    return folder


def _root_of(folder: Path) -> Path:
    for candidate in (folder, *folder.parents):
        if (candidate / ".git").exists():
            return candidate
    raise WorkspaceError(
        f"{folder} is not a git repository" if folder.is_dir() else f"{folder} is not a folder",
        why="A run delivers its work as commits",
        next_step="Give `--init` to make it one, or name a folder that is one",
    )


def _refuse_git_folder(folder: Path) -> None:
    if ".git" in folder.parts:
        raise WorkspaceError(f"{folder} lies inside a .git folder", next_step="Name the folder with the files instead")
    if (folder / "HEAD").is_file() and (folder / "objects").is_dir() and (folder / "refs").is_dir():
        raise _bare(folder)


def _bare(folder: Path) -> WorkspaceError:
    return WorkspaceError(
        f"{folder} is a bare repository",
        why="It has no files to work on",
        next_step="Clone it (`git clone`) and name the clone",
    )


def _refuse_other_owner(dot_git: Path) -> None:
    # Somebody else's repository in a shared folder must not become the workspace of everything below it.
    owner = dot_git.lstat().st_uid
    if os.geteuid() not in (0, owner) and owner != 0:
        raise WorkspaceError(
            f"{dot_git.parent} is the repository of another user",
            why=f"{dot_git} belongs to the user with the number {owner}",
            next_step="Work on a clone of your own",
        )


def _refuse_read_only(folder: Path) -> None:
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise _not_writable(folder, error) from error


def _not_writable(folder: Path, error: OSError) -> WorkspaceError:
    return WorkspaceError(
        f"{folder} cannot be written to",
        why=error.strerror or str(error),
        next_step="Free space or correct its permissions, or name another folder",
    )
