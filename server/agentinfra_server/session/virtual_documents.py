"""Texts that are shown and lie in no file of the workspace: read-only, by URIs of the scheme ``agentinfra``."""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from agentinfra.core.config import workspace_folder
from agentinfra.core.errors import InputError
from agentinfra_server.protocol.language import tr

if TYPE_CHECKING:
    from agentinfra_server.session.connection import Connection

SCHEME = "agentinfra"
MOST_KEPT = 50
SHOW_SECONDS = 5.0


class VirtualDocuments:
    """Keeps the newest texts, and shows them in the way that the editor can.

    Args:
        server: The connection.
    """

    def __init__(self, server: Connection) -> None:
        self._server = server
        self._texts: OrderedDict[str, str] = OrderedDict()

    def text(self, uri: str) -> str:
        """What stands at a URI.

        Raises:
            InputError: Nothing, or nothing any more.
        """
        if uri not in self._texts:
            raise InputError(tr("There is nothing at {uri}", uri=uri), next_step=tr("Ask for it again"))
        return self._texts[uri]

    async def show(self, folder: Path, title: str, text: str) -> None:
        """Show a text: as a document without a file, else as a file beside the workspace's runs.

        Args:
            folder: The workspace folder.
            title: What it is called.
            text: Markdown.
        """
        window, workspace = self._server.client_capabilities.window, self._server.client_capabilities.workspace
        name = re.sub(r"[^\w.-]+", "-", title).strip("-.")[:80] + ".md"
        if workspace and workspace.text_document_content:
            uri = await self._keep(f"{SCHEME}:/{quote(name)}", text)
        else:
            uri = (await asyncio.to_thread(_write, folder, name, text)).as_uri()
        if window and window.show_document and window.show_document.support and await self._shown(uri):
            return
        self._server.window_show_message(lsp.ShowMessageParams(lsp.MessageType.Info, f"{title}: {uri}"))

    async def _keep(self, uri: str, text: str) -> str:
        known = uri in self._texts
        self._texts[uri] = text
        self._texts.move_to_end(uri)
        while len(self._texts) > MOST_KEPT:
            self._texts.popitem(last=False)
        if known:
            await self._refresh(uri)
        return uri

    async def _refresh(self, uri: str) -> None:
        params = lsp.TextDocumentContentRefreshParams(uri)
        try:
            async with asyncio.timeout(SHOW_SECONDS):
                await self._server.workspace_text_document_content_refresh_async(params)
        except (TimeoutError, JsonRpcException):
            return  # it is shown as it was

    async def _shown(self, uri: str) -> bool:
        try:
            async with asyncio.timeout(SHOW_SECONDS):
                shown = await self._server.window_show_document_async(lsp.ShowDocumentParams(uri, take_focus=True))
        except (TimeoutError, JsonRpcException):
            return False
        return shown.success


def _write(folder: Path, name: str, text: str) -> Path:
    place = workspace_folder(folder.resolve()) / "notes"
    place.mkdir(parents=True, mode=0o700, exist_ok=True)
    path = place / name
    path.write_text(text, encoding="utf-8")
    return path
