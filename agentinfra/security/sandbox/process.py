"""Run one process with a wall limit and capped output, and leave nothing of it behind."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from agentinfra.core.errors import SandboxError
from agentinfra.core.interfaces import SandboxLimits, SandboxResult

FLOOD_FACTOR = 64
_CHUNK = 1 << 16
# Only a process that escaped its group can still hold the pipe; its output is not worth a longer wait.
_DRAIN_SECONDS = 1.0


async def run_bounded(
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    limits: SandboxLimits,
    pass_fds: Sequence[int] = (),
) -> SandboxResult:
    """Run a command in a process group of its own and kill that group at the end, whatever happened.

    Args:
        argv: The command; stdin is empty.
        cwd: Working directory.
        env: The whole environment.
        limits: ``wall_seconds`` and ``output_bytes`` are held here, the other limits are the caller's.
        pass_fds: File descriptors that the command inherits.

    Returns:
        Exit code (128 + n for signal n) and output: of each stream at most ``output_bytes``, head and tail. A command
        that writes more than 64 times as much is killed.

    Raises:
        SandboxError: The command could not be started.
    """
    started = time.monotonic()
    streams = (_Capture(limits.output_bytes), _Capture(limits.output_bytes))
    try:
        process = await _spawn(argv, cwd, env, pass_fds, streams)
        for stream in streams:
            stream.start(lambda: _kill_group(process.pid))
        timed_out = not await _finished_within(process, limits.wall_seconds)
        await _drain(streams)
    finally:
        for stream in streams:
            stream.close()
    seconds = time.monotonic() - started
    return SandboxResult(_exit_code(process), streams[0].text(), streams[1].text(), seconds, timed_out)


async def _spawn(
    argv: Sequence[str], cwd: Path, env: Mapping[str, str], pass_fds: Sequence[int], streams: tuple[_Capture, _Capture]
) -> asyncio.subprocess.Process:
    try:
        # The pipes are ours, not asyncio's: its wait() lasts until every holder of them is gone (Python 3.11).
        return await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=streams[0].write_end,
            stderr=streams[1].write_end,
            cwd=cwd,
            env=dict(env),
            pass_fds=pass_fds,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise SandboxError(
            f"{argv[0]} could not be started", why=str(error), next_step="Check that it is installed and executable"
        ) from error


async def _finished_within(process: asyncio.subprocess.Process, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await process.wait()
        return True
    except TimeoutError:
        return False
    finally:
        _kill_group(process.pid)
        # A cancelled caller must not leave before the child is reaped.
        await asyncio.shield(asyncio.ensure_future(process.wait()))


async def _drain(streams: Sequence[_Capture]) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(_DRAIN_SECONDS):
            for stream in streams:
                await stream.ended.wait()


def _kill_group(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def _exit_code(process: asyncio.subprocess.Process) -> int:
    code = process.returncode
    if code is None:
        raise SandboxError("A process was lost", why="It ended without an exit code", next_step="Run it again")
    return code if code >= 0 else 128 - code


class _Capture:
    """Reads one output stream of a child, keeps head and tail, and calls for help when it is flooded."""

    def __init__(self, limit: int) -> None:
        self._half = max(limit // 2, 1)
        self._head = bytearray()
        self._tail = bytearray()
        self._total = 0
        self._read_end, self.write_end = os.pipe()
        self._on_flood: Callable[[], None] = lambda: None
        self.ended = asyncio.Event()

    def start(self, on_flood: Callable[[], None]) -> None:
        """Begin reading; the child has its own copy of the write end by now."""
        self._on_flood = on_flood
        os.close(self.write_end)
        self.write_end = -1
        os.set_blocking(self._read_end, False)
        asyncio.get_running_loop().add_reader(self._read_end, self._read)

    def _read(self) -> None:
        try:
            chunk = os.read(self._read_end, _CHUNK)
        except BlockingIOError:
            return
        if chunk:
            self._keep(chunk)
        else:
            asyncio.get_running_loop().remove_reader(self._read_end)
            self.ended.set()

    def _keep(self, chunk: bytes) -> None:
        room = self._half - len(self._head)
        self._head += chunk[:room]
        self._tail += chunk[room:]
        if len(self._tail) > self._half + _CHUNK:
            del self._tail[: -self._half]
        self._total += len(chunk)
        if self._total > 2 * self._half * FLOOD_FACTOR:
            self._on_flood()

    def text(self) -> str:
        """What was kept, as text, with a note where bytes were left out."""
        tail = self._tail[-self._half :]
        cut = self._total - len(self._head) - len(tail)
        note = f"\n[… {cut} bytes left out …]\n".encode() if cut else b""
        return (self._head + note + tail).decode("utf-8", errors="replace")

    def close(self) -> None:
        """Stop reading; safe to call twice."""
        for end in (self._read_end, self.write_end):
            if end >= 0:
                asyncio.get_running_loop().remove_reader(end)
                os.close(end)
        self._read_end = self.write_end = -1
