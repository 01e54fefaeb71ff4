"""Which files of a workspace are worth indexing, and why others are not."""

from __future__ import annotations

import codecs
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG

from agentinfra.memory.ignore_rules import IGNORE_FILES, Chain, extended, root_chain
from agentinfra.memory.regular_file import changed_ns

MAX_BYTES = 1_000_000
"""Larger files are left out."""
MAX_LINE = 2000
"""Bytes of a line that a person would still write; longer ones come from a minifier."""
_HEAD = 8_192
_PROSE = (".md", ".markdown", ".mdx", ".rst", ".txt", ".ipynb", ".tex", ".adoc")
_GENERATED = re.compile(
    rb"@generated\b|\b(auto(matically)?[- ]?|code )generated (by|from|file)\b|\bgenerated\b.*\bdo not edit\b",
    re.IGNORECASE,
)
_COMMENT = re.compile(rb"^\s*(?:#|//|/?\*|--|<!--|;|%|\"\"\")")
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
OnSkip = Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class WorkspaceFile:
    """A file that may be indexed.

    Attributes:
        path: Relative to the workspace's root, with "/" between its parts.
        mtime_ns: When it was last changed; see :func:`agentinfra.memory.regular_file.changed_ns`.
        size: Its bytes.
    """

    path: str
    mtime_ns: int
    size: int


def list_files(root: Path, on_skip: OnSkip | None = None, *, below: str = "") -> Iterator[WorkspaceFile]:
    """The regular files of a workspace that no rule ignores; symbolic links are never followed.

    What stands in the files is not looked at: ask reason_to_skip of those that are read.

    Args:
        root: The workspace's root.
        on_skip: Told the path and the reason of each file and folder that is left out.
        below: Only those in this folder, relative to the root.
    """
    skip = on_skip or _nobody
    folders = _begin(root, below, skip)
    while folders:
        path, chain = folders.pop()
        files, chain, inner = _read_folder(root, path, chain, skip)
        folders += inner
        for entry in files:
            found = _file(entry, f"{path}/{entry.name}" if path else entry.name, chain, skip)
            if found is not None:
                yield found


def list_folders(root: Path, *, below: str = "") -> Iterator[str]:
    """The folders that list_files looks into, the root itself as "".

    Each is named before it is read, so that who begins to watch it at that moment misses nothing in it.

    Args:
        root: The workspace's root.
        below: Only this folder and those in it, relative to the root.
    """
    folders = _begin(root, below, _nobody)
    while folders:
        path, chain = folders.pop()
        yield path
        folders += _read_folder(root, path, chain, _nobody)[2]


def reason_to_skip(root: Path, path: str, stat: os.stat_result, head: bytes, *, listed: bool = False) -> str | None:
    """Why a file is left out of the index; None where it is not.

    Args:
        root: The workspace's root.
        path: The file's, relative to the root.
        stat: Its kind and size, of the file itself where it is a symbolic link.
        head: Its first bytes; 8,192 are enough.
        listed: Whether list_files has just named it; the ignore rules are not asked again then.
    """
    if not S_ISREG(stat.st_mode):
        return "no regular file"
    if not listed and (ignored := ignored_reason(root, path)):
        return ignored
    if stat.st_size > MAX_BYTES:
        return f"larger than {MAX_BYTES:,} bytes"
    return reason_in_content(path, head)


def _nobody(_path: str, _reason: str) -> None:
    """Nobody wants to be told."""


def _begin(root: Path, below: str, skip: OnSkip) -> list[tuple[str, Chain]]:
    """A folder with the rules that hold about it; nothing where they leave it out, or a link leads there."""
    chain, parts = root_chain(root), below.split("/") if below else []
    for depth in range(1, len(parts) + 1):
        path = "/".join(parts[:depth])
        folder = root / path
        if folder.is_symlink() or not folder.is_dir():
            return []
        if reason := _reason_to_stay_out(str(folder), path, chain):
            skip(path, reason)
            return []
        if depth < len(parts):
            chain = extended(chain, folder, path)
    return [(below, chain)]


def _read_folder(
    root: Path, path: str, chain: Chain, skip: OnSkip
) -> tuple[list[os.DirEntry[str]], Chain, list[tuple[str, Chain]]]:
    """A folder's files, the rules that hold in it, and the folders in it that are to be read, the first one last."""
    files, folders = _sorted_entries(root, path, skip)
    if path and any(entry.name in IGNORE_FILES for entry in files):
        chain = extended(chain, root / path, path)
    inner: list[tuple[str, Chain]] = []
    for entry in reversed(folders):
        its_path = f"{path}/{entry.name}" if path else entry.name
        if reason := _reason_to_stay_out(entry.path, its_path, chain):
            skip(its_path, reason)
        else:
            inner.append((its_path, chain))
    return files, chain, inner


def _sorted_entries(root: Path, path: str, skip: OnSkip) -> tuple[list[os.DirEntry[str]], list[os.DirEntry[str]]]:
    """What is in a folder, by name: files of all kinds, and folders."""
    files: list[os.DirEntry[str]] = []
    folders: list[os.DirEntry[str]] = []
    try:
        with os.scandir(root / path) as entries:
            for entry in entries:
                (folders if entry.is_dir(follow_symlinks=False) else files).append(entry)
    except OSError as error:
        skip(path, f"cannot be read: {error.strerror}")
    return sorted(files, key=_name), sorted(folders, key=_name)


def _name(entry: os.DirEntry[str]) -> str:
    return entry.name


def _file(entry: os.DirEntry[str], path: str, chain: Chain, skip: OnSkip) -> WorkspaceFile | None:
    if path == ".git":  # of a linked worktree: says where the repository is
        return None
    reason = chain.reason(path, is_folder=False)
    if reason is None and not entry.is_file(follow_symlinks=False):
        reason = "a symbolic link" if entry.is_symlink() else "no regular file"
    if reason is not None:
        skip(path, reason)
        return None
    try:
        stat = entry.stat(follow_symlinks=False)
    except OSError:
        return None  # removed a moment ago
    return WorkspaceFile(path, changed_ns(stat), stat.st_size)


def _reason_to_stay_out(folder: str, path: str, chain: Chain) -> str | None:
    """Why nothing of a folder is listed."""
    if path.rpartition("/")[2] == ".git":
        return "the repository's own files"
    if reason := chain.reason(path, is_folder=True):
        return reason
    return "another repository or worktree" if os.path.lexists(f"{folder}/.git") else None


def ignored_reason(root: Path, path: str) -> str | None:
    """Why the rules leave a file out, or one of the folders it is in."""
    chain = root_chain(root)
    parts = path.split("/")
    for depth in range(1, len(parts)):
        folder = "/".join(parts[:depth])
        if (root / folder).is_symlink():
            return "behind a symbolic link"
        if reason := _reason_to_stay_out(str(root / folder), folder, chain):
            return reason
        chain = extended(chain, root / folder, folder)
    return chain.reason(path, is_folder=False)


def reason_in_content(path: str, data: bytes) -> str | None:
    """Why what a file holds leaves it out of the index; None where it does not.

    Args:
        path: The file's.
        data: All of it, or its first bytes; 8,192 are enough.
    """
    if len(data) > MAX_BYTES:
        return f"larger than {MAX_BYTES:,} bytes"
    head = data[:_HEAD]
    if _is_binary(head):
        return "binary"
    if _is_generated(head):
        return "generated by a program"
    if not path.lower().endswith(_PROSE) and any(len(line) > MAX_LINE for line in head.split(b"\n")):
        return "minified or data: its lines are very long"
    return None


def _is_binary(head: bytes) -> bool:
    """Whether bytes are no text: neither UTF-8, nor UTF-16 with its mark, nor a text of single bytes."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return False
    if b"\0" in head:
        return True
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)  # a character cut off at the end is no error
    except UnicodeDecodeError:
        return bool(_CONTROL.search(head)) or 3 * sum(byte > 127 for byte in head) > len(head)
    return False


def _is_generated(head: bytes) -> bool:
    """Whether a comment at the top says that a program wrote the file."""
    top = head[:1024].split(b"\n")[:12]
    return any(_COMMENT.match(line) and _GENERATED.search(line) for line in top)
