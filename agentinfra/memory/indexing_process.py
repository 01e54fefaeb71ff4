"""Keeps a workspace's index fresh in a process of its own, so that an editor's server never waits for it."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from agentinfra.core.config import EmbedderName, data_folder
from agentinfra.core.errors import StoreError
from agentinfra.memory.index_report import Followed, IndexReport

END_SECONDS = 5.0
ANSWER_SECONDS = 30.0
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 60.0
"""Between its end and the next start; twice as long each time that it soon ends again."""
STEADY_SECONDS = 60.0
_LINE_BYTES = 1 << 20
_TAIL_BYTES = 2_000
_FRUGAL = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}


def _nobody(*_: object) -> None:
    """Nobody wants to be told."""


class IndexingProcess:
    """A process that follows the files of one workspace; its index is read through :class:`.WorkspaceMemory`.

    ::

        async with IndexingProcess(Path(".")) as indexing:
            await indexing.first_look()

    It has a low priority, ends with this process, and is started again when it ends by itself. Where another process
    follows the same workspace already, it waits until that one ends; ``waits_for`` then says for which.

    Args:
        root: The workspace's folder.
        data: Instead of the user's data folder.
        embedder: What gives vectors; better ones than word vectors are made while nothing changes.
        polling: Look for changes from time to time, instead of being told by the system.
        on_progress: Told how many files the first look has seen, and how many there are.
        on_vectors: Told how many better vectors are made, and how many there will be.
        on_followed: Told what each look did.
        on_trouble: Told, in a sentence, what keeps the index from being up to date.
    """

    def __init__(
        self,
        root: Path,
        *,
        data: Path | None = None,
        embedder: EmbedderName = "static",
        polling: bool = False,
        on_progress: Callable[[int, int], None] = _nobody,
        on_vectors: Callable[[int, int], None] = _nobody,
        on_followed: Callable[[Followed], None] = _nobody,
        on_trouble: Callable[[str], None] = _nobody,
    ) -> None:
        self.waits_for = ""
        """The number of the process that follows the files in the place of this one; "" for none."""
        options = ["--embedder", embedder, *(["--polling"] if polling else [])]
        self._arguments = [os.fspath(root.resolve()), "--data", os.fspath((data or data_folder()).resolve()), *options]
        self._on_progress, self._on_vectors = on_progress, on_vectors
        self._on_followed, self._on_trouble = on_followed, on_trouble
        self._process: asyncio.subprocess.Process | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._looked = asyncio.Event()
        self._report: IndexReport | None = None
        self._buffers: dict[str, str] = {}
        self._answers: dict[int, asyncio.Future[bool]] = {}
        self._numbers = itertools.count(1)
        self._errors = b""

    @property
    def pid(self) -> int | None:
        """The number of the process; None while there is none."""
        return self._process.pid if self._process is not None else None

    async def start(self) -> None:
        """Start the process; it is kept running from now on.

        Raises:
            StoreError: It cannot be started.
        """
        if self._keeping is None:
            self._keeping = asyncio.create_task(self._keep(await self._begin()))

    async def first_look(self) -> IndexReport | None:
        """Wait until everything was looked at once; None where another process does it."""
        await self._looked.wait()
        return self._report

    async def index_buffer(self, path: str, text: str) -> bool:
        """Let unsaved text be found in the place of a file, until it is saved or dropped.

        Returns:
            Whether it is found now. Text that is not because the process is being started again is so later.
        """
        self._buffers[path] = text
        return await self._ask(path, text)

    async def drop_buffer(self, path: str) -> None:
        """Let the file itself be found again."""
        if self._buffers.pop(path, None) is not None:
            await self._ask(path, None)

    async def aclose(self) -> None:
        """End the process; safe to call twice."""
        keeping, self._keeping = self._keeping, None
        if keeping is not None:
            keeping.cancel()
            await asyncio.wait((keeping,))
            if not keeping.cancelled():
                keeping.result()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def _begin(self) -> asyncio.subprocess.Process:
        pipe = asyncio.subprocess.PIPE
        program = (sys.executable, "-P", "-X", "utf8", "-m", "agentinfra.memory.indexing_program")
        try:
            self._process = await asyncio.create_subprocess_exec(
                *(*program, *self._arguments),
                env={**os.environ, **_FRUGAL},
                stdin=pipe,
                stdout=pipe,
                stderr=pipe,
                limit=_LINE_BYTES,
                start_new_session=True,  # Ctrl-C at this process's terminal is not meant for it
            )
        except OSError as error:
            step = "Index without it: agentinfra index"
            raise StoreError("The indexing process cannot be started", why=str(error), next_step=step) from error
        return self._process

    async def _keep(self, process: asyncio.subprocess.Process) -> None:
        pause = FIRST_PAUSE
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            await self._serve(process)
            pause = FIRST_PAUSE if loop.time() - began > STEADY_SECONDS else pause
            self._on_trouble(f"The indexing process ended and is started again. {self._complaint()}".strip())
            process = await self._begin_again(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _begin_again(self, pause: float) -> asyncio.subprocess.Process:
        while True:
            await asyncio.sleep(pause)
            try:
                return await self._begin()
            except StoreError as error:
                self._on_trouble(str(error))
                pause = min(2 * pause, LONGEST_PAUSE)

    async def _serve(self, process: asyncio.subprocess.Process) -> None:
        """Be there for a process until it ends; end it where this is cancelled."""
        self._errors = b""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._listen(process))
                tasks.create_task(self._keep_errors(process))
                for path, text in list(self._buffers.items()):
                    tasks.create_task(self._ask(path, text))
        finally:
            self._process = None
            await _end(process)

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout
        try:
            async for line in process.stdout:
                self._take(json.loads(line))
        finally:
            for answer in self._answers.values():
                answer.cancel()

    async def _keep_errors(self, process: asyncio.subprocess.Process) -> None:
        """Keep the end of what it complains of, so that its pipe never fills."""
        assert process.stderr
        while block := await process.stderr.read(_LINE_BYTES):
            self._errors = (self._errors + block)[-_TAIL_BYTES:]

    def _complaint(self) -> str:
        lines = self._errors.decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else ""

    def _take(self, told: dict[str, Any]) -> None:
        what = told["what"]
        if what == "progress":
            self._on_progress(told["done"], told["total"])
        elif what == "vectors":
            self._on_vectors(told["done"], told["total"])
        elif what == "followed":
            self._take_report(Followed(IndexReport(**told["report"]), told["polling"]))
        elif what == "waiting":
            self.waits_for = told["by"]
            self._looked.set()
        elif what == "trouble":
            self._on_trouble(told["text"])
        elif (answer := self._answers.pop(told["id"], None)) is not None and not answer.done():
            answer.set_result(told["taken"])

    def _take_report(self, followed: Followed) -> None:
        self.waits_for = ""
        if not self._looked.is_set():
            self._report = followed.report
            self._looked.set()
        self._on_followed(followed)

    async def _ask(self, path: str, text: str | None) -> bool:
        """What the process answers; False where it does not."""
        process = self._process
        if process is None or process.stdin is None:
            return False
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        try:
            process.stdin.write(json.dumps({"id": number, "path": path, "text": text}).encode() + b"\n")
            await process.stdin.drain()
            async with asyncio.timeout(ANSWER_SECONDS):
                await asyncio.wait((answer,))
        except (OSError, TimeoutError):  # it is gone, or busy for very long
            return False
        finally:
            self._answers.pop(number, None)
        return not answer.cancelled() and answer.result()


async def _end(process: asyncio.subprocess.Process) -> None:
    """Close its standard input, upon which it goes; kill it where it does not in time."""
    assert process.stdin
    process.stdin.close()
    try:
        async with asyncio.timeout(END_SECONDS):
            await process.communicate()
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()
