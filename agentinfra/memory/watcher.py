"""Tells which files of a workspace change, soon after they do and many at a time."""

from __future__ import annotations

import asyncio
import errno
import os
import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, cast

from agentinfra.memory.changes import Changes
from agentinfra.memory.ignore_rules import IGNORE_FILES
from agentinfra.memory.workspace_files import list_folders

if TYPE_CHECKING:
    from watchdog.observers.inotify_c import CallbackId, InotifyEvent, InotifyFD, Mask, WatchDescriptor

_SHORT = (errno.ENOSPC, errno.EMFILE, errno.ENFILE)
"""No watch, no inotify instance or no file descriptor is left."""
_LIMITS = Path("/proc/sys/fs/inotify")
_RULES = (*IGNORE_FILES, ".git")
"""What changes which files of a folder count."""


@asynccontextmanager
async def watching(root: Path, changes: Changes | None = None, *, polling: bool = False) -> AsyncGenerator[Changes]:
    """Watch a workspace's files.

    Ignored folders are not watched. Where the system has no watches left, everything is looked at from time to time;
    ``polling`` of the changes says why.

    Args:
        root: The workspace's folder.
        changes: Gathers them; for other times than usual.
        polling: Look at everything from time to time in any case.
    """
    gathered = changes or Changes()
    if polling:
        gathered.polling = "asked for"
        yield gathered
        return
    watches = await asyncio.to_thread(_begun, root, gathered)
    try:
        yield gathered
    finally:
        if watches is not None:
            await asyncio.to_thread(watches.stop)


def _begun(root: Path, changes: Changes) -> FolderWatches | None:
    """Watches on all folders; None where the system has none to give."""
    from watchdog.utils import UnsupportedLibcError  # noqa: PLC0415  (only where something is watched)

    try:
        from watchdog.observers.inotify_c import InotifyFD  # noqa: PLC0415

        watches = FolderWatches(root.resolve(), changes, InotifyFD())
    except UnsupportedLibcError:
        changes.polling = "this system has no inotify"
        return None
    except OSError as error:
        if error.errno not in _SHORT:
            raise
        changes.polling = _what_is_short(error)
        return None
    watches.start()
    return watches


class FolderWatches:
    """A watch on each folder that is not ignored, all of one inotify instance; watchdog calls from a thread of its own.

    Args:
        root: The workspace's folder.
        changes: Told what changed.
        inotify: Gives the watches.
    """

    def __init__(self, root: Path, changes: Changes, inotify: InotifyFD) -> None:
        self._root = root
        self._changes = changes
        self._inotify = inotify
        self._mask = _mask()
        self._numbers = count()
        self._lock = threading.Lock()
        self._paths: dict[WatchDescriptor, str] = {}
        self._watches: dict[str, tuple[WatchDescriptor, CallbackId]] = {}

    def start(self) -> None:
        """Watch all folders; what changes from now on is told."""
        self._inotify.start()
        with self._lock:
            self._watch_below("")

    def stop(self) -> None:
        """Give all watches back."""
        with self._lock:
            self._paths.clear()
            self._watches.clear()
        self._inotify.stop()
        self._inotify.join()

    def on_event(self, event: InotifyEvent) -> None:
        """Something changed in a folder, or a folder itself did."""
        with self._lock:
            folder = self._paths.get(event.wd)
            if folder is None:
                return
            if not event.name:
                self._note_itself(event, folder)
                return
            name = os.fsdecode(event.name)
            path = f"{folder}/{name}" if folder else name
            if name in _RULES and not event.is_attrib:
                self._renew(folder)
            if name == ".git":  # nothing in it counts, but its being there does
                self._changes.note(folder or None)
            elif not event.is_directory:
                self._changes.note(path, is_settled=event.is_close_write or event.is_moved_to)
            elif not event.is_attrib:
                self._follow_folder(event, path)

    def on_watch_deleted(self, wd: WatchDescriptor) -> None:
        """A folder is gone, and its watch with it."""
        with self._lock:
            path = self._paths.pop(wd, None)
            if path is not None and self._watches.get(path, (None,))[0] == wd:
                del self._watches[path]

    def on_queue_overflow(self) -> None:
        """Changes were lost, those of folders too."""
        with self._lock:
            self._drop(list(self._watches))
            self._watch_below("")
            self._changes.note(None)

    def _note_itself(self, event: InotifyEvent, folder: str) -> None:
        """The root is watched by its parent's parent at best: that it is gone is told by itself."""
        if not folder and (event.is_delete_self or event.is_move_self):
            self._changes.polling = "the folder was moved or removed"
            self._changes.note(None)

    def _follow_folder(self, event: InotifyEvent, path: str) -> None:
        if event.is_moved_from:
            self._drop([one for one in self._watches if one == path or one.startswith(f"{path}/")])
        elif not event.is_delete:
            self._watch_below(path)
        self._changes.note(path)  # last: who looks at the folder then sees what was in it before it was watched

    def _renew(self, folder: str) -> None:
        """Watch what is not ignored any more, and no more what is."""
        wanted = self._watch_below(folder)
        below = f"{folder}/" if folder else ""
        self._drop([one for one in self._watches if one not in wanted and (one == folder or one.startswith(below))])

    def _watch_below(self, folder: str) -> set[str]:
        wanted: set[str] = set()
        try:
            for path in list_folders(self._root, below=folder):
                wanted.add(path)
                self._watch(path)
        except OSError as error:
            if error.errno not in _SHORT:
                raise
            self._changes.polling = _what_is_short(error)
        return wanted

    def _watch(self, path: str) -> None:
        place = self._root / path
        if path in self._watches or not os.access(place, os.R_OK):
            return
        number = cast("CallbackId", next(self._numbers))
        with suppress(FileNotFoundError, NotADirectoryError):  # gone again
            wd = self._inotify.add_callback(os.fsencode(place), self._mask, self, number)
            self._paths[wd] = path
            self._watches[path] = (wd, number)

    def _drop(self, paths: list[str]) -> None:
        dropped = [self._watches.pop(path) for path in paths]
        for wd, _ in dropped:
            self._paths.pop(wd, None)
        self._inotify.remove_callbacks(dropped)


def _mask() -> Mask:
    from watchdog.observers.inotify_c import InotifyConstants, Mask  # noqa: PLC0415

    kinds = InotifyConstants
    content = kinds.IN_MODIFY | kinds.IN_CLOSE_WRITE | kinds.IN_ATTRIB
    entries = kinds.IN_CREATE | kinds.IN_DELETE | kinds.IN_MOVED_FROM | kinds.IN_MOVED_TO
    itself = kinds.IN_DELETE_SELF | kinds.IN_MOVE_SELF
    return Mask(content | entries | itself | kinds.IN_ONLYDIR | kinds.IN_DONT_FOLLOW)


def _what_is_short(error: OSError) -> str:
    name = "max_user_watches" if error.errno == errno.ENOSPC else "max_user_instances"
    try:
        limit = (_LIMITS / name).read_text().strip()
    except OSError:
        limit = "too low"
    return f"the system has no file watch left ({error.strerror}; fs.inotify.{name} is {limit})"
