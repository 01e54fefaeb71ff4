"""Questions out of a git history: what a commit says it does; the answers are the files that it changed.

Each is asked of the tree before the commit, so that nothing of the answer is in it.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from agentinfra.memory.chunk import ParsedFile
from agentinfra.memory.parsing.languages import language_of
from agentinfra.memory.parsing.parser import parse_file

MOST_FILES = 20
"""A commit that changes more says too little of each."""
LEAST_WORDS = 4
_LARGEST = 200_000
_GIT_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Step:
    """A commit.

    Attributes:
        subject: The first line of its message.
        answers: The files of the tree before it that it changed.
        tree: All files of the tree before it.
    """

    subject: str
    answers: frozenset[str]
    tree: dict[str, ParsedFile]


@dataclass(slots=True)
class _Tree:
    """A tree that follows the history; blobs are parsed once."""

    root: Path
    parsed: dict[tuple[str, str], ParsedFile] = field(default_factory=dict[tuple[str, str], ParsedFile])

    def at(self, commit: str) -> dict[str, ParsedFile]:
        """The files that the index understands."""
        files: dict[str, ParsedFile] = {}
        for entry in _git(self.root, "ls-tree", "-r", "-l", "-z", commit).split("\0")[:-1]:
            facts, path = entry.split("\t", 1)
            _, kind, blob, size = facts.split()
            if kind == "blob" and int(size) <= _LARGEST and language_of(path) is not None:
                files[path] = self._parse(path, blob)
        return files

    def _parse(self, path: str, blob: str) -> ParsedFile:
        if (path, blob) not in self.parsed:
            content = _git(self.root, "cat-file", "blob", blob).encode(errors="surrogateescape")
            self.parsed[path, blob] = parse_file(path, content)
        return self.parsed[path, blob]


def history(root: Path, most: int = 200) -> Iterator[Step]:
    """The commits of a repository that change few enough known files, oldest first.

    Args:
        root: The repository.
        most: How many commits to look at, from the newest back.
    """
    tree = _Tree(root)
    log = _git(root, "log", "--no-merges", "--reverse", f"-{most}", "--format=%H%x00%P%x00%s")
    for line in log.splitlines():
        commit, parent, subject = line.split("\0")
        if not parent or len(subject.split()) < LEAST_WORDS:
            continue
        changed = _git(root, "diff-tree", "-r", "-z", "--no-renames", "--name-only", parent, commit).split("\0")
        if len(changed) - 1 <= MOST_FILES:
            before = tree.at(parent)
            answers = frozenset(before.keys() & set(changed))
            if answers:
                yield Step(subject, answers, before)


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(root), *arguments], check=True, capture_output=True, timeout=_GIT_SECONDS)
    return done.stdout.decode(errors="surrogateescape")
