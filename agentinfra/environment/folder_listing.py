"""Lists the files of a project folder that are the project's own."""

from __future__ import annotations

import os
import stat
from pathlib import Path

NOT_LISTED = (".git", ".venv", "venv", "node_modules", "__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache")
_MOST = 20_000


def list_files(root: Path) -> tuple[str, ...]:
    """Paths of the regular files below a folder, relative to it, forward slashes, sorted; at most 20,000.

    Links are not followed; version control, caches and installed packages are left out.
    """
    found: list[str] = []
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in NOT_LISTED)
        for name in sorted(names):
            path = Path(folder, name)
            if stat.S_ISREG(path.lstat().st_mode):
                found.append(path.relative_to(root).as_posix())
        if len(found) >= _MOST:
            break
    return tuple(sorted(found[:_MOST]))
