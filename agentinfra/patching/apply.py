"""Write, delete and move many files so that all of them change or none does, a crash in the middle included.

New contents and copies of the old ones are staged in one folder inside the tree, a journal names what is about to be
replaced, then every file is renamed into place or unlinked. The journal is deleted last: while it is there,
:func:`recover` (called by the next patch, too) puts the old files back.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import shutil
import stat
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from agentinfra.core.errors import PatchError
from agentinfra.patching.gate import STAGING, canonical_path, check_paths, check_size

_JOURNAL = "journal.json"
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class TreeChange:
    """What changes in a tree.

    Attributes:
        files: New text by path relative to the root; None for a file that goes.
        moved: For files that were elsewhere before, their old path by the new one: they keep their mode.
    """

    files: Mapping[str, str | None]
    moved: Mapping[str, str] = field(default_factory=dict[str, str])


async def apply_files(root: Path, files: Mapping[str, str | None]) -> None:
    """Write and delete files of a tree: all of them, or none.

    Args:
        root: The tree; it must exist.
        files: Text by path relative to the root, None to delete; folders are made and removed as needed.

    Raises:
        PatchError: A path or size is refused, another patch is being applied, or the disk failed; the tree is as
            before.
    """
    change = TreeChange(dict(files))
    await apply_made(root, lambda: change)


async def apply_made(root: Path, make: Callable[[], TreeChange]) -> None:
    """Make a change out of the tree as it is, and apply it before anyone else can.

    Args:
        root: The tree; it must exist.
        make: Reads the tree and says what changes; it runs in a thread, holding the tree's lock.

    Raises:
        PatchError: As from :func:`apply_files`, or raised by ``make``; the tree is as before.
    """
    await _finish(asyncio.create_task(asyncio.to_thread(_apply, root, make)))


async def recover(root: Path) -> bool:
    """Undo a patch that a crash left half applied.

    Returns:
        Whether there was one.

    Raises:
        PatchError: Another patch is being applied, or the disk failed.
    """
    return await _finish(asyncio.create_task(asyncio.to_thread(_recover_alone, root)))


async def _finish(task: asyncio.Task[Any]) -> Any:
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        # A thread cannot be stopped: wait for it, so that nothing changes the tree behind a cancelled caller's back.
        with contextlib.suppress(PatchError):
            await task
        raise


def _apply(root: Path, make: Callable[[], TreeChange]) -> None:
    with _locked(root) as root_fd:
        _recover(root, root_fd)
        change = make()
        check_size({path: text for path, text in change.files.items() if text is not None})
        # The lock is held from here on, so what is checked is what is written.
        names = check_paths(root, change.files)
        contents = {names[path]: None if text is None else _encoded(path, text) for path, text in change.files.items()}
        if not contents:
            return
        with _undone_on_failure(root, root_fd):
            _stage(root, contents, change.moved)
            for index, (name, content) in enumerate(contents.items()):
                if content is None:
                    _unlink(root_fd, name)
                else:
                    _move(root_fd, f"{STAGING}/new-{index}", name)
        (root / STAGING / _JOURNAL).unlink()
        _remove_empty(root_fd, (name for name, content in contents.items() if content is None))
        _clear(root)


def _encoded(path: str, text: str) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        why = f"{path} holds half a character at position {error.start}"
        raise PatchError("The files could not be written", why=why, next_step="Send that file again") from error


@contextlib.contextmanager
def _locked(root: Path) -> Generator[int]:
    try:
        root_fd = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise _failure(error) from error
    try:
        fcntl.flock(root_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield root_fd
    except BlockingIOError as error:
        raise PatchError("Another patch is being applied here", next_step="Apply this one after it") from error
    except OSError as error:
        raise _failure(error) from error
    finally:
        os.close(root_fd)


def _failure(error: OSError) -> PatchError:
    why = f"{error.strerror or error} ({error.filename})" if error.filename else str(error.strerror or error)
    return PatchError(
        "The files could not be written", why=why, next_step="Nothing was changed; free the cause and retry"
    )


@contextlib.contextmanager
def _undone_on_failure(root: Path, root_fd: int) -> Generator[None]:
    try:
        yield
    except BaseException:
        _recover(root, root_fd)
        raise


def _stage(root: Path, contents: Mapping[str, bytes | None], moved: Mapping[str, str]) -> None:
    staging = root / STAGING
    staging.mkdir(mode=0o700)
    entries: list[dict[str, object]] = []
    for index, (name, content) in enumerate(contents.items()):
        mode = _mode(root, name)
        if content is not None:
            _stage_new(f"{staging}/new-{index}", content, _mode(root, moved.get(name, name)) if mode is None else mode)
        elif mode is None:
            raise PatchError(f"{name} cannot be deleted", why="there is no such file", next_step="Leave it out")
        if mode is not None:
            _keep_old(f"{root}/{name}", f"{staging}/old-{index}")
        entries.append({"path": name, "existed": mode is not None})
    parents = {str(folder) for name in contents for folder in PurePosixPath(name).parents}
    folders = sorted(folder for folder in parents if not (root / folder).exists())
    journal = staging / f"{_JOURNAL}.part"
    with journal.open("w", encoding="utf-8") as stream:
        json.dump({"entries": entries, "folders": folders}, stream)
        stream.flush()
        os.fsync(stream.fileno())
    journal.rename(staging / _JOURNAL)


def _mode(root: Path, name: str) -> int | None:
    """The permissions of an ordinary file; None where there is none."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        mode = os.lstat(f"{root}/{name}").st_mode
        return stat.S_IMODE(mode) if stat.S_ISREG(mode) else None
    return None


def _keep_old(target: str, old: str) -> None:
    try:
        os.link(target, old)  # the file itself, with all that belongs to it, and at once
    except OSError:  # a file system without links, or a file of somebody else
        shutil.copy2(target, old)


def _stage_new(new: str, content: bytes, mode: int | None) -> None:
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        while content:
            content = content[os.write(descriptor, content) :]
        if mode is not None:
            os.fchmod(descriptor, mode)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _parent(root_fd: int, path: str) -> Generator[tuple[int, str]]:
    """Enter the folder of a path, making missing ones on the way and never going through a link."""
    *folders, name = path.split("/")
    entered = [root_fd]
    try:
        for folder in folders:
            entered.append(_entered(folder, entered[-1]))
        yield entered[-1], name
    finally:
        for parent in entered[1:]:
            os.close(parent)


def _entered(folder: str, parent: int) -> int:
    try:
        return os.open(folder, _DIRECTORY, dir_fd=parent)
    except FileNotFoundError:
        os.mkdir(folder, dir_fd=parent)
        return os.open(folder, _DIRECTORY, dir_fd=parent)


def _move(root_fd: int, source: str, target: str) -> None:
    with _parent(root_fd, target) as (parent, name):
        os.rename(source, name, src_dir_fd=root_fd, dst_dir_fd=parent)


def _unlink(root_fd: int, path: str) -> None:
    with _parent(root_fd, path) as (parent, name):
        os.unlink(name, dir_fd=parent)


def _remove_empty(root_fd: int, deleted: Iterable[str]) -> None:
    """Remove the folders that deleted files have left empty; one that is not stays, and those above it."""
    for path in deleted:
        with contextlib.suppress(OSError):
            for folder in PurePosixPath(path).parents[:-1]:
                with _parent(root_fd, str(folder)) as (parent, name):
                    os.rmdir(name, dir_fd=parent)


def _recover_alone(root: Path) -> bool:
    with _locked(root) as root_fd:
        return _recover(root, root_fd)


def _recover(root: Path, root_fd: int) -> bool:
    """Put back what the journal names; without a journal nothing was replaced yet."""
    journal = root / STAGING / _JOURNAL
    found = journal.is_file()
    if found:
        entries, folders = _read_journal(journal)
        for index, (path, existed) in enumerate(entries):
            _put_back(root, root_fd, index, path, existed=existed)
        for folder in reversed(folders):
            with contextlib.suppress(OSError), _parent(root_fd, folder) as (parent, name):
                os.rmdir(name, dir_fd=parent)
        journal.unlink()
    _clear(root)
    return found


def _read_journal(journal: Path) -> tuple[list[tuple[str, bool]], list[str]]:
    """Read the journal with the gate's eyes: a cloned repository may bring one along that we did not write."""
    try:
        written: dict[str, Any] = json.loads(journal.read_text(encoding="utf-8"))
        entries = [(canonical_path(str(entry["path"])), bool(entry["existed"])) for entry in written["entries"]]
        return entries, [canonical_path(str(folder)) for folder in written["folders"]]
    except (ValueError, KeyError, TypeError, PatchError) as error:
        why = f"{STAGING}/{_JOURNAL} is not one that this program wrote"
        raise PatchError("A half-applied patch cannot be undone", why=why, next_step=f"Remove {STAGING}") from error


def _put_back(root: Path, root_fd: int, index: int, path: str, *, existed: bool) -> None:
    if existed:
        # Where the old copy is gone, an earlier recovery has put it back already.
        if (root / STAGING / f"old-{index}").is_file():
            _move(root_fd, f"{STAGING}/old-{index}", path)
    elif not (root / STAGING / f"new-{index}").exists():
        with contextlib.suppress(FileNotFoundError):
            _unlink(root_fd, path)


def _clear(root: Path) -> None:
    staging = root / STAGING
    if staging.is_dir():
        shutil.rmtree(staging)
