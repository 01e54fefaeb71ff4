"""What becomes of a run's branch: taken over into the branch that it started from, or undone task by task."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from agentinfra.core.errors import InputError, SpecError, WorkspaceError
from agentinfra.environment.git_objects import (
    REVIEW_TRAILER,
    RUN_TRAILER,
    TASK_TRAILER,
    UNDO_TRAILER,
    CommitInfo,
    GitObjects,
    with_trailers,
)
from agentinfra.spec.answers import with_answers_written
from agentinfra.spec.document import parse
from agentinfra.spec.front_matter import body_sha


@dataclass(frozen=True, slots=True)
class RunBranch:
    """A run's branch.

    Attributes:
        run: The run's id.
        base: Ref that the run started from, "HEAD" for a detached one.
        start: Commit that the run started from; in a repository without commits its own empty one.
    """

    run: str
    base: str
    start: str

    @property
    def ref(self) -> str:
        """The branch's full name."""
        return branch_ref(self.run)


def branch_ref(run: str) -> str:
    """Full name of the branch of a run."""
    return f"refs/heads/agentinfra/{run}"


@dataclass(frozen=True, slots=True)
class GitDelivery:
    """Accepts and undoes the work of one run; every method may be repeated after it was cut off."""

    objects: GitObjects
    branch: RunBranch

    def accept(self, tasks: Collection[str] | None, date: str | None) -> str:
        """Take the branch, or only the commits of some tasks, over into the base; return the base's new commit."""
        tip = self.objects.find(self.branch.base)
        self._refuse_moved(tip)
        target = self._whole(tip, date) if tasks is None else self._picked(tip, tasks, date)
        if self._is_checked_out():
            self._update_checkout(tip, target)
        else:
            refuse_checked_out(self.objects, self.branch.base)
        if target != tip:
            self.objects.move(self.branch.base, target, tip)
        return target

    def undo(self, tasks: Collection[str], date: str | None) -> str:
        """Revert the commits of some tasks on the branch, newest first; return the branch's new tip."""
        old = tip = self.objects.commit_id(self.branch.ref)
        for commit in reversed(self._with_reviews(self._commits_of(tasks, self.branch.start, tip), tip)):
            tree, conflicts = self.objects.three_way(commit.sha, tip, commit.sha + "^", by_lines=True)
            if conflicts:
                raise self._in_the_way(commit, conflicts, "undone", tasks)
            trailers = {RUN_TRAILER: self.branch.run, UNDO_TRAILER: _task_of(commit)}
            message = f'Revert "{commit.subject}"\n\nThis reverts commit {commit.sha}.'
            tip = self.objects.commit(tree, (tip,), with_trailers(message, trailers), date)
        self._move_branch(old, tip)
        return tip

    def redo(self, tasks: Collection[str], date: str | None) -> dict[str, str]:
        """Put the commits of undone tasks back on the branch, oldest first; return the commit of each."""
        old = tip = self.objects.commit_id(self.branch.ref)
        log = self.objects.log(self.branch.start, tip)
        self._refuse_unknown(tasks, log)
        done = {commit.trailers[TASK_TRAILER]: commit.sha for commit in standing(log)}
        last = {commit.trailers.get(TASK_TRAILER, ""): commit for commit in log}
        for commit in (one for one in log if one.trailers.get(TASK_TRAILER) in tasks):
            task = commit.trailers[TASK_TRAILER]
            if task in done or commit is not last[task]:
                continue
            tree, conflicts = self.objects.three_way(commit.sha + "^", tip, commit.sha, by_lines=True)
            if conflicts:
                raise self._in_the_way(commit, conflicts, "done again", ())
            tip = done[task] = self.objects.commit(tree, (tip,), self.objects.message(commit.sha) + "\n", date)
        self._move_branch(old, tip)
        return {task: done[task] for task in tasks}

    def _move_branch(self, old: str, new: str) -> None:
        if new == old:
            return
        if self.branch.ref == head_ref(self.objects):
            self._update_checkout(old, new, only_changed=True)
        else:
            refuse_checked_out(self.objects, self.branch.ref)
        self.objects.move(self.branch.ref, new, old)

    def _in_the_way(
        self, commit: CommitInfo, conflicts: tuple[str, ...], done: str, with_these: Collection[str]
    ) -> WorkspaceError:
        """The error that names the files, and whose later commits changed them: tasks, or the person's own."""
        task, touched = _task_of(commit), set(conflicts)
        later = [one for one in self.objects.log(commit.sha, self.branch.ref) if touched & set(one.files)]
        others = sorted({name for one in standing(later) if (name := one.trailers[TASK_TRAILER]) not in with_these})
        own = [f"{one.sha[:10]} ({one.subject})" for one in later if RUN_TRAILER not in one.trailers]
        if own:
            way = f"Revert your own commits first, with `git revert {own[0][:10]}`"
        elif others:
            way = f"Undo what stands on these lines first: agentinfra undo {' '.join([*with_these, *others])}"
        else:
            way = "Redo what it builds on as well: agentinfra redo"
        return WorkspaceError(
            f"{task} cannot be {done}: it conflicts in {', '.join(conflicts)}",
            why=f"Later work changed the same lines: {', '.join([*others, *own]) or 'what it builds on was undone'}",
            next_step=way,
        )

    def _refuse_moved(self, tip: str | None) -> None:
        if tip is None and self._started_unborn():
            return
        if tip is None or not self.objects.contains(tip, self.branch.start):
            raise self._moved("it does not follow from the commit that the run started from", tip)
        others = [c for c in self.objects.log(self.branch.start, tip) if c.trailers.get(RUN_TRAILER) != self.branch.run]
        if others:
            raise self._moved("it has " + ", ".join(f"{c.sha[:10]} ({c.subject})" for c in others), tip)

    def _moved(self, why: str, tip: str | None) -> WorkspaceError:
        base = self.branch.base.removeprefix("refs/heads/")
        return WorkspaceError(
            f"{base} has moved since the run started",
            why=f"Now {why}; {self._conflicts_with(tip)}",
            next_step=f"Merge the branch agentinfra/{self.branch.run} into {base} by hand, or start a new run",
        )

    def _conflicts_with(self, tip: str | None) -> str:
        """What a merge of the branch into the moved base would meet."""
        if tip is None:
            return "there is nothing to merge into"
        _, conflicts = self.objects.three_way(self.branch.start, tip, self.branch.ref)
        if not conflicts:
            return "a merge of the branch meets no conflict"
        return f"a merge of the branch conflicts in {', '.join(conflicts)}"

    def _started_unborn(self) -> bool:
        message = self.objects.git.text("log", "-1", "--format=%P%n%B", self.branch.start, "--")
        return message.endswith(f"{RUN_TRAILER}: {self.branch.run}")

    def _whole(self, tip: str | None, date: str | None) -> str:
        end = self.objects.commit_id(self.branch.ref)
        if tip is None or self.objects.contains(end, tip):
            return end
        if self.objects.contains(tip, end):
            return tip
        # Some tasks were accepted before: the base holds copies of their commits.
        tree, conflicts = self.objects.three_way(self.branch.start, tip, end)
        if conflicts:
            raise _conflict(f"agentinfra/{self.branch.run}", "accepted", conflicts)
        message = with_trailers(f"Merge agentinfra/{self.branch.run}", {RUN_TRAILER: self.branch.run})
        return self.objects.commit(tree, (tip, end), message, date)

    def _picked(self, tip: str | None, tasks: Collection[str], date: str | None) -> str:
        onto = tip or self.branch.start
        log, end = self.objects.log(self.branch.start, onto), self.objects.commit_id(self.branch.ref)
        there = {c.trailers.get(TASK_TRAILER) for c in log}
        reviewed = Counter(c.trailers.get(REVIEW_TRAILER) for c in log)
        for commit in self._with_reviews(self._commits_of(tasks, self.branch.start, end), end):
            if TASK_TRAILER not in commit.trailers and reviewed[commit.trailers[REVIEW_TRAILER]]:
                reviewed[commit.trailers[REVIEW_TRAILER]] -= 1
                continue
            if commit.trailers.get(TASK_TRAILER, "") in there:
                continue
            tree = self._merged(commit, commit.sha + "^", onto, commit.sha, "accepted alone")
            onto = self.objects.commit(tree, (onto,), self.objects.message(commit.sha) + "\n", date)
        return onto

    def _commits_of(self, tasks: Collection[str], start: str, end: str) -> list[CommitInfo]:
        log = self.objects.log(start, end)
        self._refuse_unknown(tasks, log)
        return [c for c in standing(log) if c.trailers[TASK_TRAILER] in tasks]

    def _with_reviews(self, commits: list[CommitInfo], end: str) -> list[CommitInfo]:
        """Commits of tasks, each with those that took lines of it back later, oldest first."""
        wanted = {commit.sha for commit in commits}
        found: list[CommitInfo] = []
        for commit in self.objects.log(self.branch.start, end):
            reviewed = commit.trailers.get(REVIEW_TRAILER)
            stands = any(one.trailers.get(TASK_TRAILER) == reviewed for one in found)
            if commit.sha in wanted or (reviewed and stands):
                found.append(commit)
        return found

    def _refuse_unknown(self, tasks: Collection[str], log: list[CommitInfo]) -> None:
        unknown = sorted(set(tasks) - {c.trailers.get(TASK_TRAILER, "") for c in log})
        if unknown:
            raise InputError(
                f"{', '.join(unknown)} has no commit on agentinfra/{self.branch.run}",
                next_step="Name tasks that the run has merged",
            )

    def _merged(self, commit: CommitInfo, base: str, ours: str, theirs: str, done: str) -> str:
        tree, conflicts = self.objects.three_way(base, ours, theirs)
        if conflicts:
            raise _conflict(_task_of(commit), done, conflicts)
        return tree

    def _is_checked_out(self) -> bool:
        return self.branch.base in ("HEAD", head_ref(self.objects))

    def _update_checkout(self, tip: str | None, target: str, *, only_changed: bool = False) -> None:
        """Bring the user's files to the target; their own changes stand in the way, or only those to the same files."""
        git = self.objects.git
        if git.holds("diff-index", "--cached", "--quiet", "--ignore-submodules=all", target, "--"):
            return  # done by an earlier call that was cut off before it moved the base
        new = set(self.objects.list_files(target))
        affected = {one.path for one in self.objects.diff_stat(tip, target)} if tip and only_changed else None
        dirty = [path for path, tracked in changed_files(self.objects) if tracked or path in new]
        dirty = [path for path in dirty if affected is None or path in affected]
        same = [path for path in dirty if tip and self._says_the_same(path, tip, target)]
        dirty = [path for path in dirty if path not in same]
        if dirty:
            raise WorkspaceError(
                f"The working tree has changes that are not committed: {', '.join(dirty)}",
                why="They would be mixed with the run's",
                next_step="Commit or stash them, then give the command again",
            )
        if same:
            git.output("checkout", tip or "", "--", *same)  # the target brings them back
        git.output("read-tree", "-m", "-u", tip or self.objects.empty_tree(), target)

    def _says_the_same(self, path: str, tip: str, target: str) -> bool:
        """Whether the user's changed file is the target's but for its front matter and answers: an approved spec.md."""
        if not all(path in self.objects.list_files(commit) for commit in (tip, target)):
            return False
        try:
            own = (self.objects.git.work_tree / path).read_text(encoding="utf-8")
            theirs = self.objects.read_file(target, path)
            same = body_sha(own) == body_sha(theirs)
            return same or body_sha(with_answers_written(own, parse(theirs).questions)) == body_sha(theirs)
        except (OSError, ValueError, SpecError, WorkspaceError):
            return False  # no text: it stands in the way like any other change


def _task_of(commit: CommitInfo) -> str:
    return commit.trailers.get(TASK_TRAILER) or commit.trailers[REVIEW_TRAILER]


def standing(log: list[CommitInfo]) -> list[CommitInfo]:
    """The tasks' commits of a history (oldest first) that no later commit of it has undone."""
    kept: list[CommitInfo] = []
    for commit in log:
        undone = (commit.trailers.get(RUN_TRAILER), commit.trailers.get(UNDO_TRAILER))
        kept = [c for c in kept if (c.trailers.get(RUN_TRAILER), c.trailers[TASK_TRAILER]) != undone]
        if TASK_TRAILER in commit.trailers:
            kept.append(commit)
    return kept


def changed_files(objects: GitObjects) -> list[tuple[str, bool]]:
    """Files of the user's working tree that differ from HEAD, each with whether git tracks it."""
    options = ("--porcelain=v1", "-z", "--untracked-files=all", "--no-renames", "--ignore-submodules=all")
    return [(item[3:], item[:2] != "??") for item in objects.git.items("status", *options)]


def head_ref(objects: GitObjects) -> str | None:
    """Ref that HEAD stands for, also while it has no commit; None when HEAD is detached."""
    code, stdout = objects.git.output("symbolic-ref", "--quiet", "HEAD", accept=(0, 1))
    return stdout.decode(errors="surrogateescape").strip() if code == 0 else None


def refuse_checked_out(objects: GitObjects, ref: str) -> None:
    """Refuse to move a branch under somebody's working tree.

    Raises:
        WorkspaceError: Names the folder in which it is checked out.
    """
    folder = ""
    for line in objects.git.items("worktree", "list", "--porcelain", "-z"):
        folder = line.removeprefix("worktree ") if line.startswith("worktree ") else folder
        if line == f"branch {ref}":
            raise WorkspaceError(
                f"{ref.removeprefix('refs/heads/')} is checked out in {folder}",
                why="Moving it would leave that working tree behind",
                next_step="Switch to another branch there (`git switch`), then try again",
            )


def _conflict(subject: str, done: str, conflicts: tuple[str, ...]) -> WorkspaceError:
    return WorkspaceError(
        f"{subject} cannot be {done}: it conflicts in {', '.join(conflicts)}",
        why="Later work changed the same lines",
        next_step="Name the tasks that built on it as well",
    )
