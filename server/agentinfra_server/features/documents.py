"""What happens to open documents: specifications are checked and approved, and unsaved code is found by search."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from lsprotocol import types as lsp
from pygls.uris import to_fs_path

from agentinfra_server.session.connection import Connection
from agentinfra_server.session.spec_documents import spec_path


def handlers(server: Connection) -> dict[str, Callable[[Any], Awaitable[None]]]:
    """What heeds each notification."""
    documents = _Documents(server)
    return {
        lsp.TEXT_DOCUMENT_DID_OPEN: documents.opened,
        lsp.TEXT_DOCUMENT_DID_CHANGE: documents.edited,
        lsp.TEXT_DOCUMENT_DID_SAVE: documents.saved,
        lsp.TEXT_DOCUMENT_DID_CLOSE: documents.closed,
        lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES: documents.changed_on_disk,
    }


class _Documents:
    def __init__(self, server: Connection) -> None:
        self._server = server

    async def opened(self, params: lsp.DidOpenTextDocumentParams) -> None:
        if spec_path(params.text_document.uri):
            self._server.run_documents.watch()
            self._server.approvals.opened(params.text_document.uri, params.text_document.text)
        self._changed(params.text_document.uri, is_open=True)

    async def edited(self, params: lsp.DidChangeTextDocumentParams) -> None:
        if spec_path(params.text_document.uri):
            self._server.approvals.edited(params.text_document.uri)
        self._changed(params.text_document.uri, is_open=True)

    async def saved(self, params: lsp.DidSaveTextDocumentParams) -> None:
        if spec_path(params.text_document.uri):
            await self._server.approvals.saved(params.text_document.uri, params.text)
            await self._server.answers.saved(params.text_document.uri)
            self._server.run_documents.changed()
        self._changed(params.text_document.uri, is_open=False)

    async def closed(self, params: lsp.DidCloseTextDocumentParams) -> None:
        if spec_path(params.text_document.uri):
            self._server.approvals.closed(params.text_document.uri)
        self._changed(params.text_document.uri, is_open=False)

    async def changed_on_disk(self, params: lsp.DidChangeWatchedFilesParams) -> None:
        if any(spec_path(one.uri) for one in params.changes):
            self._server.run_documents.changed()

    def _changed(self, uri: str, *, is_open: bool) -> None:
        self._server.spec_documents.changed(uri)
        self._server.run_findings.edited(uri)
        self._tell_index(uri, is_open=is_open)

    def _tell_index(self, uri: str, *, is_open: bool) -> None:
        if "indexes" not in self._server.__dict__:  # nobody has searched yet
            return
        path = to_fs_path(uri) if uri.startswith("file:") else None
        if path:
            opened = self._server.workspace.text_documents.get(uri)
            self._server.indexes.take_text(Path(path), opened.source if opened and is_open else None)
