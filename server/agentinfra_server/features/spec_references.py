"""Where an id is spoken of: in spec.md and tasks.md, the tests that prove it, and the lines written for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from lsprotocol import types as lsp

from agentinfra.spec.source import Lines, Span
from agentinfra.spec.trace import Link
from agentinfra_server.features.spec_reading import ID, id_at, place_of
from agentinfra_server.session.connection import Connection
from agentinfra_server.session.provenance import provenance_of
from agentinfra_server.session.spec_documents import NAMES, Pair, spec_path, to_range


def handlers(server: Connection) -> dict[str, Callable[[Any], Awaitable[Any]]]:
    """What answers each method."""

    async def references(params: lsp.ReferenceParams) -> list[lsp.Location] | None:
        path, name = spec_path(params.text_document.uri), id_at(server, params.text_document.uri, params.position)
        if path is None or name is None:
            return None
        pair = await server.spec_documents.pair(path.parent)
        found = list(_spoken_of(server, pair, name, with_place=params.context.include_declaration))
        return [*found, *await _proving(server, path, pair, name)]

    async def highlights(params: lsp.DocumentHighlightParams) -> list[lsp.DocumentHighlight] | None:
        path, name = spec_path(params.text_document.uri), id_at(server, params.text_document.uri, params.position)
        if path is None or name is None:
            return None
        pair = await server.spec_documents.pair(path.parent)
        body = pair.body(NAMES[path.name])
        units = server.spec_documents.units
        return [lsp.DocumentHighlight(to_range(body, one, units)) for one in _mentions(body, name)] if body else []

    return {lsp.TEXT_DOCUMENT_REFERENCES: references, lsp.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT: highlights}


def _mentions(body: Lines, name: str) -> Iterator[Span]:
    for index, line in enumerate(body.lines):
        for one in ID.finditer(line):
            if one[0] == name:
                yield Span(body.starts[index] + one.start(), body.starts[index] + one.end())


def _spoken_of(server: Connection, pair: Pair, name: str, *, with_place: bool) -> Iterator[lsp.Location]:
    defined = place_of(pair, name)
    for file, document in NAMES.items():
        body = pair.body(document)
        if body is None:
            continue
        uri = (pair.folder / file).as_uri()
        for span in _mentions(body, name):
            is_place = defined is not None and defined[0] is body and defined[1].start == span.start
            if with_place or not is_place:
                yield lsp.Location(uri, to_range(body, span, server.spec_documents.units))


async def _proving(server: Connection, path: Path, pair: Pair, name: str) -> list[lsp.Location]:
    """The tests and lines in the workspace that stand for a requirement or a task."""
    owner = await server.run_documents.owner(path, pair.spec.text if pair.spec else "")
    if owner is None:
        return []
    links = await provenance_of(server, owner.folder).links(name)
    return await asyncio.to_thread(lambda: list(_places(owner.folder, links)))


def _places(folder: Path, links: Sequence[Link]) -> Iterator[lsp.Location]:
    tests = dict.fromkeys(test.partition("[")[0] for link in links for test in link.tests)
    for test in tests:
        file, _, function = test.partition("::")
        line = _defined_at(folder / file, function.rpartition("::")[2])
        if line is not None:
            yield _lines(folder / file, line, line)
    for link in links:
        for one in link.places:
            yield _lines(folder / one.path, one.first - 1, one.last - 1)


def _defined_at(path: Path, function: str) -> int | None:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return None  # taken away since
    return next((at for at, line in enumerate(lines) if f"def {function}(" in line), None)


def _lines(path: Path, first: int, last: int) -> lsp.Location:
    return lsp.Location(path.as_uri(), lsp.Range(lsp.Position(first, 0), lsp.Position(last, 0)))
