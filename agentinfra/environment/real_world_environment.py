"""RealWorldEnvironment: a folder on disk, written through the patch gate, with commands run in a sandbox."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from pathlib import Path

from agentinfra.core.doors import wait
from agentinfra.core.interfaces import Sandbox, SandboxCommand
from agentinfra.environment.base_environment import Action, BaseEnvironment, Observation, WriteFiles
from agentinfra.environment.folder_listing import NOT_LISTED, list_files
from agentinfra.patching.apply import apply_files
from agentinfra.security.clean import clean_text


class RealWorldEnvironment(BaseEnvironment):
    """A folder and the commands that run over copies of it.

    Only the patch gate writes to the folder: a command works on a copy, and what it writes there is thrown away.

    Args:
        root: The folder.
        sandbox: Where commands run.
    """

    def __init__(self, root: str | Path, sandbox: Sandbox) -> None:
        self.root = Path(root).resolve()
        self._sandbox = sandbox

    def reset(self) -> Observation:
        """Look at the folder; the real world is not rolled back, version control does that."""
        return wait(self.areset(), "await environment.areset()")

    def step(self, action: Action) -> Observation:
        """Write files through the gate, or run a command over a copy of the folder.

        Raises:
            PatchError: A file was refused; none was written.
            SandboxError: The sandbox does not work; the command was not run.
        """
        return wait(self.astep(action), "await environment.astep(action)")

    def observe(self) -> Observation:
        """The files of the folder; links, version control and installed packages are left out."""
        return wait(self.aobserve(), "await environment.aobserve()")

    async def areset(self) -> Observation:
        """:meth:`reset` for asynchronous callers."""
        return await self.aobserve()

    async def astep(self, action: Action) -> Observation:
        """:meth:`step` for asynchronous callers."""
        if isinstance(action, WriteFiles):
            await apply_files(self.root, action.files)
            return await self.aobserve()
        text, ok = await self._run(action.argv)
        return await self._seen(text, ok=ok)

    async def aobserve(self) -> Observation:
        """:meth:`observe` for asynchronous callers."""
        return await self._seen("", ok=True)

    async def _seen(self, text: str, *, ok: bool) -> Observation:
        return Observation(text, await asyncio.to_thread(list_files, self.root), ok)

    async def _run(self, argv: tuple[str, ...]) -> tuple[str, bool]:
        scratch = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="agentinfra-world-"))
        ignored = shutil.ignore_patterns(*NOT_LISTED)
        try:
            await asyncio.to_thread(
                shutil.copytree, self.root, scratch, symlinks=True, ignore=ignored, dirs_exist_ok=True
            )
            result = await self._sandbox.run(SandboxCommand(argv, scratch))
        finally:
            await asyncio.to_thread(shutil.rmtree, scratch, ignore_errors=True)
        text = clean_text(result.stdout + result.stderr)
        return (f"{text}\n(stopped at the time limit)" if result.timed_out else text), result.exit_code == 0
