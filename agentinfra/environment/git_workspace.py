"""The user's repository: a run's branch, its tasks' worktrees, and what becomes of them."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import ParamSpec, TypeVar

from platformdirs import user_cache_path

from agentinfra.core.errors import InputError, WorkspaceError
from agentinfra.environment.git_command import refuse_hostile_settings, require_git
from agentinfra.environment.git_delivery import (
    GitDelivery,
    RunBranch,
    branch_ref,
    changed_files,
    head_ref,
    refuse_checked_out,
    standing,
)
from agentinfra.environment.git_location import locate, signature
from agentinfra.environment.git_objects import (
    RUN_TRAILER,
    TASK_TRAILER,
    CommitInfo,
    FileStat,
    GitObjects,
    MergeResult,
    split_trailers,
    with_trailers,
)
from agentinfra.environment.git_stack import GitStack
from agentinfra.environment.git_worktrees import GitWorktrees, scratch_folder

P = ParamSpec("P")
T = TypeVar("T")

_RUN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


class GitWorkspace:
    """A git repository that runs work on without touching its working tree or index until they are accepted.

    Made by :meth:`open`. One object serves many tasks at once: what writes to a run's branch happens one after the
    other. Every method may be called again after the process was killed in the middle of it.

    Attributes:
        root: Top folder of the working tree.
        base: Branch that is checked out, or the commit's id where HEAD is detached.
    """

    def __init__(self, objects: GitObjects, worktrees: GitWorktrees) -> None:
        self.root = objects.git.work_tree
        self._objects = objects
        self._worktrees = worktrees
        self._one_writer = threading.Lock()
        head = head_ref(objects)
        self.base = head.removeprefix("refs/heads/") if head else objects.commit_id("HEAD")

    @classmethod
    def open(cls, path: str | Path, *, init: bool = False, scratch: Path | None = None) -> GitWorkspace:
        """Open the repository that a folder belongs to; blocks for some milliseconds.

        Args:
            path: The folder.
            init: Make the folder itself a repository (branch ``main``) if it is none.
            scratch: Where tasks' worktrees are made, outside the repository; by default in the user's cache folder.

        Raises:
            WorkspaceError: No repository, bare, not writable, another user's, inside ``.git``, or its own settings
                would start programs.
            InputError: ``scratch`` lies inside the repository.
        """
        require_git()
        git = locate(Path(path).expanduser().resolve(), init)
        refuse_hostile_settings(git)
        objects = GitObjects(git, signature(git))
        common_dir = Path(git.text("rev-parse", "--path-format=absolute", "--git-common-dir"))
        own = scratch_folder(scratch or user_cache_path("agentinfra") / "worktrees", common_dir)
        if own.is_relative_to(git.work_tree):
            raise InputError(f"The scratch folder {own} lies inside {git.work_tree}", next_step="Choose one outside")
        return cls(objects, GitWorktrees(objects, common_dir, own))

    def is_dirty(self) -> tuple[str, ...]:
        """Files that differ from HEAD or are untracked and not ignored; empty when the tree is clean."""
        return tuple(path for path, _ in changed_files(self._objects))

    def is_unborn(self) -> bool:
        """Whether HEAD has no commit yet."""
        return self._objects.find("HEAD") is None

    async def start_branch(self, run_id: str, *, date: str | None = None) -> str:
        """Create ``agentinfra/<run>`` from HEAD, or from an empty commit of its own where HEAD has none.

        Args:
            run_id: The run's id: letters, digits, ``-`` and ``_``.
            date: Date of the empty commit, ISO 8601; fixed on replay.

        Returns:
            The commit that the run starts from.
        """
        return await self._writing(self._start_branch, run_id, date)

    async def task_worktree(self, name: str, start: str) -> Path:
        """Make a detached worktree in the scratch folder; one of that name is thrown away first.

        Args:
            name: Unique in the workspace and beginning with the run's id and ``-``, such as ``<run>-T-3``.
            start: Commit or ref that it shows.
        """
        return await self._writing(self._worktrees.make, name, start)

    async def remove_worktree(self, name: str) -> None:
        """Remove the worktree; one that is not there is fine."""
        await self._writing(self._worktrees.remove, name)

    async def prune(self) -> None:
        """Remove all worktrees in the scratch folder, of every run; those of the user stay."""
        await self._writing(self._remove_worktrees, "")

    async def commit_worktree(
        self, name: str, message: str, trailers: Mapping[str, str], date: str | None = None
    ) -> str | None:
        """Commit everything in the worktree that is changed and not ignored, on no branch.

        Args:
            name: The worktree.
            message: Subject and, after an empty line, body.
            trailers: Keys and values of the last paragraph.
            date: Date of author and committer, ISO 8601; with one, equal content gives equal ids.

        Returns:
            The commit, the same one when repeated; None when nothing was changed.
        """
        return await self._writing(self._worktrees.commit, name, message, trailers, date)

    async def merge_commit(
        self, run_id: str, sha: str, *, date: str | None = None, dry_run: bool = False
    ) -> MergeResult:
        """Put a task's commit on top of the run's branch, as one commit with its message; no working tree is needed.

        Args:
            run_id: The run.
            sha: Commit that carries the trailer ``AgentInfra-Task``. A task that is merged already is not merged again.
            date: As in :meth:`commit_worktree`.
            dry_run: Leave the branch as it is; the commit can be checked out with :meth:`task_worktree` and tested.
        """
        return await self._writing(self._merge_commit, run_id, sha, date, dry_run)

    def stack(self, run_id: str, tip: str, *, date: str | None = None) -> GitStack:
        """Where tasks are put on a commit of the run's branch, to be tested before it moves with :meth:`advance`."""
        return GitStack(self._objects, run_id, tip, date)

    async def advance(self, run_id: str, commit: str, tip: str) -> None:
        """Move the run's branch to a commit that a :meth:`stack` made, provided that it still is at ``tip``."""
        branch = await asyncio.to_thread(self._branch, run_id)
        await self._writing(self._advance, branch, commit, tip)

    async def merged_tasks(self, run_id: str) -> dict[str, str]:
        """The commit of every task that stands on the run's branch, by task."""
        log = await self.log(run_id)
        return {commit.trailers[TASK_TRAILER]: commit.sha for commit in standing(log)}

    async def commit_files(
        self,
        run_id: str,
        files: Mapping[str, str],
        message: str,
        trailers: Mapping[str, str],
        date: str | None = None,
    ) -> str:
        """Write files (path to text) straight onto the run's branch.

        The trailer ``AgentInfra-Task`` is not for these commits: it marks the one commit of a merged task.

        Returns:
            The commit; where the branch has that content already, the last one that touched these files.
        """
        return await self._writing(self._commit_files, run_id, files, message, trailers, date)

    async def read_file(self, ref: str, path: str) -> str:
        """Text of a file in a commit.

        Raises:
            WorkspaceError: It is not there or is no text.
        """
        return await asyncio.to_thread(self._objects.read_file, ref, path)

    async def list_files(self, ref: str) -> tuple[str, ...]:
        """Paths of the regular files of a commit, sorted."""
        return await asyncio.to_thread(self._objects.list_files, ref)

    async def file_sizes(self, ref: str) -> dict[str, int]:
        """Sizes in bytes of the regular files of a commit, by path: what is too large need not be read."""
        return await asyncio.to_thread(self._objects.file_sizes, ref)

    async def commit_id(self, ref: str) -> str:
        """Id of the commit that a ref names.

        Raises:
            WorkspaceError: There is none.
        """
        return await asyncio.to_thread(self._objects.commit_id, ref)

    async def tip(self, run_id: str) -> str:
        """The commit that a run's branch is at."""
        return await asyncio.to_thread(self._objects.commit_id, _checked_ref(run_id))

    async def log(self, run_id: str) -> list[CommitInfo]:
        """Commits of a run's branch since its start, oldest first."""
        return await asyncio.to_thread(self._log, run_id)

    async def history(self, ref: str) -> list[CommitInfo]:
        """The commits of tasks that a commit comes from and that were not undone, oldest first.

        Raises:
            WorkspaceError: There is no such commit.
        """
        return standing(await asyncio.to_thread(self._objects.history, ref))

    async def blame(self, ref: str, path: str) -> tuple[str, ...]:
        """The commit that brought each line of a file, first line first."""
        return await asyncio.to_thread(self._objects.blame, ref, path)

    async def diff_stat(self, old: str, new: str) -> tuple[FileStat, ...]:
        """Lines added and removed between two commits, by file."""
        return await asyncio.to_thread(self._objects.diff_stat, old, new)

    async def accept(self, run_id: str, tasks: Collection[str] | None = None, *, date: str | None = None) -> str:
        """Take the run over into the branch that it started from, and update the user's checkout of it.

        Args:
            run_id: The run.
            tasks: Only the commits of these tasks; the caller adds the tasks that they depend on.
            date: As in :meth:`commit_worktree`.

        Returns:
            The base's new commit.

        Raises:
            WorkspaceError: The base has moved, files are changed and not committed, or tasks conflict; all named.
        """
        delivery = GitDelivery(self._objects, await asyncio.to_thread(self._branch, run_id))
        return await self._writing(delivery.accept, tasks, date)

    async def undo(self, run_id: str, task_ids: Collection[str], *, date: str | None = None) -> str:
        """Revert the commits of tasks on the run's branch, newest first, all or none; other tasks' work stays.

        Returns:
            The branch's new tip, the same one when they are undone already.

        Raises:
            WorkspaceError: Later work changed the same lines; the files are named.
        """
        delivery = GitDelivery(self._objects, await asyncio.to_thread(self._branch, run_id))
        return await self._writing(delivery.undo, task_ids, date)

    async def redo(self, run_id: str, task_ids: Collection[str], *, date: str | None = None) -> dict[str, str]:
        """Put the commits of undone tasks back on the run's branch, oldest first, all or none.

        Returns:
            The new commit of each; one that stands on the branch is not put there again.

        Raises:
            InputError: A task was never merged.
            WorkspaceError: Later work changed the same lines; the files are named.
        """
        delivery = GitDelivery(self._objects, await asyncio.to_thread(self._branch, run_id))
        return await self._writing(delivery.redo, task_ids, date)

    async def reject(self, run_id: str) -> None:
        """Remove the run's worktrees; the branch stays until it is forgotten."""
        branch = await asyncio.to_thread(self._branch, run_id)
        await self._writing(self._remove_worktrees, f"{branch.run}-")

    async def forget(self, run_id: str) -> None:
        """Delete the run's branch and worktrees; a run that is gone already is fine."""
        await self._writing(self._forget, run_id)

    async def _writing(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        def locked() -> T:
            with self._one_writer:
                return function(*args, **kwargs)

        return await asyncio.to_thread(locked)

    def _start_branch(self, run_id: str, date: str | None) -> str:
        ref = _checked_ref(run_id)
        if self._objects.find(ref) is not None:
            return self._branch(run_id).start
        start = self._objects.find("HEAD") or self._empty_commit(run_id, date)
        branch = RunBranch(run_id, head_ref(self._objects) or "HEAD", start)
        # The branch comes last: while it is missing, a repetition does all of this again.
        for key, value in (("agentinfrabase", branch.base), ("agentinfrastart", branch.start)):
            self._objects.git.output("config", "--local", f"branch.agentinfra/{run_id}.{key}", value)
        self._objects.move(ref, start, None)
        return start

    def _empty_commit(self, run_id: str, date: str | None) -> str:
        message = with_trailers("Start from an empty repository", {RUN_TRAILER: run_id})
        return self._objects.commit(self._objects.empty_tree(), (), message, date)

    def _branch(self, run_id: str) -> RunBranch:
        if self._objects.find(_checked_ref(run_id)) is None:
            raise WorkspaceError(f"There is no branch agentinfra/{run_id}", next_step="Name a run of this repository")
        name = rf"^branch\.agentinfra/{run_id}\.agentinfra"
        lines = self._objects.git.items("config", "--local", "-z", "--get-regexp", name)
        found = dict(line.rpartition(".")[2].split("\n", 1) for line in lines)
        return RunBranch(run_id, found["agentinfrabase"], found["agentinfrastart"])

    def _merge_commit(self, run_id: str, sha: str, date: str | None, dry_run: bool) -> MergeResult:
        objects, branch = self._objects, self._branch(run_id)
        _, trailers = split_trailers(objects.message(sha))
        if TASK_TRAILER not in trailers:
            raise InputError(f"The commit {sha} names no task", next_step=f"Commit it with the trailer {TASK_TRAILER}")
        tip = objects.commit_id(branch.ref)
        for done in standing(objects.log(branch.start, tip)):
            if done.trailers[TASK_TRAILER] == trailers[TASK_TRAILER]:
                return MergeResult(done.sha)
        result = GitStack(objects, run_id, tip, date).put(sha, tip)
        if result.commit is not None and not dry_run:
            self._advance(branch, result.commit, tip)
        return result

    def _commit_files(
        self, run_id: str, files: Mapping[str, str], message: str, trailers: Mapping[str, str], date: str | None
    ) -> str:
        objects, branch = self._objects, self._branch(run_id)
        tip = objects.commit_id(branch.ref)
        tree = objects.tree_with(tip, files)
        if tree == objects.tree(tip):
            return objects.git.text("rev-list", "-1", tip, "--", *files) or tip
        marked = with_trailers(message, {**trailers, RUN_TRAILER: run_id})
        commit = objects.commit(tree, (tip,), marked, date)
        self._advance(branch, commit, tip)
        return commit

    def _advance(self, branch: RunBranch, commit: str, tip: str) -> None:
        refuse_checked_out(self._objects, branch.ref)
        self._objects.move(branch.ref, commit, tip)

    def _log(self, run_id: str) -> list[CommitInfo]:
        branch = self._branch(run_id)
        return self._objects.log(branch.start, branch.ref)

    def _remove_worktrees(self, prefix: str) -> None:
        for name in self._worktrees.names():
            if name.startswith(prefix):
                self._worktrees.remove(name)

    def _forget(self, run_id: str) -> None:
        ref = _checked_ref(run_id)
        refuse_checked_out(self._objects, ref)
        self._remove_worktrees(f"{run_id}-")
        self._objects.git.output("update-ref", "-d", ref)
        # 128: the section is gone already.
        section = f"branch.agentinfra/{run_id}"
        self._objects.git.output("config", "--local", "--remove-section", section, accept=(0, 128))


def _checked_ref(run_id: str) -> str:
    if not _RUN.fullmatch(run_id):
        raise InputError(f"{run_id!r} cannot name a branch", next_step="Use letters, digits, '-' and '_'")
    return branch_ref(run_id)
