"""What happens to open documents: specifications are checked, and unsaved code is found by search."""

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

    async def opened(params: lsp.DidOpenTextDocumentParams) -> None:
        server.approvals.opened(params.text_document.uri, params.text_document.text)
        await edited(params)

    async def changed(params: lsp.DidChangeTextDocumentParams) -> None:
        server.approvals.edited(params.text_document.uri)
        await edited(params)

    async def saved(params: lsp.DidSaveTextDocumentParams) -> None:
        await left(params)
        if spec_path(params.text_document.uri):
            await server.approvals.saved(params.text_document.uri)
            await server.answers.saved(params.text_document.uri)
            server.run_documents.changed()

    async def closed(params: lsp.DidCloseTextDocumentParams) -> None:
        server.approvals.closed(params.text_document.uri)
        await left(params)

    async def edited(params: lsp.DidOpenTextDocumentParams | lsp.DidChangeTextDocumentParams) -> None:
        server.spec_documents.changed(params.text_document.uri)
        server.run_findings.edited(params.text_document.uri)
        _tell_index(server, params.text_document.uri, is_open=True)

    async def left(params: lsp.DidSaveTextDocumentParams | lsp.DidCloseTextDocumentParams) -> None:
        server.spec_documents.changed(params.text_document.uri)
        server.run_findings.edited(params.text_document.uri)
        _tell_index(server, params.text_document.uri, is_open=False)

    return {
        lsp.TEXT_DOCUMENT_DID_OPEN: opened,
        lsp.TEXT_DOCUMENT_DID_CHANGE: changed,
        lsp.TEXT_DOCUMENT_DID_SAVE: saved,
        lsp.TEXT_DOCUMENT_DID_CLOSE: closed,
    }


def _tell_index(server: Connection, uri: str, *, is_open: bool) -> None:
    if "indexes" not in server.__dict__:  # nobody has searched yet
        return
    path = to_fs_path(uri) if uri.startswith("file:") else None
    if path:
        opened = server.workspace.text_documents.get(uri)
        server.indexes.take_text(Path(path), opened.source if opened and is_open else None)
