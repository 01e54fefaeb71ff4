"""The sandbox of choice on Linux: a container without network, home folder or privileges, made by bubblewrap."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

from agentinfra.core.errors import SandboxError
from agentinfra.core.interfaces import SandboxCommand, SandboxLimits, SandboxResult
from agentinfra.security.sandbox.privileges import is_root, stage, take_back, unprivileged
from agentinfra.security.sandbox.process import run_bounded
from agentinfra.security.sandbox.toolchain import SITE, SYSTEM, Mount, Toolchain, find_toolchain

BWRAP = Path("/usr/bin/bwrap")
_LAUNCH_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
_HOSTS = b"127.0.0.1 localhost\n::1 localhost\n"
_MERGED = ("bin", "sbin", "lib", "lib64", "lib32", "libx32")
_ETC = ("ld.so.cache", "alternatives")
_CHILD_PID = re.compile(rb'"child-pid": *(\d+)')
# Killed already, it can only be held up by the kernel: a hung disk, say.
_GONE_SECONDS = 5.0
_ISOLATION = (
    *("--unshare-user", "--unshare-all", "--disable-userns", "--die-with-parent", "--new-session"),
    *("--cap-drop", "ALL", "--uid", "1000", "--gid", "1000", "--hostname", "sandbox", "--clearenv"),
)


class Bubblewrap:
    """Runs commands in fresh namespaces over a read-only minimal system.

    Inside there are ``/usr``, the toolchain, the scratch folder and small temporary file systems; no network, no other
    processes, no other files. Started as root it drops to a user that owns nothing first; the scratch folder is lent
    to that user meanwhile, so over one scratch folder only one command may run at a time.

    Args:
        bwrap: The program; never looked up on PATH.
        toolchain: What "python" means inside; by default the Python that runs AgentInfra.
    """

    name = "bubblewrap"

    def __init__(self, bwrap: Path = BWRAP, toolchain: Toolchain | None = None) -> None:
        self._bwrap = bwrap
        self._toolchain = toolchain

    async def run(self, command: SandboxCommand) -> SandboxResult:
        """Run the command and return when it and all its children are gone.

        Raises:
            SandboxError: bubblewrap or the toolchain does not work here; the command was not run.
        """
        scratch = _existing(command.scratch)
        if not is_root():
            return await self._run(command, {}, scratch)
        mounts = self._mounts(command)
        owner = scratch.stat()
        try:
            return await self._run(command, stage(_folder(mount) for mount in mounts), scratch)
        finally:
            await asyncio.shield(take_back(scratch, owner.st_uid, owner.st_gid))

    async def _run(self, command: SandboxCommand, staged: Mapping[Path, Path], scratch: Path) -> SandboxResult:
        with ExitStack() as stack:
            hosts, policy, status = (_memory_file(stack, name) for name in ("hosts", "policy", "status"))
            _write(hosts, _HOSTS)
            options = [*self._options(command, staged), "--ro-bind-data", str(hosts), "/etc/hosts"]
            options += ["--json-status-fd", str(status), "--remount-ro", "/", "--chdir", str(command.scratch)]
            _write(policy, _joined(options))
            argv = (str(self._bwrap), "--args", str(policy), "--", *self._inner_argv(command))
            try:
                result = await run_bounded(
                    unprivileged(argv, staged, scratch) if staged else argv,
                    cwd=Path("/"),
                    env={"PATH": _LAUNCH_PATH},
                    limits=command.limits,
                    pass_fds=(hosts, policy, status),
                )
            finally:
                # The container outlives the killed program by a moment, a cancelled one too.
                await asyncio.shield(_gone(os.pread(status, 4096, 0)))
            _require_started(result, os.pread(status, 4096, 0))
            return result

    def _options(self, command: SandboxCommand, staged: Mapping[Path, Path]) -> Iterator[str]:
        size = str(command.limits.file_bytes)
        yield from _ISOLATION
        yield from _system()
        # Its own /proc would show the kernel settings writable to whoever owns them.
        yield from ("--proc", "/proc", "--ro-bind", "/proc/sys", "/proc/sys", "--dev", "/dev")
        yield from ("--size", size, "--tmpfs", "/dev/shm", "--remount-ro", "/dev", "--size", size, "--tmpfs", "/tmp")  # noqa: S108 - inside
        for mount in self._mounts(command):
            kind = "--bind" if mount.writable else "--ro-bind"
            yield from (kind, str(_reachable(mount, staged)), str(mount.target))
        for folder in self._tools.hidden:
            yield from ("--size", "4096", "--tmpfs", str(folder), "--remount-ro", str(folder))
        for name, value in (self._environment() | dict(command.env)).items():
            yield from ("--setenv", name, value)

    def _mounts(self, command: SandboxCommand) -> list[Mount]:
        mounts = [*self._tools.mounts, Mount(_existing(command.scratch), command.scratch.absolute(), writable=True)]
        mounts += [Mount(_existing(folder), folder.absolute()) for folder in command.read_only]
        # Outer folders first, so that one inside another stays visible with its own mode.
        return sorted(mounts, key=lambda mount: len(mount.target.parts))

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": f"{self._tools.python.parent}:/usr/bin:/bin",
            "HOME": "/tmp",  # noqa: S108 - inside
            "USER": "sandbox",
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(SITE),
            "PYTHONNOUSERSITE": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def _inner_argv(self, command: SandboxCommand) -> tuple[str, ...]:
        first, *rest = command.argv
        program = str(self._tools.python) if first == "python" else first
        return ("/usr/bin/prlimit", *_resource_limits(command.limits), "--", program, *rest)

    @property
    def _tools(self) -> Toolchain:
        return self._toolchain or find_toolchain()


def _system() -> Iterator[str]:
    yield from ("--ro-bind", str(SYSTEM), str(SYSTEM))
    for folder in (Path("/") / name for name in _MERGED):
        if folder.is_symlink():
            yield from ("--symlink", str(folder.readlink()), str(folder))
        elif folder.is_dir():
            yield from ("--ro-bind", str(folder), str(folder))
    for path in (Path("/etc") / name for name in _ETC):
        yield from ("--ro-bind-try", str(path), str(path))


def _resource_limits(limits: SandboxLimits) -> tuple[str, ...]:
    # The address space is left alone: WebAssembly reserves far more of it than it uses.
    return (
        f"--data={limits.memory_bytes}",
        f"--fsize={limits.file_bytes}",
        f"--nofile={limits.open_files}",
        f"--nproc={limits.processes}",
        f"--cpu={limits.cpu_seconds}",
        "--core=0",
    )


def _existing(folder: Path) -> Path:
    try:
        return folder.resolve(strict=True)
    except OSError as error:
        raise SandboxError(f"{folder} cannot be shown in the sandbox", why=str(error)) from error


def _folder(mount: Mount) -> Path:
    # Packages lie side by side: staging their parent takes one mount instead of six.
    return mount.source.parent if mount.target.parent == SITE else mount.source


def _reachable(mount: Mount, staged: Mapping[Path, Path]) -> Path:
    if not staged:
        return mount.source
    folder = _folder(mount)
    return staged[folder] / mount.source.relative_to(folder)


def _memory_file(stack: ExitStack, name: str) -> int:
    descriptor = os.memfd_create(name)
    stack.callback(os.close, descriptor)
    return descriptor


def _joined(options: Sequence[str]) -> bytes:
    if any("\0" in option for option in options):
        raise SandboxError("A path or variable for the sandbox contains a NUL", why="It would be read as two options")
    return "\0".join(options).encode()


def _write(descriptor: int, data: bytes) -> None:
    with open(descriptor, "wb", closefd=False) as file:
        file.write(data)
    os.lseek(descriptor, 0, os.SEEK_SET)


async def _gone(status: bytes) -> None:
    """Wait until the container's first process has ended, which it does after all others in it (pid_namespaces(7))."""
    found = _CHILD_PID.search(status)
    try:
        process = os.pidfd_open(int(found[1])) if found else None
    except ProcessLookupError:
        return
    if process is None:
        return
    ended, loop = asyncio.Event(), asyncio.get_running_loop()
    loop.add_reader(process, ended.set)
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(_GONE_SECONDS):
                await ended.wait()
    finally:
        loop.remove_reader(process)
        os.close(process)


def _require_started(result: SandboxResult, status: bytes) -> None:
    """Bubblewrap reports the exit code on its status channel only after the command was really started."""
    if result.timed_out or result.exit_code >= 128 or b'"exit-code"' in status:
        return
    raise SandboxError(
        "bubblewrap could not start the command",
        why=result.stderr.strip()[-2000:] or f"exit code {result.exit_code}",
        next_step="Check that user namespaces are allowed here (containers often forbid them)",
    )
