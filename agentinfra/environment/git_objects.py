"""Commits and trees of a repository, written without any working tree."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agentinfra.core.errors import WorkspaceError
from agentinfra.environment.git_command import GitCommand, split_items
from agentinfra.environment.line_merge import merge_lines
from agentinfra.patching.module_merge import merge_modules

RUN_TRAILER = "AgentInfra-Run"
TASK_TRAILER = "AgentInfra-Task"
UNDO_TRAILER = "AgentInfra-Undo"
REVIEW_TRAILER = "AgentInfra-Review"
_BLAMED = re.compile(rb"([0-9a-f]{40,64}) \d+ \d+(?: \d+)?")
_TRAILER = re.compile(r"([A-Za-z][A-Za-z0-9-]*): (.*)")
_OWN_NAME, _OWN_EMAIL = "AgentInfra", "agentinfra@localhost"


@dataclass(frozen=True, slots=True)
class CommitInfo:
    """A commit as a run's history shows it; ``files`` are those that it changed against its parent."""

    sha: str
    subject: str
    trailers: Mapping[str, str]
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FileStat:
    """Lines that were added to and removed from a file; both None where it is binary."""

    path: str
    added: int | None
    removed: int | None


@dataclass(frozen=True, slots=True)
class MergeResult:
    """Outcome of a merge: either the commit, or the files in which both sides changed the same lines.

    Attributes:
        commit: The merged commit.
        conflicts: The files in conflict.
        shown: Text of those of them that are text, with git's marks around what is in conflict.
    """

    commit: str | None
    conflicts: tuple[str, ...] = ()
    shown: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Signature:
    """Who signs commits: a name, an e-mail address, and a date (None: now)."""

    name: str = _OWN_NAME
    email: str = _OWN_EMAIL
    date: str | None = None

    def at(self, date: str | None) -> Signature:
        """The signature of one commit; a fixed date comes with a fixed name, so that a replay repeats the ids."""
        return self if date is None else Signature(date=date)

    @property
    def env(self) -> dict[str, str]:
        """The variables that tell git."""
        env = {f"GIT_{role}_NAME": self.name for role in ("AUTHOR", "COMMITTER")}
        env |= {f"GIT_{role}_EMAIL": self.email for role in ("AUTHOR", "COMMITTER")}
        if self.date is not None:
            env |= {"GIT_AUTHOR_DATE": self.date, "GIT_COMMITTER_DATE": self.date, "TZ": "UTC"}
        return env


@dataclass(frozen=True, slots=True)
class GitObjects:
    """Reads and writes commits, trees and refs through a :class:`GitCommand`."""

    git: GitCommand
    signature: Signature = field(default_factory=Signature)

    def find(self, ref: str) -> str | None:
        """Id of the commit that a ref names; None where there is none."""
        code, stdout = self.git.output(
            "rev-parse", "--verify", "--quiet", "--end-of-options", ref + "^{commit}", accept=(0, 1)
        )
        return stdout.decode().strip() if code == 0 else None

    def commit_id(self, ref: str) -> str:
        """Id of the commit that a ref names.

        Raises:
            WorkspaceError: There is none.
        """
        found = self.find(ref)
        if found is None:
            raise WorkspaceError(f"{ref} is not in the repository", next_step="Name a branch or commit that exists")
        return found

    def tree(self, ref: str) -> str:
        """Id of a commit's tree."""
        return self.git.text("rev-parse", "--verify", "--end-of-options", ref + "^{tree}")

    def empty_tree(self) -> str:
        """Id of the tree without files."""
        return self.git.text("mktree")

    def contains(self, newer: str, older: str) -> bool:
        """Whether a commit is another one or follows it."""
        return self.git.holds("merge-base", "--is-ancestor", older, newer)

    def move(self, ref: str, new: str, old: str | None) -> None:
        """Set a ref, provided that it still is ``old`` (None: does not exist).

        Raises:
            WorkspaceError: Another process moved it meanwhile.
        """
        self.git.output("update-ref", "-m", "agentinfra", ref, new, old or "")

    def commit(self, tree: str, parents: Sequence[str], message: str, date: str | None) -> str:
        """Write a commit; no ref is moved."""
        signed = self.git.with_env(self.signature.at(date).env)
        lineage = [word for parent in parents for word in ("-p", parent)]
        return signed.text("commit-tree", tree, *lineage, "-F", "-", stdin=message.encode(errors="replace"))

    def three_way(self, base: str, ours: str, theirs: str, *, by_lines: bool = False) -> tuple[str, tuple[str, ...]]:
        """Merge the trees of three commits; Python files by their statements where lines conflict.

        Args:
            base: The commit that both sides come from.
            ours: One side.
            theirs: The other side.
            by_lines: Also merge changes that merely touch each other, ours first; only for what is tested afterwards,
                or takes back what was merged.

        Returns:
            The merged tree and the files in conflict; with conflicts the tree holds git's marks in their place.
        """
        root = self.root(base)
        return self.merge_sides(self.side(ours, root), self.side(theirs, root), by_lines=by_lines)

    def root(self, base: str) -> str:
        """A commit of the base's tree that exists nowhere else: git 2.39 cannot be told the base of a tree merge."""
        return self.commit(base + "^{tree}", (), "base", "@0 +0000")

    def side(self, commit: str, root: str) -> str:
        """A commit's tree as a side of a merge from that root."""
        return self.commit(commit + "^{tree}", (root,), "side", "@0 +0000")

    def merge_sides(self, ours: str, theirs: str, *, by_lines: bool) -> tuple[str, tuple[str, ...]]:
        """Merge two sides that :meth:`side` made; see :meth:`three_way`."""
        options = ("--write-tree", "--no-messages", "-z")
        tree, *stages = split_items(self.git.output("merge-tree", *options, ours, theirs, accept=(0, 1))[1])
        if not stages:
            return tree, ()
        conflicts = _conflicts(stages)
        merged = self._merged_files(conflicts, by_lines)
        left = tuple(path for path in conflicts if path not in merged)
        if not left:
            modes = {path: versions[min({2, 3} & set(versions))].mode for path, versions in conflicts.items()}
            tree = self._written(tree, merged, modes)
        return tree, left

    def _merged_files(self, conflicts: Mapping[str, Mapping[int, _Version]], by_lines: bool) -> dict[str, str]:
        """Files merged by their statements: functions that two tasks put side by side are no conflict.

        A module that one side removed is an empty one: what the other side added to it stays.
        """
        mergeable = {
            path: versions
            for path, versions in conflicts.items()
            if ({2, 3} <= set(versions) or (path.endswith(".py") and {2, 3} & set(versions)))
            and all(version.mode.startswith("100") for version in versions.values())
        }
        blobs = self._blobs({version.blob for versions in mergeable.values() for version in versions.values()})
        merged: dict[str, str] = {}
        for path, versions in mergeable.items():
            texts = [blobs[versions[stage].blob] if stage in versions else "" for stage in (1, 2, 3)]
            text = _merged_text(path, texts, by_lines)
            if text is not None:
                merged[path] = text
        return merged

    def _blobs(self, ids: set[str]) -> dict[str, str | None]:
        """Texts of blobs by id; None where one is no text."""
        if not ids:
            return {}
        stdout = self.git.output("cat-file", "--batch", stdin="".join(f"{one}\n" for one in ids).encode())[1]
        found: dict[str, str | None] = {}
        while stdout:
            header, _, stdout = stdout.partition(b"\n")
            name, _, size = header.decode().split(" ")
            found[name] = _text_of(stdout[: int(size)])
            stdout = stdout[int(size) + 1 :]
        return found

    def conflict_texts(self, tree: str, paths: Sequence[str]) -> dict[str, str]:
        """What a merge with conflicts left in the files that are text."""
        texts: dict[str, str] = {}
        for path in paths:
            code, stdout = self.git.output("cat-file", "blob", f"{tree}:{path}", accept=(0, 128))
            if code == 0 and b"\0" not in stdout:
                texts[path] = stdout.decode(errors="replace")
        return texts

    def tree_with(self, ref: str, files: Mapping[str, str]) -> str:
        """Id of a commit's tree with the given files (path to text) put in.

        Raises:
            WorkspaceError: git refuses a path, such as one that leads outside or into ``.git``.
        """
        modes = {entry.path: entry.mode for entry in self._entries(ref)}
        return self._written(self.commit_id(ref), files, modes)

    def _written(self, tree: str, files: Mapping[str, str], modes: Mapping[str, str]) -> str:
        with tempfile.TemporaryDirectory(prefix="agentinfra-index-") as folder:
            git = self.git.with_index(Path(folder) / "index")
            git.output("read-tree", tree)
            for path, text in files.items():
                blob = git.text("hash-object", "-w", "--stdin", stdin=text.encode())
                git.output("update-index", "--add", "--cacheinfo", f"{modes.get(path, '100644')},{blob},{path}")
            return git.text("write-tree")

    def read_file(self, ref: str, path: str) -> str:
        """Text of a file in a commit.

        Raises:
            WorkspaceError: It is not there or is no text.
        """
        if path not in self.list_files(ref):
            raise WorkspaceError(f"{path} is not in {ref}", next_step="List the commit's files to see what is there")
        try:
            return self.git.output("cat-file", "blob", f"{self.commit_id(ref)}:{path}")[1].decode()
        except UnicodeDecodeError as error:
            raise WorkspaceError(f"{path} in {ref} is not text", why=str(error)) from error

    def list_files(self, ref: str) -> tuple[str, ...]:
        """Paths of the regular files of a commit, sorted; links and submodules are left out."""
        return tuple(entry.path for entry in self._entries(ref) if entry.mode.startswith("100"))

    def file_sizes(self, ref: str) -> dict[str, int]:
        """Sizes in bytes of the regular files of a commit, by path; links and submodules are left out."""
        items = self.git.items("ls-tree", "-r", "-l", "-z", "--full-tree", self.commit_id(ref))
        split = [(path, *entry.split()) for entry, _, path in (item.partition("\t") for item in items)]
        return {path: int(size) for path, mode, _, _, size in split if mode.startswith("100")}

    def log(self, start: str, end: str) -> list[CommitInfo]:
        """Commits that are in ``end`` and not in ``start``, oldest first."""
        return self._log((f"{start}..{end}", "--"))

    def history(self, ref: str) -> list[CommitInfo]:
        """All commits that a commit comes from, itself included, oldest first."""
        return self._log((self.commit_id(ref), "--"))

    def blame(self, ref: str, path: str) -> tuple[str, ...]:
        """The commit that brought each line of a file, first line first."""
        stdout = self.git.output("blame", "--porcelain", "--root", self.commit_id(ref), "--", path)[1]
        found = (_BLAMED.fullmatch(line) for line in stdout.splitlines())
        return tuple(line[1].decode() for line in found if line)

    def _log(self, span: tuple[str, ...]) -> list[CommitInfo]:
        records = self.git.items("log", "-z", "--topo-order", "--reverse", "--no-decorate", "--format=%H%n%B", *span)
        commits = [_commit_info(*record.partition("\n")[::2]) for record in records]
        files = self._changed_files([commit.sha for commit in commits])
        return [CommitInfo(c.sha, c.subject, c.trailers, files.get(c.sha, ())) for c in commits]

    def message(self, sha: str) -> str:
        """A commit's full message."""
        return self.git.text("log", "-1", "--format=%B", "--end-of-options", sha, "--")

    def diff_stat(self, old: str, new: str) -> tuple[FileStat, ...]:
        """Lines added and removed between two commits, by file."""
        shas = (self.commit_id(old), self.commit_id(new))
        items = self.git.items("diff-tree", "-r", "-z", "--numstat", "--no-renames", "--no-ext-diff", *shas, "--")
        return tuple(_file_stat(item) for item in items)

    def _entries(self, ref: str) -> list[_TreeEntry]:
        items = self.git.items("ls-tree", "-r", "-z", "--full-tree", self.commit_id(ref))
        split = [item.partition("\t") for item in items]
        return [_TreeEntry(path, kind.split(" ")[0]) for kind, _, path in split]

    def _changed_files(self, shas: list[str]) -> dict[str, tuple[str, ...]]:
        options = ("--stdin", "-r", "-z", "--root", "-m", "--first-parent", "--name-only", "--no-renames")
        items = self.git.items("diff-tree", *options, stdin="".join(f"{sha}\n" for sha in shas).encode())
        found: dict[str, tuple[str, ...]] = {}
        current = ""
        for item in items:
            if item in shas:
                current = item
            else:
                found[current] = (*found.get(current, ()), item)
        return found


@dataclass(frozen=True, slots=True)
class _TreeEntry:
    path: str
    mode: str


@dataclass(frozen=True, slots=True)
class _Version:
    """One of up to three versions of a file in conflict."""

    mode: str
    blob: str


def _conflicts(stages: Sequence[str]) -> dict[str, dict[int, _Version]]:
    """Versions by stage (1 the base, 2 ours, 3 theirs) of every file in conflict, by path."""
    found: dict[str, dict[int, _Version]] = {}
    for entry in stages:
        about, _, path = entry.partition("\t")
        mode, blob, stage = about.split(" ")
        found.setdefault(path, {})[int(stage)] = _Version(mode, blob)
    return found


def _merged_text(path: str, texts: Sequence[str | None], by_lines: bool) -> str | None:
    base, ours, theirs = texts
    if base is None or ours is None or theirs is None:
        return None
    merged = merge_modules(base, ours, theirs) if path.endswith(".py") else None
    if merged is None and by_lines and base and ours and theirs:
        return merge_lines(path, base, ours, theirs)
    return merged


def _text_of(data: bytes) -> str | None:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def with_trailers(text: str, trailers: Mapping[str, str]) -> str:
    """A commit message that ends in the given trailers, empty ones left out; no line of the text becomes one."""
    lines = [f"{key}: {' '.join(value.split())}" for key, value in trailers.items() if value.strip()]
    return "\n\n".join(part for part in (text.strip(), "\n".join(lines)) if part) + "\n"


def split_trailers(message: str) -> tuple[str, dict[str, str]]:
    """Text and trailers of a commit message; trailers are the last paragraph, if every line of it is ``Key: value``."""
    text, _, last = message.strip().rpartition("\n\n")
    found = [_TRAILER.fullmatch(line) for line in last.splitlines()]
    if not text or not all(found):
        return message.strip(), {}
    return text, {line[1]: line[2] for line in found if line}


def _commit_info(sha: str, message: str) -> CommitInfo:
    return CommitInfo(sha, message.partition("\n")[0], split_trailers(message)[1])


def _file_stat(item: str) -> FileStat:
    added, removed, path = item.split("\t", 2)
    return FileStat(path, None if added == "-" else int(added), None if removed == "-" else int(removed))
