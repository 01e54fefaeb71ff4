"""What a person says in a prompt, as one text: words, files that come along, and files that are linked."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from pygls.uris import to_fs_path

from agentinfra.protocols.json_rpc import INVALID_PARAMS, RpcError
from agentinfra_server.acp.messages import Block

Read = Callable[[Path], Awaitable[str | None]]


async def text_of(blocks: Sequence[Block], folder: Path, read: Read) -> str:
    """Put a prompt into one text.

    Files of the workspace that are linked are read; others are only named.

    Args:
        blocks: The prompt.
        folder: The workspace folder.
        read: Reads a file; None for what is no text.

    Raises:
        RpcError: INVALID_PARAMS; a block cannot be used.
    """
    parts = [await _text(block, folder, read) for block in blocks]
    return "\n\n".join(part for part in parts if part.strip())


async def _text(block: Block, folder: Path, read: Read) -> str:
    if block.type == "text" and block.text is not None:
        return block.text
    if block.type == "resource" and block.resource is not None:
        known = block.resource
        return _file(known.uri, known.text) if known.text is not None else f"[{known.uri}]"
    if block.type == "resource_link" and block.uri is not None:
        path = await asyncio.to_thread(_within, block.uri, folder)
        text = await read(path) if path else None
        return _file(block.uri, text) if text is not None else f"[{block.name or block.uri}]({block.uri})"
    raise RpcError(INVALID_PARAMS, f"a prompt block of the type {block.type!r} cannot be used, or lacks its content")


def _file(uri: str, text: str) -> str:
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{uri}:\n{fence}\n{text}\n{fence}"


def _within(uri: str, folder: Path) -> Path | None:
    """The file that is meant, where it lies in the folder, links followed."""
    path = Path((to_fs_path(uri) or "") if uri.startswith("file:") else "").resolve()
    return path if path.is_relative_to(folder.resolve()) and path.is_file() else None
