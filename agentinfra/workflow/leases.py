"""Leases: a port, a database and a browser profile for each task at work, so that parallel tasks do not collide."""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
import socket
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from pathlib import Path

from platformdirs import user_cache_path

from agentinfra.core.errors import WorkspaceError
from agentinfra.core.interfaces import Sandbox, SandboxCommand, SandboxResult

FIRST_PORT = 21_000  # below those that systems give to outgoing connections
MAX_LEASES = 500
_INSIDE = Path("/tmp")  # noqa: S108 - a sandbox has a /tmp of its own, fresh for every command
_current: ContextVar[Lease | None] = ContextVar("agentinfra_lease", default=None)


@dataclass(frozen=True, slots=True)
class Lease:
    """What one holder has to itself.

    Attributes:
        port: A port of the loopback interface on which nobody listened when it was leased.
        folder: An empty folder.
    """

    port: int
    folder: Path

    def environment(self, folder: Path | None = None) -> dict[str, str]:
        """The variables by which programs find it.

        Args:
            folder: The folder as they see it, where that is not :attr:`folder`.
        """
        own = folder or self.folder
        return {
            "AGENTINFRA_PORT": str(self.port),
            "AGENTINFRA_DATABASE": str(own / "database.sqlite"),
            "AGENTINFRA_PROFILE": str(own / "profile"),
        }


class LeasePool:
    """Hands out leases to tasks of this and of other processes.

    Each lease is a locked file; the system takes the lock back when the process dies, whatever it died of.

    Args:
        folder: Shared by all processes of a user; made when it is needed.
        first: The first port.
        count: How many leases there are.
    """

    def __init__(self, folder: Path, first: int = FIRST_PORT, count: int = MAX_LEASES) -> None:
        self._folder = folder
        self._ports = range(first, first + count)

    @classmethod
    def of_user(cls) -> LeasePool:
        """The pool that all runs of the user share."""
        return cls(user_cache_path("agentinfra") / "leases")

    @asynccontextmanager
    async def hold(self) -> AsyncGenerator[Lease]:
        """Hold a lease; sandboxed commands that are started meanwhile from here are told of it.

        Raises:
            WorkspaceError: All are taken, or the folder cannot be written to.
        """
        lock, lease = await asyncio.to_thread(self._take)
        try:
            with _told(lease):
                yield lease
        finally:
            await asyncio.to_thread(_release, lock, lease)

    def _take(self) -> tuple[int, Lease]:
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            for port in self._ports:
                lock = self._locked(port)
                if lock is not None:
                    return lock, self._fresh(port)
        except OSError as error:
            raise WorkspaceError(
                f"{self._folder} cannot be written to",
                why=error.strerror or str(error),
                next_step="Free space or correct its permissions",
            ) from error
        raise WorkspaceError(
            f"All {len(self._ports)} ports from {self._ports[0]} on are taken",
            why="Every task at work holds one",
            next_step="Stop other runs or the programs that listen there",
        )

    def _locked(self, port: int) -> int | None:
        """The lock of a port, held; None where somebody else has it, or listens there."""
        lock = os.open(self._folder / f"{port}.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_free(port):
                return lock
        except BlockingIOError:
            pass  # another task's
        os.close(lock)
        return None

    def _fresh(self, port: int) -> Lease:
        lease = Lease(port, self._folder / str(port))
        if lease.folder.exists():
            shutil.rmtree(lease.folder)  # what a process that died has left there
        lease.folder.mkdir(mode=0o700)
        return lease


class LeasedSandbox:
    """A sandbox whose commands are told what is leased to the task that starts them, or to them alone.

    Args:
        sandbox: What runs them.
        pool: Where a command that belongs to no task gets a lease of its own.
    """

    def __init__(self, sandbox: Sandbox, pool: LeasePool) -> None:
        self._sandbox = sandbox
        self._pool = pool

    @property
    def name(self) -> str:
        """The name of the sandbox behind it."""
        return self._sandbox.name

    async def run(self, command: SandboxCommand) -> SandboxResult:
        """Run the command with the lease in its environment; see :meth:`agentinfra.core.interfaces.Sandbox.run`."""
        lease = _current.get()
        if lease is not None:
            return await self._run(command, lease)
        async with self._pool.hold() as own:
            return await self._run(command, own)

    async def _run(self, command: SandboxCommand, lease: Lease) -> SandboxResult:
        # Where there is no sandbox, /tmp is everybody's.
        told = lease.environment(None if self.name == "none" else _INSIDE)
        return await self._sandbox.run(replace(command, env={**told, **command.env}))


@contextmanager
def _told(lease: Lease) -> Generator[None]:
    token = _current.set(lease)
    try:
        yield
    finally:
        _current.reset(token)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _release(lock: int, lease: Lease) -> None:
    # What cannot be removed now is removed for the next holder.
    shutil.rmtree(lease.folder, ignore_errors=True)
    os.close(lock)
