"""Ignore rules as git reads them: ``.gitignore`` of every folder, ``.git/info/exclude``, and two of our own."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from agentinfra.memory.regular_file import read_regular

MAX_BYTES = 1_000_000
"""Of an ignore file; one that is larger has no rules."""
OUR_FILE = ".agentinfraignore"
IGNORE_FILES = (".gitignore", OUR_FILE)
"""Read in every folder; the second one counts more than any of the first."""
BUILT_IN = (
    *("node_modules/", "bower_components/", ".venv/", "venv/", "site-packages/", "*.egg-info/", ".eggs/"),
    *("vendor/", "third_party/", "dist/", "build/", "coverage/", "htmlcov/", ".next/", ".nuxt/", ".svelte-kit/"),
    *("__pycache__/", ".*_cache/", ".tox/", ".nox/", ".hypothesis/", ".ipynb_checkpoints/", ".turbo/", ".gradle/"),
    *(".hg/", ".svn/", ".idea/", ".terraform/", "*.pyc", "*.min.js", "*.min.css", "*.map"),
    *("*.lock", "package-lock.json", "npm-shrinkwrap.json", "pnpm-lock.yaml", "bun.lockb", "go.sum"),
)
"""Vendored and built folders, caches and lock files; only a ``!`` rule in an .agentinfraignore brings them back."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of an ignore file.

    Attributes:
        pattern: As it stands there.
        ignores: False for a line that begins with "!".
        folders_only: Whether it ends with "/".
        by_name: Whether it looks at the name alone, at any depth.
        regex: What it matches.
    """

    pattern: str
    ignores: bool
    folders_only: bool
    by_name: bool
    regex: re.Pattern[str]


class Rules:
    """The rules of one source; of those that match, the last one decides.

    Args:
        lines: As they stand in an ignore file.
        source: What is told to people about where they come from.
    """

    def __init__(self, lines: Iterable[str], source: str) -> None:
        self.source = source
        parsed = [rule for line in lines if (rule := parse_rule(line))]
        self._last_first = parsed[::-1]

    def decide(self, path: str, is_folder: bool) -> Rule | None:
        """The rule that decides about a path, relative to the folder that the rules are for; None where none does."""
        name = path.rpartition("/")[2]
        for rule in self._last_first:
            if (is_folder or not rule.folders_only) and rule.regex.fullmatch(name if rule.by_name else path):
                return rule
        return None


@dataclass(frozen=True, slots=True)
class Level:
    """Rules, and how a path of the workspace becomes one of theirs: so many characters off, this much put before."""

    rules: Rules
    cut: int = 0
    before: str = ""


@dataclass(frozen=True, slots=True)
class Chain:
    """All that has a say in one folder, the strongest first: our own files, the built-in rules, git's files."""

    ours: tuple[Level, ...]
    built_in: Level
    git: tuple[Level, ...]

    def reason(self, path: str, *, is_folder: bool) -> str | None:
        """Why a path is left out, none of whose folders are; None where it is not."""
        for level in (*self.ours, self.built_in, *self.git):
            rule = level.rules.decide(level.before + path[level.cut :], is_folder)
            if rule is not None:
                return f"ignored by {level.rules.source}: {rule.pattern}" if rule.ignores else None
        return None


def root_chain(root: Path) -> Chain:
    """What holds at a workspace's root: its own files, those of the repository about it, and the built-in rules."""
    chain = Chain((), Level(_built_in()), ())
    top = next((folder for folder in (root, *root.parents) if (folder / ".git").exists()), root)
    exclude = _load(_git_folder(top) / "info" / "exclude", ".git/info/exclude")
    if exclude is not None:
        chain = replace(chain, git=(Level(exclude, before=_path_under(top, root)),))
    for folder in reversed((root, *root.parents)):
        if folder.is_relative_to(top):
            chain = extended(chain, folder, "", before=_path_under(folder, root))
    return chain


def extended(chain: Chain, folder: Path, path: str, *, before: str = "") -> Chain:
    """The chain with the ignore files of a folder before it.

    Args:
        chain: What holds in the folder above.
        folder: Where the files are.
        path: The folder's, relative to the workspace's root; "" for the root.
        before: The workspace's path in the folder, where the folder is above the workspace.
    """
    for name in IGNORE_FILES:
        rules = _load(folder / name, f"{path}/{name}" if path else name)
        if rules is not None:
            level = Level(rules, len(path) + 1 if path else 0, before)
            ours, git = ((level,), ()) if name == OUR_FILE else ((), (level,))
            chain = replace(chain, ours=(*ours, *chain.ours), git=(*git, *chain.git))
    return chain


def _path_under(folder: Path, root: Path) -> str:
    return "" if folder == root else f"{root.relative_to(folder).as_posix()}/"


def parse_rule(line: str) -> Rule | None:
    """A line of an ignore file; None where it is empty, a comment, or can match nothing."""
    pattern = _without_blanks(line.removesuffix("\n").removesuffix("\r"))
    if not pattern or pattern.startswith("#"):
        return None
    body = pattern.removeprefix("!")
    folders_only = body.endswith("/")
    body = body[:-1] if folders_only else body
    by_name = "/" not in body
    regex = _regex(body.removeprefix("/"))
    if regex is None or not body:
        return None
    return Rule(pattern, not pattern.startswith("!"), folders_only, by_name, regex)


def _without_blanks(line: str) -> str:
    """Blanks at the end do not count, unless the last one has a backslash before it."""
    end = len(line)
    while end and line[end - 1] == " " and not (end > 1 and line[end - 2] == "\\"):
        end -= 1
    return line[:end]


_TOKEN = re.compile(
    r"(?P<folders>(?:(?<=/)|\A)\*\*/)|(?P<any>\*+)|(?P<one>\?)|(?P<set>\[[!^]?\]?(?:\\.|[^\]\\])*\])|\\(?P<escaped>.)|(?P<plain>.)",
    re.S,
)


def _regex(body: str) -> re.Pattern[str] | None:
    """The expression for a pattern without its marks; None where it can match nothing."""
    parts: list[str] = []
    for token in _TOKEN.finditer(body):
        text = token[0]
        if text in {"[", "\\"}:  # a bracket that is never closed, a backslash with nothing behind it
            return None
        if token["folders"]:
            parts.append("(?:.*/)?")
        elif token["any"]:
            parts.append(_stars(body, token.start(), token.end()))
        elif token["one"]:
            parts.append("[^/]")
        elif token["set"]:
            parts.append(_set(text))
        else:
            parts.append(re.escape(token["escaped"] or text))
    try:
        return re.compile("".join(parts), re.DOTALL)
    except re.error:
        return None


def _stars(body: str, start: int, end: int) -> str:
    """Two stars behind the last slash stand for all that is inside; others for anything but a slash."""
    inside = end - start == 2 and end == len(body) and (start == 0 or body[start - 1] == "/")
    return ".+" if inside else "[^/]*"


def _set(text: str) -> str:
    negated = text[1] in "!^"
    inner = text[2 if negated else 1 : -1]
    inner = re.sub(r"\\(.)|([\[\]^&~|])", lambda match: re.escape(match[1] or match[2]), inner)
    return f"(?!/)[{'^' if negated else ''}{inner}]"


def _git_folder(top: Path) -> Path:
    """The folder with a repository's own files; for a linked worktree that of the main one."""
    folder = top / ".git"
    if folder.is_file():
        folder = top / _read(folder).strip().removeprefix("gitdir: ")
        common = _read(folder / "commondir").strip()
        folder = folder / common if common else folder
    return folder


def _read(path: Path) -> str:
    try:
        return os.fsdecode(read_regular(path, MAX_BYTES, follow=True)[1].removeprefix(b"\xef\xbb\xbf"))
    except OSError:
        return ""


def _load(path: Path, source: str) -> Rules | None:
    try:
        stat = path.stat(follow_symlinks=False)
    except OSError:
        return None
    return _parsed(path, source, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=1024)
def _parsed(path: Path, source: str, _mtime_ns: int, _size: int) -> Rules:
    return Rules(_read(path).split("\n"), source)


@lru_cache(maxsize=1)
def _built_in() -> Rules:
    return Rules(BUILT_IN, "the built-in rules")
