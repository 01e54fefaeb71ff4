"""What the index of the open folders is asked: symbols, search, and how far it is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from lsprotocol import types as lsp

from agentinfra.core.errors import InputError
from agentinfra.memory.chunk import Definition
from agentinfra_server.features.answering import answering
from agentinfra_server.protocol import messages as wire
from agentinfra_server.protocol.language import tr
from agentinfra_server.session.connection import Connection

MOST_SYMBOLS = 100
MOST_HITS = 100
_KINDS = {
    "class": lsp.SymbolKind.Class,
    "component": lsp.SymbolKind.Class,
    "config": lsp.SymbolKind.Property,
    "constant": lsp.SymbolKind.Constant,
    "enum": lsp.SymbolKind.Enum,
    "id": lsp.SymbolKind.Key,
    "interface": lsp.SymbolKind.Interface,
    "method": lsp.SymbolKind.Method,
    "namespace": lsp.SymbolKind.Namespace,
    "query": lsp.SymbolKind.Struct,
    "section": lsp.SymbolKind.String,
    "style": lsp.SymbolKind.Property,
    "type": lsp.SymbolKind.TypeParameter,
}


def handlers(server: Connection) -> dict[str, Callable[..., Awaitable[Any]]]:
    """What answers each method."""

    async def symbols(params: lsp.WorkspaceSymbolParams) -> list[lsp.WorkspaceSymbol] | None:
        return await find_symbols(server, params.query)

    async def folders_changed(_params: object) -> None:
        if "indexes" in server.__dict__:
            await server.indexes.close_others()

    return {
        lsp.WORKSPACE_SYMBOL: symbols,
        lsp.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS: folders_changed,
        "agentinfra/search": answering(server, wire.SearchParams, search),
        "agentinfra/index/get": answering(server, wire.IndexGetParams, status),
    }


async def find_symbols(server: Connection, query: str) -> list[lsp.WorkspaceSymbol] | None:
    """Symbols of all folders; None where the workspace is not trusted."""
    if not server.editor.trusts:
        return None
    folders = server.workspaces.folders()
    found = await asyncio.gather(*(server.indexes.of(folder).symbols(query, MOST_SYMBOLS) for folder in folders))
    pairs = zip(folders, found, strict=True)
    return [_symbol(folder / path, definition) for folder, some in pairs for path, definition in some]


def _symbol(path: Path, definition: Definition) -> lsp.WorkspaceSymbol:
    container, _, name = definition.symbol.rpartition(".")
    place = lsp.Position(definition.line - 1, 0)
    return lsp.WorkspaceSymbol(
        location=lsp.Location(path.as_uri(), lsp.Range(place, place)),
        name=name,
        kind=_KINDS.get(definition.kind, lsp.SymbolKind.Function),
        container_name=container or None,
    )


async def search(server: Connection, params: wire.SearchParams) -> wire.SearchResult:
    """The pieces of a folder's files that fit best."""
    if not 1 <= params.limit <= MOST_HITS:
        raise InputError(
            tr("limit is {limit}", limit=params.limit), next_step=tr("Ask for 1 to {most} hits", most=MOST_HITS)
        )
    folder = server.workspaces.folder(params.folder)
    index = server.indexes.of(folder)
    found = await index.search(params.query, params.limit, params.paths)
    hits = [
        wire.SearchHit(
            uri=(folder / hit.path).as_uri(),
            start_line=hit.start - 1,
            end_line=hit.end - 1,
            symbol=hit.symbol,
            kind=hit.kind,
            text=hit.text,
            score=hit.score,
        )
        for hit in found
    ]
    return wire.SearchResult(hits=hits, state=index.status().state)


async def status(server: Connection, params: wire.IndexGetParams) -> wire.IndexStatus:
    """How far a folder's index is."""
    return server.indexes.status(server.workspaces.folder(params.folder))
