"""Commits of tasks put on top of each other in ever new combinations, without moving a branch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from agentinfra.environment.git_objects import RUN_TRAILER, GitObjects, MergeResult, split_trailers, with_trailers


@dataclass(frozen=True, slots=True)
class _Prepared:
    """What does not change from one combination to the next: the commit's root and side of a merge, and its message."""

    root: str
    side: str
    message: str


class GitStack:
    """Builds on one commit of a run's branch; made by :meth:`.GitWorkspace.stack`.

    Args:
        objects: The repository.
        run: The run.
        tip: The commit of the branch; what tasks started from is this one or an ancestor of it.
        date: Date of the commits; None for the present.
    """

    def __init__(self, objects: GitObjects, run: str, tip: str, date: str | None) -> None:
        self._objects = objects
        self._run = run
        self._tip = tip
        self._date = date
        self._prepared: dict[str, _Prepared] = {}

    def put(self, sha: str, onto: str) -> MergeResult:
        """Put a task's commit on another one, merging also changes that merely touch each other; blocks.

        Args:
            sha: The task's commit.
            onto: The branch's commit, or the last result.
        """
        objects = self._objects
        if sha not in self._prepared:
            self._prepared[sha] = self._prepare(sha)
        task = self._prepared[sha]
        tree, conflicts = objects.merge_sides(objects.side(onto, task.root), task.side, by_lines=True)
        if conflicts:
            return MergeResult(None, conflicts, objects.conflict_texts(tree, conflicts))
        return MergeResult(objects.commit(tree, (onto,), task.message, self._date))

    def _prepare(self, sha: str) -> _Prepared:
        objects = self._objects
        root = objects.root(objects.git.text("merge-base", self._tip, sha))
        text, trailers = split_trailers(objects.message(sha))
        marked: Mapping[str, str] = {**trailers, RUN_TRAILER: self._run}
        return _Prepared(root, objects.side(sha, root), with_trailers(text, marked))
