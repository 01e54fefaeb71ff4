"""The gate: which paths and sizes may enter a tree. Everything that is written passes here first."""

from __future__ import annotations

import os
import re
import stat
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import NoReturn

from agentinfra.core.errors import PatchError

STAGING = ".agentinfra-patch"
MAX_FILES = 500
MAX_FILE_BYTES = 1 << 20
MAX_TOTAL_BYTES = 16 << 20

_GIT_NAMES = re.compile(r"\.git|git~\d+", re.IGNORECASE)
# Files that steer editors, agents, shells and CI: they act on whoever opens the tree, so no patch writes them.
_PROTECTED = re.compile(
    r"(?:.*/)?(?:\.vscode|\.idea|\.devcontainer|\.cursor|\.claude|\.agentinfra|\.github/workflows)(?:/.*)?"
    r"|(?:.*/)?(?:[^/]*\.code-workspace|\.mcp\.json|agents\.md|\.envrc|\.gitattributes|\.gitmodules"
    r"|\.pre-commit-config\.yaml)",
    re.DOTALL,
)
_DEVICES = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE | re.DOTALL)


@lru_cache(maxsize=4096)  # a patch asks for each of its paths several times
def canonical_path(path: str) -> str:
    """Spell a path in its one canonical form, without looking at any tree.

    Raises:
        PatchError: It is not relative, leaves the tree, names git's own folder, or could mean two things.
    """
    text = unicodedata.normalize("NFC", path)
    plain = text.isascii() and text.isprintable()
    if not plain and any(unicodedata.category(char) in ("Cc", "Cf", "Cs") for char in text):
        _refuse(path, "it holds invisible characters")
    if re.search(r'[\\:*?"<>|]', text):
        _refuse(path, "it holds a backslash, colon or wildcard")
    if text.startswith(("/", "~")):
        _refuse(path, "it is not relative to the repository")
    parts = [part for part in text.split("/") if part not in ("", ".")]
    if not parts or text.endswith("/"):
        _refuse(path, "it names no file")
    for part in parts:
        _check_part(part, path)
    return "/".join(parts)


def check_path(root: Path, path: str) -> str:
    """Check one path against spelling, protected names and links.

    Args:
        root: The tree that is written into.
        path: A path relative to it, as a model or a patch gives it.

    Returns:
        The path in its one canonical form: relative, forward slashes, no "." parts, composed Unicode.

    Raises:
        PatchError: The path leaves the tree, is protected, goes through a link, or names no ordinary file.
    """
    canonical = canonical_path(path)
    folded = canonical.casefold()
    if _PROTECTED.fullmatch(folded) or folded.split("/")[0] == STAGING:
        _refuse(path, "it steers editors, agents or version control and is protected")
    _check_links(root, canonical, path)
    return canonical


def check_paths(root: Path, paths: Iterable[str]) -> dict[str, str]:
    """Check many paths that are written together.

    Returns:
        The canonical form of each, by the path as given.

    Raises:
        PatchError: One of them is refused, two are the same file on some system, or one is a folder of another.
    """
    canonical = {path: check_path(root, path) for path in paths}
    taken: dict[str, str] = {}
    for path, name in canonical.items():
        other = taken.setdefault(name.casefold(), path)
        if other != path:
            _refuse(path, f"it is the same file as '{other}' on some systems")
    for path, name in canonical.items():
        parents = name.casefold().split("/")[:-1]
        for depth in range(1, len(parents) + 1):
            if (other := taken.get("/".join(parents[:depth]))) is not None:
                _refuse(path, f"'{other}' is a file of the same patch and cannot be its folder")
    return canonical


def check_size(files: Mapping[str, str]) -> None:
    """Check number and sizes of files that are written together.

    Raises:
        PatchError: More than MAX_FILES files, MAX_FILE_BYTES in one or MAX_TOTAL_BYTES in all.
    """
    sizes = {path: len(text.encode("utf-8", "surrogatepass")) for path, text in files.items()}
    large = [path for path, size in sizes.items() if size > MAX_FILE_BYTES]
    if len(files) > MAX_FILES or sum(sizes.values()) > MAX_TOTAL_BYTES or large:
        raise PatchError(
            "The change is too large",
            why=f"{len(files)} files, {sum(sizes.values())} bytes"
            + (f", {large[0]} alone is too large" if large else ""),
            next_step=f"Keep within {MAX_FILES} files, {MAX_FILE_BYTES} bytes a file, {MAX_TOTAL_BYTES} bytes in all",
        )


def _check_part(part: str, path: str) -> None:
    if part == "..":
        _refuse(path, "it leaves the repository")
    bare = part.rstrip(". ")
    if _GIT_NAMES.fullmatch(unicodedata.normalize("NFKC", bare)):
        _refuse(path, "it lies in git's own folder")
    if bare != part or part != part.lstrip(" "):
        _refuse(path, "a part of it begins or ends with a blank or ends with a dot")
    if _DEVICES.fullmatch(part):
        _refuse(path, f"'{part}' is the name of a device on some systems")


def _check_links(root: Path, canonical: str, path: str) -> None:
    parts = canonical.split("/")
    place = os.fspath(root)
    for index, part in enumerate(parts):
        place = f"{place}/{part}"
        try:
            mode = os.lstat(place).st_mode
        except FileNotFoundError:
            return
        except OSError as error:
            _refuse(path, f"it cannot be looked at: {error.strerror}")
        last = index == len(parts) - 1
        if stat.S_ISLNK(mode):
            _refuse(path, f"'{'/'.join(parts[: index + 1])}' is a symbolic link")
        if not (stat.S_ISREG(mode) if last else stat.S_ISDIR(mode)):
            _refuse(path, f"'{'/'.join(parts[: index + 1])}' is no ordinary {'file' if last else 'folder'}")


def _refuse(path: str, why: str) -> NoReturn:
    raise PatchError(
        f"The path {path[:200]!r} is refused",
        why=why,
        next_step="Use a plain path inside the repository, such as src/app.py",
    )
