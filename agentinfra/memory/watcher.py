"""Tells which files of a workspace change, soon after they do and many at a time."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from agentinfra.memory.ignore_rules import root_chain
from agentinfra.memory.workspace_files import list_files

if TYPE_CHECKING:
    from watchdog.events import FileSystemEvent, FileSystemEventHandler
    from watchdog.observers.api import BaseObserver

QUIET_SECONDS = 0.05
LONGEST_SECONDS = 0.5
"""Steady writing is told of that often, too."""
POLL_SECONDS = 5.0
RESCAN_SECONDS = 300.0
"""However it is watched, everything is looked at that often: the system may drop events without telling."""
MOST_PATHS = 2_000
"""With more changed paths it is quicker to look at everything."""
MOST_WATCHES = 24
"""Each takes an inotify instance, of which a user has 128 by default."""
_SILENT = frozenset({"opened", "closed_no_write"})
_SHORT = (errno.ENOSPC, errno.EMFILE, errno.ENFILE)

Paths = frozenset[str]


@dataclass
class Changes:
    """Paths that changed, gathered until there is quiet.

    Attributes:
        everything: Whether all files are to be looked at.
        polling: Why changes are looked for from time to time, "" where the system tells of them.
    """

    quiet: float = QUIET_SECONDS
    longest: float = LONGEST_SECONDS
    rescan: float = RESCAN_SECONDS
    polling: str = ""
    everything: bool = False
    _paths: set[str] = field(default_factory=set[str])
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def note(self, path: str | None) -> None:
        """Take a path, or None for everything."""
        if path is None or len(self._paths) >= MOST_PATHS:
            self.everything = True
            self._paths.clear()
        elif not self.everything:
            self._paths.add(path)
        self._news.set()

    async def next(self) -> Paths | None:
        """Wait for changes, and for quiet after them; None stands for everything."""
        with suppress(TimeoutError):
            async with asyncio.timeout(POLL_SECONDS if self.polling else self.rescan):
                await self._news.wait()
        if not self._news.is_set():
            return None
        loop = asyncio.get_running_loop()
        latest = loop.time() + self.longest
        while self._news.is_set() and loop.time() < latest:
            self._news.clear()
            await asyncio.sleep(self.quiet)
        self._news.clear()
        paths, everything = frozenset(self._paths), self.everything
        self._paths.clear()
        self.everything = False
        return None if everything else paths


@asynccontextmanager
async def watching(root: Path, changes: Changes | None = None, *, polling: bool = False) -> AsyncGenerator[Changes]:
    """Watch a workspace's files.

    Folders at the top whose files are all ignored, such as ``.git`` or ``node_modules``, are not watched. Where the
    system has no watch left, changes are looked for every five seconds; ``polling`` says why.

    Args:
        root: The workspace's folder.
        changes: Gathers them; for other times than usual.
        polling: Look for changes from time to time in any case.
    """
    gathered = changes or Changes()
    if polling:
        gathered.polling = "asked for"
        yield gathered
        return
    watch = _Watch(root, gathered, asyncio.get_running_loop())
    await asyncio.to_thread(watch.start)
    try:
        yield gathered
    finally:
        await asyncio.to_thread(watch.stop)


class _Watch:
    """The system's watches on a workspace, by watchdog's threads."""

    def __init__(self, root: Path, changes: Changes, loop: asyncio.AbstractEventLoop) -> None:
        self._root = root.resolve()
        self._changes = changes
        self._loop = loop
        self._observer: BaseObserver | None = None
        self._handler: FileSystemEventHandler | None = None
        self._watched: set[str] = set()
        self._whole = False

    def start(self) -> None:
        from watchdog.observers import Observer  # noqa: PLC0415  (only where something is watched)

        folders = sorted(_folders_with_files(self._root))
        self._whole = len(folders) >= MOST_WATCHES
        self._handler = _handler(self._take)
        try:
            self._observer = Observer()
            self._observer.start()
            self._schedule("", recursive=self._whole)
            for folder in folders:
                self._schedule(folder, recursive=True)
        except OSError as error:
            if error.errno not in _SHORT:
                raise
            self.stop()
            self._changes.polling = "the system has no file watch left (fs.inotify.max_user_watches)"

    def stop(self) -> None:
        observer, self._observer = self._observer, None
        if observer is not None and observer.is_alive():
            observer.stop()
            observer.join()

    def _take(self, event: FileSystemEvent) -> None:
        """Called in watchdog's threads."""
        if event.event_type in _SILENT or (event.is_directory and event.event_type == "modified"):
            return
        for raw in (event.src_path, event.dest_path):
            path = os.fsdecode(raw)
            if path.startswith(f"{self._root}{os.sep}"):
                self._note(path[len(str(self._root)) + 1 :], is_folder=event.is_directory)

    def _note(self, path: str, *, is_folder: bool) -> None:
        top, slash, _ = path.partition(os.sep)
        if is_folder and not slash:
            with suppress(OSError):  # gone again, or no watch left: the next look at everything finds it
                self._schedule(top, recursive=True)
        if self._whole or not slash or top in self._watched:
            with suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(self._changes.note, path)

    def _schedule(self, folder: str, *, recursive: bool) -> None:
        place = self._root / folder
        is_wanted = not folder or (not self._whole and folder not in self._watched and not self._is_ignored(folder))
        if self._observer and self._handler and is_wanted and place.is_dir() and not place.is_symlink():
            self._observer.schedule(self._handler, str(place), recursive=recursive)
            self._watched.add(folder)

    def _is_ignored(self, folder: str) -> bool:
        return folder == ".git" or root_chain(self._root).reason(folder, is_folder=True) is not None


def _handler(take: Callable[[FileSystemEvent], None]) -> FileSystemEventHandler:
    from watchdog.events import FileSystemEventHandler as Handler  # noqa: PLC0415

    class Taking(Handler):
        def on_any_event(self, event: FileSystemEvent) -> None:
            take(event)

    return Taking()


def _folders_with_files(root: Path) -> Iterator[str]:
    seen: set[str] = set()
    for file in list_files(root):
        top, slash, _ = file.path.partition("/")
        if slash and top not in seen:
            seen.add(top)
            yield top
