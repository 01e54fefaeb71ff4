"""Scratch worktrees in which tasks are done, outside the user's workspace.

Generated code may run over such a folder, so nothing that lies in it is trusted afterwards, its ``.git`` file
included: the repository folder is looked up on the repository's side, and links or repositories made in it are
refused.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import stat
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from agentinfra.core.errors import InputError, WorkspaceError
from agentinfra.environment.git_command import join_items, refuse_hostile_settings
from agentinfra.environment.git_objects import GitObjects, split_trailers, with_trailers

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_LITTER = ("__pycache__/", "*.pyc", ".pytest_cache/", ".hypothesis/", ".coverage", "node_modules/")


@dataclass(frozen=True, slots=True)
class GitWorktrees:
    """Makes, commits and removes the worktrees under one folder that belongs to one repository.

    Attributes:
        objects: The repository.
        common_dir: Its ``.git`` folder, shared by all worktrees.
        folder: Where the worktrees are made.
    """

    objects: GitObjects
    common_dir: Path
    folder: Path

    def make(self, name: str, start: str) -> Path:
        """Make the worktree, detached at ``start``; one of that name that exists is thrown away first.

        Raises:
            InputError: The name cannot be a folder's.
            WorkspaceError: ``start`` does not exist, or git failed.
        """
        sha, path = self.objects.commit_id(start), self._path(name)
        self.remove(name)
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        # --no-checkout: git would check out into the index that the environment names, which is the user's.
        self.objects.git.output("worktree", "add", "--no-checkout", "--detach", "--force", "--", str(path), sha)
        inside = self._inside(path)
        refuse_hostile_settings(inside.git)
        inside.git.output("read-tree", "--reset", "-u", sha)
        return path

    def commit(self, name: str, message: str, trailers: Mapping[str, str], date: str | None) -> str | None:
        """Commit every change in the worktree that is not ignored.

        Returns:
            The commit; the one of the earlier call when this is a repetition; None when nothing was changed.

        Raises:
            WorkspaceError: There is no such worktree, or links, devices or repositories were made in it.
        """
        inside = self._inside(self._path(name))
        changed = self._changed(inside)
        self._refuse_special(self._path(name), changed)
        inside.git.output("update-index", "-z", "--add", "--remove", "--stdin", stdin=join_items(changed))
        head, tree = inside.commit_id("HEAD"), inside.git.text("write-tree")
        if tree == inside.tree("HEAD"):
            repeated = dict(trailers).items() <= split_trailers(inside.message("HEAD"))[1].items()
            return head if trailers and repeated else None
        sha = inside.commit(tree, (head,), with_trailers(message, trailers), date)
        inside.git.output("update-ref", "--no-deref", "-m", "agentinfra", "HEAD", sha, head)
        return sha

    def remove(self, name: str) -> None:
        """Remove the worktree and its folder; one that is not there is fine."""
        path = self._path(name)
        if path.is_symlink() or path.exists():
            _remove_tree(path)
        if self._admin_dir(path) is not None:
            self.objects.git.output("worktree", "remove", "--force", "--force", "--", str(path))

    def names(self) -> tuple[str, ...]:
        """Names of all worktrees here, also of those that a killed process left half made."""
        known = {path.name for path in self._registered() if path.parent == self.folder}
        present = {path.name for path in self.folder.iterdir()} if self.folder.is_dir() else set[str]()
        return tuple(sorted(known | present))

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise InputError(f"{name!r} cannot name a worktree", next_step="Use letters, digits, '.', '_' and '-'")
        return self.folder / name

    def _inside(self, path: Path) -> GitObjects:
        admin = self._admin_dir(path)
        if admin is None or not path.is_dir():
            raise WorkspaceError(f"There is no worktree {path.name}", next_step="Make it before committing in it")
        return replace(self.objects, git=replace(self.objects.git, git_dir=admin, work_tree=path))

    def _admin_dir(self, path: Path) -> Path | None:
        return self._registered().get(path)

    def _registered(self) -> dict[Path, Path]:
        """Worktree folder → the folder in which the repository keeps its state."""
        files = self.common_dir.glob("worktrees/*/gitdir")
        return {Path(file.read_text().rstrip("\n")).parent: file.parent for file in files}

    def _changed(self, inside: GitObjects) -> tuple[str, ...]:
        # ls-files, not status or add: those start git inside repositories that generated code made here.
        litter = [word for pattern in _LITTER for word in ("-x", pattern)]
        new = inside.git.items("ls-files", "-z", "--others", "--exclude-standard", *litter)
        tracked = inside.git.items("ls-files", "-z", "--format=%(objectmode) %(path)", "--modified", "--deleted")
        return tuple(sorted({*new, *(_path_of(entry) for entry in tracked)}))

    @staticmethod
    def _refuse_special(path: Path, changed: tuple[str, ...]) -> None:
        special = [name for name in changed if _is_special(path, name)]
        if special:
            raise WorkspaceError(
                f"The task made links, devices or repositories: {', '.join(special)}",
                why="Only regular files can be taken over",
                next_step="Have the task done again without them",
            )


def scratch_folder(scratch: Path, common_dir: Path) -> Path:
    """The part of a scratch folder that belongs to one repository alone."""
    digest = hashlib.sha256(os.fsencode(common_dir)).hexdigest()[:12]
    return scratch.resolve() / f"{common_dir.parent.name}-{digest}"


def _path_of(entry: str) -> str:
    """Path of a tracked file listed with its mode; a submodule's ends in ``/`` as that of a new repository does."""
    mode, _, path = entry.partition(" ")
    return f"{path}/" if mode == "160000" else path


def _is_special(folder: Path, name: str) -> bool:
    try:
        mode = (folder / name).lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return False
    # A folder in the place of a tracked file only means that the file is gone.
    return name.endswith("/") or not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _remove_tree(path: Path) -> None:
    if path.is_symlink() or not path.is_dir():
        path.unlink()
        return
    path.chmod(0o700)
    # Tests may have left folders that even their owner cannot list.
    for folder, names, _ in os.walk(path):
        for name in names:
            if not Path(folder, name).is_symlink():
                Path(folder, name).chmod(0o700)
    shutil.rmtree(path)
