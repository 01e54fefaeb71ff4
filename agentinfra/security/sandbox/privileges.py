"""Give up root before anything untrusted starts.

A sandbox started as root is escapable: kernel settings stay writable by plain file ownership. The process therefore
becomes a user that owns nothing. That user cannot enter ``/root``, so what it needs is first bound, in a mount
namespace that only this process tree sees, to places that it can reach. The scratch folder is lent to it for the time.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from agentinfra.core.errors import SandboxError

# Reserved by Debian policy for no one, and mapped in rootless containers, which know ids below 65536.
SANDBOX_UID = 65533
# Exists on every Linux and is needed by nothing that follows; only our own mount namespace sees it covered.
_STAGE = Path("/sys")

# $1 uid, $2 scratch, then pairs of source and target, "--", the command. A file with a second link also lives outside
# the scratch: it keeps its owner.
_SCRIPT = """
set -eu
uid=$1 scratch=$2
shift 2
mount -n -t tmpfs -o mode=755,size=64k,nosuid,nodev stage /sys
while [ "$1" != -- ]; do
    if [ -d "$1" ]; then mkdir "$2"; else : > "$2"; fi
    mount -n --bind "$1" "$2"
    shift 2
done
shift
find "$scratch" -xdev '(' -type d -o -links 1 ')' -exec chown -h "$uid:$uid" '{}' +
exec setpriv --reuid="$uid" --regid="$uid" --clear-groups --no-new-privs --inh-caps=-all --bounding-set=-all -- "$@"
"""


def is_root() -> bool:
    """Whether this process has privileges to give up."""
    return os.geteuid() == 0


def stage(sources: Iterable[Path]) -> dict[Path, Path]:
    """Choose for each host path the place at which the unprivileged user will reach it."""
    return {source: _STAGE / str(number) for number, source in enumerate(dict.fromkeys(sources))}


def unprivileged(argv: Sequence[str], staged: Mapping[Path, Path], scratch: Path) -> tuple[str, ...]:
    """Wrap a command so that it runs as a user that owns nothing but the scratch folder.

    Args:
        argv: The command.
        staged: From :func:`stage`.
        scratch: Folder that is handed to that user; :func:`take_back` returns it.
    """
    pairs = [str(path) for pair in staged.items() for path in pair]
    shell = ("/bin/sh", "-c", _SCRIPT, "sandbox", str(SANDBOX_UID), str(scratch))
    return ("unshare", "--mount", *shell, *pairs, "--", *argv)


async def take_back(scratch: Path, uid: int, gid: int) -> None:
    """Return what the unprivileged user owns in the scratch folder; set-user-id bits are lost on the way.

    What somebody else removes meanwhile needs no owner.

    Raises:
        SandboxError: Some files could not be returned.
    """
    lent = f"{SANDBOX_UID}:{SANDBOX_UID}"
    _, complaint = await _output("chown", "-R", "-h", f"--from={lent}", f"{uid}:{gid}", str(scratch))
    if not complaint:
        return
    left, _ = await _output("find", str(scratch), "-user", str(SANDBOX_UID), "-print", "-quit")
    if left:
        raise SandboxError(
            f"{scratch} is left with the sandbox's owner",
            why=complaint,
            next_step=f"Delete the folder or run: chown -R {uid}:{gid} {scratch}",
        )


async def _output(*argv: str) -> tuple[str, str]:
    process = await asyncio.create_subprocess_exec(
        *argv, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    output, complaint = await process.communicate()
    return output.decode(errors="replace").strip(), complaint.decode(errors="replace").strip()
