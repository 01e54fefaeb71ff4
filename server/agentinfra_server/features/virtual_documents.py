"""The text of documents that lie in no file."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcInvalidParams

from agentinfra.core.errors import InputError
from agentinfra_server.session.connection import Connection


def handlers(server: Connection) -> dict[str, Callable[..., Awaitable[Any]]]:
    """What answers the request."""

    async def content(params: lsp.TextDocumentContentParams) -> lsp.TextDocumentContentResult:
        try:
            return lsp.TextDocumentContentResult(server.documents.text(params.uri))
        except InputError as error:
            raise JsonRpcInvalidParams(str(error)) from error

    return {lsp.WORKSPACE_TEXT_DOCUMENT_CONTENT: content}
