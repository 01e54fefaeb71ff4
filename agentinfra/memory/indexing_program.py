"""The program of the process that keeps a workspace's index fresh; IndexingProcess starts it.

It reads commands from standard input, one JSON object a line, and ends with it. What it does it tells on standard
output, one JSON object a line.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import sys
import threading
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, get_args

from agentinfra.core.config import EmbedderName
from agentinfra.core.errors import StoreError
from agentinfra.memory.indexing_lock import follower, lock_path

if TYPE_CHECKING:
    from agentinfra.memory.index_report import Followed
    from agentinfra.memory.workspace_memory import WorkspaceMemory

NICE = 10
MOST_BYTES = 1 << 30
"""Of data. It takes far less; what runs away ends, and is started again."""
END_SECONDS = 3.0
LOOK_SECONDS = 1.0
"""Between two looks at whether another process still follows the files."""
TELL_SECONDS = 0.1
MOST_COMMANDS = 64
RETRY_SECONDS = (1.0, 60.0)

Command = dict[str, Any]


class IndexingProgram:
    """Follows the files, and takes in what editors have not saved.

    Args:
        root: The workspace's folder.
        data: The user's data folder.
        embedder: What gives vectors.
        polling: Whether to look for changes from time to time, instead of being told by the system.
        out: Where to tell what is done.
    """

    def __init__(self, root: Path, data: Path, *, embedder: EmbedderName, polling: bool, out: TextIO) -> None:
        self._root, self._data = root, data
        self._embedder: EmbedderName = embedder
        self._polling = polling
        self._out = out
        self._told = 0.0

    async def run(self) -> None:
        """Work until standard input ends."""
        commands = asyncio.Queue[Command](MOST_COMMANDS)
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        threading.Thread(target=_read_commands, args=(loop, commands, ended), daemon=True).start()
        work = asyncio.create_task(self._work(commands))
        end = asyncio.create_task(ended.wait())
        try:
            await asyncio.wait((work, end), return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                work.result()
        finally:
            end.cancel()
            work.cancel()
            await asyncio.wait((work,))

    async def _work(self, commands: asyncio.Queue[Command]) -> None:
        while True:
            await self._wait_for_turn(commands)
            from agentinfra.memory.workspace_memory import WorkspaceMemory  # noqa: PLC0415  (heavy, not needed before)

            memory = WorkspaceMemory.open(self._root, data=self._data, embedder=self._embedder)
            try:
                async with asyncio.TaskGroup() as tasks:
                    obeying = tasks.create_task(self._obey(memory, commands))
                    await self._follow(memory)
                    obeying.cancel()
            finally:
                await memory.aclose()

    async def _wait_for_turn(self, commands: asyncio.Queue[Command]) -> None:
        """Read only, and say so, as long as another process follows the files."""
        told = ""
        while other := follower(lock_path(self._root, self._data)):
            if other != told:
                self._tell("waiting", by=other)
                told = other
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    while True:
                        self._tell("done", id=(await commands.get())["id"], taken=False)

    async def _follow(self, memory: WorkspaceMemory) -> None:
        """Follow the files until another process, which was a moment faster, does."""
        pause, longest = RETRY_SECONDS
        while True:
            try:
                async for report, polling in self._reports(memory):
                    self._tell("followed", report=asdict(report), polling=polling)
                    pause = RETRY_SECONDS[0]
            except StoreError as error:
                if follower(lock_path(self._root, self._data)):
                    return
                self._tell_trouble(str(error))
            await asyncio.sleep(pause)
            pause = min(2 * pause, longest)

    async def _reports(self, memory: WorkspaceMemory) -> AsyncGenerator[Followed]:
        looks = memory.follow(
            self._tell_progress, on_vectors=self._tell_vectors, on_trouble=self._tell_trouble, polling=self._polling
        )
        async with aclosing(looks) as reports:
            async for one in reports:
                yield one

    async def _obey(self, memory: WorkspaceMemory, commands: asyncio.Queue[Command]) -> None:
        while True:
            command = await commands.get()
            taken = False
            try:
                if command["text"] is None:
                    await memory.drop_buffer(command["path"])
                else:
                    taken = await memory.index_buffer(command["path"], command["text"])
            except StoreError as error:
                self._tell_trouble(str(error))
            finally:
                self._tell("done", id=command["id"], taken=taken)

    def _tell_progress(self, done: int, total: int) -> None:
        self._tell_now_and_then("progress", done, total)

    def _tell_vectors(self, done: int, total: int) -> None:
        self._tell_now_and_then("vectors", done, total)

    def _tell_trouble(self, text: str) -> None:
        self._tell("trouble", text=text)

    def _tell_now_and_then(self, what: str, done: int, total: int) -> None:
        now = time.monotonic()
        if done == total or now - self._told > TELL_SECONDS:
            self._told = now
            self._tell(what, done=done, total=total)

    def _tell(self, what: str, **facts: Any) -> None:
        with suppress(BrokenPipeError):  # nobody listens any more: the end of standard input is near
            self._out.write(json.dumps({"what": what, **facts}) + "\n")
            self._out.flush()


def _read_commands(loop: asyncio.AbstractEventLoop, commands: asyncio.Queue[Command], ended: asyncio.Event) -> None:
    """In a thread of its own: however busy the process is, it ends soon after its parent."""
    with open(0, "rb", closefd=False) as lines:
        for line in lines:
            if not line.endswith(b"\n"):  # whoever wrote it ended in the middle
                break
            asyncio.run_coroutine_threadsafe(commands.put(json.loads(line)), loop).result()
    with suppress(RuntimeError):  # it has ended by itself
        loop.call_soon_threadsafe(ended.set)
    time.sleep(END_SECONDS)
    os._exit(1)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="agentinfra.memory.indexing_program", description=__doc__)
    parser.add_argument("root", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--embedder", choices=get_args(EmbedderName), default="static")
    parser.add_argument("--polling", action="store_true")
    return parser.parse_args()


def _own_output() -> TextIO:
    """Standard output for what is told alone: what anything else prints goes to standard error."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return out


def main() -> int:
    """Run the program.

    Returns:
        The exit code.
    """
    given = _arguments()
    os.nice(NICE)
    _limit_memory()
    with suppress(BrokenPipeError), _own_output() as out:
        program = IndexingProgram(given.root, given.data, embedder=given.embedder, polling=given.polling, out=out)
        asyncio.run(program.run())
    return 0


def _limit_memory() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    most = MOST_BYTES if hard == resource.RLIM_INFINITY else min(MOST_BYTES, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (most, hard))


if __name__ == "__main__":
    sys.exit(main())
