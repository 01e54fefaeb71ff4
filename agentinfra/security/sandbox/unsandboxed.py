"""No sandbox: what a person may choose, knowingly, where none works. Only mistakes are bounded, not malice."""

from __future__ import annotations

import sys
from pathlib import Path

from agentinfra.core.interfaces import SandboxCommand, SandboxLimits, SandboxResult
from agentinfra.security.sandbox.process import run_bounded

# Processes are not limited: that limit counts everything the user runs.
_LAUNCHER = """
import os, resource, sys
for name, text in zip(("DATA", "FSIZE", "NOFILE", "CPU", "CORE"), sys.argv[1:6]):
    kind = getattr(resource, "RLIMIT_" + name)
    hard = resource.getrlimit(kind)[1]
    value = int(text) if hard == resource.RLIM_INFINITY else min(int(text), hard)
    resource.setrlimit(kind, (value, value))
try:
    os.execvp(sys.argv[6], sys.argv[6:])
except OSError as error:
    sys.exit(f"{sys.argv[6]}: {error.strerror}")
"""


class Unsandboxed:
    """Runs commands as the user, with limits, a time bound and a small environment, but with no protection.

    The command sees the user's files and the network, and a process that leaves its process group outlives it.
    """

    name = "none"

    async def run(self, command: SandboxCommand) -> SandboxResult:
        """Run the command and return when its process group is gone.

        Raises:
            SandboxError: It could not be started.
        """
        first, *rest = command.argv
        program = sys.executable if first == "python" else first
        launcher = (sys.executable, "-I", "-S", "-c", _LAUNCHER, *_resource_limits(command.limits))
        return await run_bounded(
            (*launcher, program, *rest),
            cwd=command.scratch,
            env=_environment(command),
            limits=command.limits,
        )


def _environment(command: SandboxCommand) -> dict[str, str]:
    base = {
        "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(command.scratch),
        "LANG": "C.UTF-8",
        "PYTHONNOUSERSITE": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return base | dict(command.env)


def _resource_limits(limits: SandboxLimits) -> tuple[str, ...]:
    values = (limits.memory_bytes, limits.file_bytes, limits.open_files, limits.cpu_seconds, 0)
    return tuple(str(value) for value in values)
