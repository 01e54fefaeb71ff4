"""What became of paths that are said to have changed."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from stat import S_ISDIR, S_ISREG

from agentinfra.memory.ignore_rules import IGNORE_FILES
from agentinfra.memory.regular_file import changed_ns
from agentinfra.memory.workspace_files import WorkspaceFile, ignored_reason, list_files


@dataclass
class Changed:
    """Files to look at, and paths that are no files of the index any more."""

    files: list[WorkspaceFile] = field(default_factory=list[WorkspaceFile])
    gone: set[str] = field(default_factory=set[str])


def look(root: Path, paths: Iterable[str], known: Collection[str]) -> Changed | None:
    """See what the paths are now.

    Args:
        root: The workspace's root.
        paths: Files and folders, relative to it; also such as are gone, or were never there.
        known: Files that are in the index; enough are these paths, and what is in folders of these names.

    Returns:
        What there is to do; None where rules changed by which files are ignored, so that everything is to be looked at.
    """
    changed, folders = Changed(), set[str]()
    for path in set(paths):
        if path.rpartition("/")[2] in IGNORE_FILES:
            return None
        try:
            stat = (root / path).lstat()
        except (OSError, ValueError):
            changed.gone |= _below(path, known)
            continue
        if S_ISDIR(stat.st_mode):
            folders.add(path)
        elif S_ISREG(stat.st_mode) and ignored_reason(root, path) is None:
            changed.files.append(WorkspaceFile(path, changed_ns(stat), stat.st_size))
        else:
            changed.gone |= _below(path, known)
    if folders:
        _look_below(root, folders, known, changed)
    return changed


def _below(path: str, known: Collection[str]) -> set[str]:
    return {one for one in known if one == path or one.startswith(f"{path}/")}


def _look_below(root: Path, folders: Collection[str], known: Collection[str], changed: Changed) -> None:
    found = {one.path: one for one in changed.files}
    for folder in folders:
        found |= {one.path: one for one in list_files(root, below=folder)}
    prefixes = tuple(f"{folder}/" for folder in folders)
    changed.files = list(found.values())
    changed.gone |= {path for path in known if path.startswith(prefixes) and path not in found}
