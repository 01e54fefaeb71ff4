"""FileSystemTool: read, write and list the files of one folder."""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path
from typing import Any

from agentinfra.core.doors import wait
from agentinfra.core.errors import InputError
from agentinfra.environment.folder_listing import list_files
from agentinfra.patching.apply import apply_files
from agentinfra.patching.gate import MAX_FILE_BYTES, check_path
from agentinfra.tools.base_tool import BaseTool

_PARAMETERS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "operation": {"type": "string", "enum": ["read", "write", "list"]},
        "path": {"type": "string", "description": "Relative to the folder, forward slashes"},
        "content": {"type": "string", "description": "The whole new text of the file, for write"},
    },
    "required": ["operation"],
}
# Files that hold keys by custom: a model that reads one sends it to its provider.
_SECRETS = re.compile(
    r"(?:.*/)?(?:\.env(?:\..*)?|.*\.pem|id_(?:rsa|dsa|ecdsa|ed25519)|\.npmrc|\.pypirc|\.netrc|\.aws/.*|kubeconfig|.*\.tfstate)",
    re.IGNORECASE | re.DOTALL,
)


class FileSystemTool(BaseTool):
    """The files of one folder; nothing outside it is reached, also not through links.

    Args:
        root: The folder.
    """

    def __init__(self, root: str | Path = ".") -> None:
        super().__init__("file_system", "Read, write or list the files of the project.", _PARAMETERS)
        self.root = Path(root)

    def read_file(self, path: str) -> str:
        """Text of a file; see :meth:`aread_file`."""
        return wait(self.aread_file(path), "await tool.aread_file(path)")

    def write_file(self, path: str, content: str) -> None:
        """Write a file; see :meth:`awrite_file`."""
        wait(self.awrite_file(path, content), "await tool.awrite_file(path, content)")

    def list_files(self) -> list[str]:
        """Paths of all files; see :meth:`alist_files`."""
        return wait(self.alist_files(), "await tool.alist_files()")

    async def aread_file(self, path: str) -> str:
        """Text of a file of at most 1 MiB.

        Raises:
            PatchError: The path is refused by the gate.
            InputError: There is no such file, it is too large, no text, or holds secrets by its name.
        """
        return await asyncio.to_thread(self._read, path)

    async def awrite_file(self, path: str, content: str) -> None:
        """Write a file, making its folders.

        Raises:
            PatchError: The path or size is refused by the gate, or the disk failed.
        """
        await apply_files(self.root.resolve(), {path: content})

    async def alist_files(self) -> list[str]:
        """Paths of the project's own files, sorted."""
        return list(await asyncio.to_thread(list_files, self.root.resolve()))

    async def arun(self, operation: str = "list", path: str = "", content: str | None = None) -> str:
        """Do what a model asked for.

        Raises:
            InputError: An argument is missing or the file cannot be read.
            PatchError: The path is refused.
        """
        if operation == "list":
            return "\n".join(await self.alist_files())
        if not path or (operation == "write" and content is None):
            raise InputError(f"{operation} needs {'a path' if not path else 'content'}", next_step="Pass it, too")
        if operation == "write":
            await self.awrite_file(path, content or "")
            return f"Wrote {path}"
        return await self.aread_file(path)

    def _read(self, path: str) -> str:
        root = self.root.resolve()
        name = check_path(root, path)
        if _SECRETS.fullmatch(name):
            raise InputError(f"{path} is not read", why="Files of that name hold keys", next_step="Do without it")
        try:
            data = _read_ordinary(root / name)
            return data.decode()
        except OSError as error:
            raise InputError(f"{path} cannot be read", why=error.strerror or "", next_step="List the files") from error
        except UnicodeDecodeError as error:
            raise InputError(f"{path} is not text", why=str(error)) from error


def _read_ordinary(path: Path) -> bytes:
    # O_NOFOLLOW: the file may have become a link since the gate looked at it.
    with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as file:  # noqa: PTH123
        data = file.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise InputError(f"{path.name} is too large", why=f"More than {MAX_FILE_BYTES} bytes")
    return data
