"""Choose a sandbox by trying to break out of it."""

from __future__ import annotations

import asyncio
import json
import tempfile
from pathlib import Path

from agentinfra.core.errors import SandboxError
from agentinfra.core.interfaces import Sandbox, SandboxCommand, SandboxLimits, SandboxResult
from agentinfra.security.sandbox.bubblewrap import BWRAP, Bubblewrap
from agentinfra.security.sandbox.unsandboxed import Unsandboxed

_INSTALL = "Install the package bubblewrap (apt-get install bubblewrap, dnf install bubblewrap, pacman -S bubblewrap)"
_UNSAFE = "or accept the danger with --unsandboxed"
_PROBE_LIMITS = SandboxLimits(wall_seconds=20)
_PROBE = """
import json, pathlib, socket, sys
outside, port = pathlib.Path(sys.argv[1]), int(sys.argv[2])
def works(action):
    try:
        return bool(action())
    except (OSError, ImportError):
        return False
works(lambda: (outside / "escaped").write_text("x"))
works(lambda: socket.create_connection(("127.0.0.1", port), 2))
print(json.dumps({
    "use pytest": works(lambda: __import__("pytest")),
    "write its scratch folder": works(lambda: pathlib.Path("inside").write_text("x")),
    "read another folder": works(lambda: (outside / "private").exists()),
}))
"""
_NEEDED = ("use pytest", "write its scratch folder")


async def choose_sandbox(*, allow_unsandboxed: bool = False, bwrap: Path = BWRAP) -> Sandbox:
    """Find a sandbox that holds here.

    Args:
        allow_unsandboxed: Whether a person has accepted to run generated code unprotected where no sandbox works.
        bwrap: The bubblewrap program.

    Raises:
        SandboxError: There is none, it does not start, or code gets out of it; the error names the way out.
    """
    try:
        if not await asyncio.to_thread(bwrap.is_file):
            raise SandboxError(
                "Generated code cannot be run safely here", why=f"There is no {bwrap}", next_step=_INSTALL
            )
        sandbox = Bubblewrap(bwrap)
        await probe(sandbox)
        return sandbox
    except SandboxError as error:
        if allow_unsandboxed:
            return Unsandboxed()
        raise SandboxError(error.what, why=error.why, next_step=f"{error.next_step or _INSTALL}, {_UNSAFE}") from error


async def probe(sandbox: Sandbox) -> None:
    """Run code in the sandbox that tries to get out.

    Raises:
        SandboxError: It got out, or it cannot even do what it must be able to do.
    """
    with tempfile.TemporaryDirectory(prefix="agentinfra-probe-") as folder:
        outside, scratch = Path(folder), Path(folder) / "scratch"
        scratch.mkdir()
        (outside / "private").touch()
        visitors: list[str] = []
        server = await asyncio.start_server(lambda _, writer: _greet(writer, visitors), "127.0.0.1")
        async with server:
            port = server.sockets[0].getsockname()[1]
            argv = ("python", "-P", "-c", _PROBE, str(outside), str(port))
            result = await sandbox.run(SandboxCommand(argv, scratch, limits=_PROBE_LIMITS))
        attempts = _read_attempts(sandbox.name, result)
        # What happened out here is seen out here: inside, a temporary folder may have taken the write.
        attempts |= {"write another folder": (outside / "escaped").exists(), "reach the network": bool(visitors)}
    _require_held(sandbox.name, attempts)


def _greet(writer: asyncio.StreamWriter, visitors: list[str]) -> None:
    visitors.append("somebody")
    writer.close()


def _read_attempts(name: str, result: SandboxResult) -> dict[str, bool]:
    try:
        return dict(json.loads(result.stdout))
    except (ValueError, TypeError) as error:
        why = result.stderr.strip()[-500:] or f"It ended with exit code {result.exit_code}"
        raise SandboxError(f"Python does not run in the sandbox {name}", why=why) from error


def _require_held(name: str, attempts: dict[str, bool]) -> None:
    failed = [attempt for attempt in _NEEDED if not attempts.get(attempt)]
    escapes = [attempt for attempt, worked in attempts.items() if worked and attempt not in _NEEDED]
    if escapes:
        raise SandboxError(f"The sandbox {name} does not hold", why=f"Code inside could {' and '.join(escapes)}")
    if failed:
        raise SandboxError(f"The sandbox {name} is too narrow", why=f"Code inside could not {' and '.join(failed)}")
