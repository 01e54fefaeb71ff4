"""Files as the editor has them, unsaved edits included, where it shows them to agents; else as they lie on disk."""

from __future__ import annotations

import asyncio
from pathlib import Path

from agentinfra.protocols.json_rpc import JsonRpcPeer, Params, RpcError
from agentinfra.workflow.run_options import IDEA_BYTES
from agentinfra_server.acp.messages import FileAccess, content_of

ANSWER_SECONDS = 10.0


class EditorFiles:
    """Reads and writes files by way of the editor.

    Args:
        session: The session's id.
        peer: The editor.
        access: What it lets agents do.
        answer_seconds: How long it is waited for.
    """

    def __init__(
        self, session: str, peer: JsonRpcPeer, access: FileAccess, *, answer_seconds: float = ANSWER_SECONDS
    ) -> None:
        self._session = session
        self._peer = peer
        self._access = access
        self._answer_seconds = answer_seconds

    async def read(self, path: Path) -> str | None:
        """A text file, no more of it than an idea may hold; None for what is no text or not there."""
        shown = await self._shown(path)
        found = shown if shown is not None else await asyncio.to_thread(_on_disk, path, IDEA_BYTES)
        return found[:IDEA_BYTES] if found is not None else None

    @property
    def can_write(self) -> bool:
        """Whether the editor writes files for agents."""
        return self._access.write_text_file

    async def edits(self, path: Path) -> tuple[str | None, str] | None:
        """A file on disk, and as the editor has it where that is something else; None where it is the same."""
        shown = await self._shown(path)
        lies = await asyncio.to_thread(_on_disk, path)
        return None if shown is None or _same(shown, lies) else (lies, shown)

    async def write(self, path: Path, text: str) -> bool:
        """Have the editor write a file; whether it lies on disk then."""
        await self._ask("fs/write_text_file", {"path": str(path), "content": text})
        return _same(text, await asyncio.to_thread(_on_disk, path))

    async def _shown(self, path: Path) -> str | None:
        """What the editor has; None where it does not say."""
        if not self._access.read_text_file:
            return None
        return content_of(await self._ask("fs/read_text_file", {"path": str(path)}))

    async def _ask(self, method: str, params: Params) -> object:
        try:
            async with asyncio.timeout(self._answer_seconds):
                return await self._peer.request(method, {"sessionId": self._session, **params})
        except (RpcError, TimeoutError):
            return None  # editors refuse what lies outside of their folders


def _on_disk(path: Path, most: int = -1) -> str | None:
    try:
        with path.open(encoding="utf-8") as file:
            return file.read(most)
    except (OSError, UnicodeDecodeError):
        return None


def _same(shown: str, lies: str | None) -> bool:
    # Reading a file has made its line ends plain; editors may do it too.
    return lies is not None and shown.replace("\r\n", "\n") == lies
