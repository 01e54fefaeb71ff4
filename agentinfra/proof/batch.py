"""Many test runs in one start of the sandbox: most of a short run's time is starting, and strength takes many runs."""

from __future__ import annotations

import asyncio
import json
import secrets
import shutil
import tempfile
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path
from typing import Any, TypeVar

from agentinfra.core.errors import AgentInfraError
from agentinfra.core.interfaces import Sandbox, SandboxCommand, SandboxLimits, SandboxResult
from agentinfra.proof.report import TestReport
from agentinfra.proof.runner import CHILDREN, TestRunner

T = TypeVar("T")
BATCH_SECONDS = 120.0
MIN_TOGETHER, MAX_TOGETHER = 3, 32  # runs of one start
AT_ONCE = 2  # starts side by side
_SPARE_SECONDS = 10.0  # for starting, and for looking over the folders
COPIES_BYTES = 256 << 20


async def run_each(
    runner: TestRunner,
    root: Path,
    tests: Sequence[str],
    overlays: Sequence[Mapping[str, str]],
    *,
    limits: SandboxLimits | None = None,
    seconds: float = BATCH_SECONDS,
    copies_bytes: int = COPIES_BYTES,
) -> list[TestReport]:
    """Run the same tests once for each overlay, as the runner would, in as few starts of the sandbox as possible.

    Every run has a copy of the project and a process of its own and is judged like a run alone; only what it prints
    is not kept. A run that another one disturbed is unsound.

    Args:
        runner: Whose sandbox and rules apply.
        root: The project; it is not changed.
        tests: Test files or ids, relative to root.
        overlays: For each run the texts of files, by path relative to root.
        limits: Bounds of each run.
        seconds: Bound of all the runs of one start; those for which there is no time left are unsound.
        copies_bytes: What the copies of the project for one start may take on the disk together.

    Raises:
        InputError: The folder cannot be copied, or an overlay leads out of it.
        SandboxError: The sandbox does not work.
    """
    most = max(1, copies_bytes // max(1, await asyncio.to_thread(_size, root)))
    share = max(1, min(MAX_TOGETHER, most, max(MIN_TOGETHER, ceil(len(overlays) / AT_ONCE))))
    shares = [overlays[start : start + share] for start in range(0, len(overlays), share)]
    slots = asyncio.Semaphore(AT_ONCE)

    async def run(part: Sequence[Mapping[str, str]]) -> list[TestReport]:
        async with slots:
            return await _run_together(runner, root, tests, part, limits, seconds)

    return [report for part in await _all([run(part) for part in shares]) for report in part]


async def _run_together(
    runner: TestRunner,
    root: Path,
    tests: Sequence[str],
    overlays: Sequence[Mapping[str, str]],
    limits: SandboxLimits | None,
    seconds: float,
) -> list[TestReport]:
    folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="agentinfra-batch-"))
    try:
        start = SharedStart(runner.sandbox, folder, len(overlays), seconds)
        seats = [runner.moved(Seat(start, place), folder) for place in range(len(overlays))]
        return await _all(
            [seat.run(root, tests, overlay=one, limits=limits) for seat, one in zip(seats, overlays, strict=True)]
        )
    finally:
        await asyncio.shield(asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True))


async def _all(work: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """Do everything side by side; where something fails the rest is cancelled, and that error comes out."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one) for one in work]
    except* (AgentInfraError, OSError) as errors:
        raise _first(errors) from None
    return [task.result() for task in tasks]


class SharedStart:
    """Collects commands whose scratch folders lie in one folder, and runs them in one start of a sandbox.

    Args:
        sandbox: What really runs them; also alone, those for which the common start has no result.
        folder: Where their scratch folders are.
        count: How many commands will come; the start waits for the last.
        seconds: What all of them may take together.
    """

    def __init__(self, sandbox: Sandbox, folder: Path, count: int, seconds: float = BATCH_SECONDS) -> None:
        self.sandbox = sandbox
        self._folder = folder
        self._count = count
        self._seconds = seconds
        self._waiting: dict[int, SandboxCommand] = {}
        self._alone = asyncio.Lock()
        self._results: asyncio.Future[list[SandboxResult]] = asyncio.get_running_loop().create_future()

    async def run(self, place: int, command: SandboxCommand) -> SandboxResult:
        """Run the command together with the others, and return when all of them are over.

        Args:
            place: Its place in the order of running, from 0.
            command: The command.

        Raises:
            SandboxError: The sandbox itself does not work.
        """
        self._waiting[place] = command
        if len(self._waiting) == self._count:
            self._results.set_result(await self._start())
        results = await asyncio.shield(self._results)
        if results:
            return results[place]
        async with self._alone:
            return await self.sandbox.run(command)

    async def _start(self) -> list[SandboxResult]:
        """What became of the commands; nothing where they cannot share a start, or one of them brought it down."""
        commands = [command for _, command in sorted(self._waiting.items())]
        if any(one.argv[0] != "python" for one in commands):
            return []
        report = self._folder / f"{secrets.token_hex(16)}.report"
        first = commands[0]
        seconds = min(self._seconds, sum(one.limits.wall_seconds for one in commands))
        order = await asyncio.to_thread(self._write_order, commands, report, seconds)
        bounds = replace(first.limits, wall_seconds=seconds + _SPARE_SECONDS)
        argv = (*first.argv[:-2], str(CHILDREN / "batch_child.py"), str(order))
        seen = tuple(dict.fromkeys((CHILDREN, *first.read_only)))
        await self.sandbox.run(SandboxCommand(argv, self._folder, env=first.env, read_only=seen, limits=bounds))
        return await asyncio.to_thread(_read, report, self._count)

    def _write_order(self, commands: Sequence[SandboxCommand], report: Path, seconds: float) -> Path:
        listed = [
            {"argv": one.argv[-2:], "folder": str(one.scratch), "seconds": one.limits.wall_seconds} for one in commands
        ]
        file = self._folder / "order.json"
        file.write_text(json.dumps({"commands": listed, "seconds": seconds, "report": str(report)}), "utf-8")
        return file


@dataclass(frozen=True, slots=True)
class Seat:
    """The sandbox of one of the commands that share a start."""

    start: SharedStart
    place: int

    @property
    def name(self) -> str:
        """The name of the sandbox behind it."""
        return self.start.sandbox.name

    async def run(self, command: SandboxCommand) -> SandboxResult:
        """Run the command at its place; see :meth:`SharedStart.run`."""
        return await self.start.run(self.place, command)


def _read(report: Path, count: int) -> list[SandboxResult]:
    try:
        found: list[dict[str, Any]] = json.loads(report.read_text("utf-8"))
        results = [_result(**one) for one in found]
    except (OSError, ValueError, TypeError):
        return []
    return results if len(results) == count else []


def _result(exit_code: int, seconds: float, timed_out: bool, intact: bool) -> SandboxResult:
    # No sound run ends with 137: one that had no time, or whose folder another one touched, proves nothing.
    return SandboxResult(exit_code if intact else 137, "", "", seconds, timed_out)


def _size(root: Path) -> int:
    return sum(path.lstat().st_size for path in root.rglob("*"))


def _first(errors: BaseExceptionGroup[AgentInfraError | OSError]) -> AgentInfraError | OSError:
    one = errors.exceptions[0]
    return _first(one) if isinstance(one, BaseExceptionGroup) else one
