"""Apply a patch to a tree: all its files, or none."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from agentinfra.core.errors import PatchError
from agentinfra.patching.apply import TreeChange, apply_made
from agentinfra.patching.draft import Draft, FileResult, draft
from agentinfra.patching.gate import MAX_FILE_BYTES, check_path
from agentinfra.patching.patch import Patch

_LOOKED_AT = 5_000  # files that are looked at for a name like the one that is missing
_NAMED = 3


@dataclass(frozen=True, slots=True)
class PatchResult:
    """What a patch did.

    Attributes:
        files: One entry for each edit, in the order of the patch.
        notes: What was read over, and why.
        dry_run: Whether nothing was written.
    """

    files: tuple[FileResult, ...]
    notes: tuple[str, ...] = ()
    dry_run: bool = False


async def apply_patch(root: Path, patch: Patch, *, dry_run: bool = False) -> PatchResult:
    """Apply a patch to a tree: all its files, or none.

    Args:
        root: The tree; it must exist. A patch that a crash left half applied in it is undone first.
        patch: What :func:`agentinfra.patching.read_patch.read_patch` gives.
        dry_run: Do everything but write.

    Returns:
        What became of each file, and which step of the ladder placed each hunk.

    Raises:
        PatchError: It was refused and the tree is as before; the message says for every change that does not fit what
            is near, what stands already and what to send again.
    """
    made: list[Draft] = []

    def make() -> TreeChange:
        work = draft(patch, lambda path: read_text(root, path), lambda path: _near(root, path))
        made.append(work)
        return TreeChange({} if dry_run else work.texts, work.moved)

    await apply_made(root, make)
    return PatchResult(made[0].results, patch.notes, dry_run)


def read_text(root: Path, path: str) -> str | None:
    """Text of a file of a tree, with its line ends as they are; None where there is none.

    Raises:
        PatchError: The path is refused, or it holds no text that a patch may change.
    """
    file = f"{root}/{check_path(root, path)}"
    try:
        content = _content(file)
        if len(content) > MAX_FILE_BYTES:
            raise _unfit(path, f"it has more than {MAX_FILE_BYTES} bytes")
        return content.decode("utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        raise _unfit(path, "it is no UTF-8 text") from error
    except OSError as error:
        raise _unfit(path, error.strerror or str(error)) from error


def _content(file: str) -> bytes:
    # Without a file object: it costs as much as the reading, and a patch reads many small files.
    descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        size = min(os.fstat(descriptor).st_size, MAX_FILE_BYTES) + 1
        return os.read(descriptor, size)
    finally:
        os.close(descriptor)


def _unfit(path: str, why: str) -> PatchError:
    return PatchError(f"{path} cannot be patched", why=why, next_step="Leave it out")


def _near(root: Path, path: str) -> list[str]:
    """Files of the tree that have the missing one's name."""
    name = path.rpartition("/")[2].casefold()
    found = (other for other in _files(root) if other.rpartition("/")[2].casefold() == name)
    return [other for other, _ in zip(found, range(_NAMED), strict=False)]


def _files(root: Path) -> Iterator[str]:
    left = _LOOKED_AT
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(other for other in folders if not other.startswith(".") and other != "node_modules")
        left -= len(names)
        yield from (str((Path(folder) / name).relative_to(root)) for name in sorted(names))
        if left < 0:
            return
