"""Specifications and tasks for readers: findings on request, outline, folding, links, hover and definition of ids."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

from lsprotocol import types as lsp
from pygls.uris import to_fs_path

from agentinfra.spec.source import Lines, Span
from agentinfra.spec.spec_source import RequirementSource, SpecSource
from agentinfra.spec.tasks_source import TasksSource
from agentinfra_server.session.connection import Connection
from agentinfra_server.session.provenance import provenance_of
from agentinfra_server.session.spec_documents import NAMES, Pair, SpecDocuments, spec_path, to_range

ID = re.compile(r"\b(?:N?FR|T|Q)-\d+\b")


def handlers(server: Connection) -> dict[str, Callable[[Any], Awaitable[Any]]]:
    """What answers each method."""
    reading = _Reading(server)
    return {
        lsp.TEXT_DOCUMENT_DIAGNOSTIC: reading.diagnostics,
        lsp.TEXT_DOCUMENT_DOCUMENT_SYMBOL: reading.symbols,
        lsp.TEXT_DOCUMENT_FOLDING_RANGE: reading.folds,
        lsp.TEXT_DOCUMENT_DOCUMENT_LINK: reading.links,
        lsp.TEXT_DOCUMENT_HOVER: reading.hover,
        lsp.TEXT_DOCUMENT_DEFINITION: reading.definition,
    }


class _Reading:
    def __init__(self, server: Connection) -> None:
        self._server = server
        self._documents: SpecDocuments = server.spec_documents

    async def diagnostics(self, params: lsp.DocumentDiagnosticParams) -> lsp.RelatedFullDocumentDiagnosticReport:
        path = spec_path(params.text_document.uri)
        if path is None:
            return lsp.RelatedFullDocumentDiagnosticReport(items=[])
        pair = await self._documents.pair(path.parent)
        return lsp.RelatedFullDocumentDiagnosticReport(items=self._documents.diagnostics(pair, NAMES[path.name]))

    async def symbols(self, params: lsp.DocumentSymbolParams) -> list[lsp.DocumentSymbol] | None:
        path = spec_path(params.text_document.uri)
        if path is None:
            return None
        pair = await self._documents.pair(path.parent)
        if NAMES[path.name] == "spec":
            return list(self._spec_symbols(pair.spec)) if pair.spec else []
        return [self._task_symbol(pair.tasks, index) for index in range(len(pair.tasks.tasks))] if pair.tasks else []

    async def folds(self, params: lsp.FoldingRangeParams) -> list[lsp.FoldingRange] | None:
        path = spec_path(params.text_document.uri)
        if path is None:
            return None
        pair = await self._documents.pair(path.parent)
        return [lsp.FoldingRange(first, last) for first, last in _folds(pair, path.name) if last > first]

    async def links(self, params: lsp.DocumentLinkParams) -> list[lsp.DocumentLink] | None:
        path = spec_path(params.text_document.uri)
        if path is None:
            return None
        pair = await self._documents.pair(path.parent)
        body = pair.body(NAMES[path.name])
        return list(self._links(pair, body)) if body else []

    async def hover(self, params: lsp.HoverParams) -> lsp.Hover | None:
        uri, place = params.text_document.uri, params.position
        path = spec_path(uri)
        text = await self._told_of_code(uri, place.line) if path is None else await self._told_of_id(path, uri, place)
        return lsp.Hover(lsp.MarkupContent(lsp.MarkupKind.Markdown, text)) if text else None

    async def definition(self, params: lsp.DefinitionParams) -> lsp.Location | None:
        path = spec_path(params.text_document.uri)
        name = id_at(self._server, params.text_document.uri, params.position)
        if path is None or name is None:
            return None
        pair = await self._documents.pair(path.parent)
        found = place_of(pair, name)
        if found is None:
            return None
        body, span, file = found
        return lsp.Location((pair.folder / file).as_uri(), to_range(body, span, self._documents.units))

    async def _told_of_id(self, path: Path, uri: str, place: lsp.Position) -> str:
        name = id_at(self._server, uri, place)
        return _told(await self._documents.pair(path.parent), name) if name else ""

    async def _told_of_code(self, uri: str, line: int) -> str:
        path = to_fs_path(uri) if uri.startswith("file:") else None
        found = self._server.workspace.text_documents.get(uri)
        folders = [one for one in self._server.workspaces.folders() if path and Path(path).is_relative_to(one)]
        if not path or found is None or not folders:
            return ""
        folder = folders[-1]
        return await provenance_of(self._server, folder).of_line(Path(path), found.source, line)

    def _spec_symbols(self, source: SpecSource) -> Iterator[lsp.DocumentSymbol]:
        for section in source.sections:
            if section.level == 2 and section.title.name:
                inner = [
                    one for one in source.requirements if section.first < one.first < self._end(source, section.first)
                ]
                children = [self._requirement_symbol(source.body, one) for one in inner]
                whole = Span(source.body.start(section.first), source.body.start(self._end(source, section.first)))
                yield self._symbol(source.body, section.title.name, lsp.SymbolKind.Namespace, whole, children)

    @staticmethod
    def _end(source: SpecSource, first: int) -> int:
        """Index of the line behind the chapter that begins here."""
        after = (one.first for one in source.sections if one.level <= 2 and one.first > first)
        return next(after, len(source.body.lines))

    def _requirement_symbol(self, body: Lines, one: RequirementSource) -> lsp.DocumentSymbol:
        whole = Span(body.start(one.first), body.start(one.last))
        return self._symbol(body, f"{one.id.name} {one.title.name}".strip(), lsp.SymbolKind.Object, whole, [])

    def _task_symbol(self, source: TasksSource, index: int) -> lsp.DocumentSymbol:
        task = source.tasks[index]
        whole = Span(source.body.start(task.first), source.body.start(task.last))
        symbol = self._symbol(source.body, f"{task.id.name} {task.title.name}".strip(), lsp.SymbolKind.Event, whole, [])
        symbol.detail = task.state or None
        return symbol

    def _symbol(
        self, body: Lines, name: str, kind: lsp.SymbolKind, whole: Span, children: list[lsp.DocumentSymbol]
    ) -> lsp.DocumentSymbol:
        shown = to_range(body, whole, self._documents.units)
        line = lsp.Range(shown.start, shown.start)
        return lsp.DocumentSymbol(name=name, kind=kind, range=shown, selection_range=line, children=children)

    def _links(self, pair: Pair, body: Lines) -> Iterator[lsp.DocumentLink]:
        for index, line in enumerate(body.lines):
            for one in ID.finditer(line):
                found = place_of(pair, one[0])
                if found is None or (found[0] is body and found[1].start == body.starts[index] + one.start()):
                    continue  # it is defined here
                span = Span(body.starts[index] + one.start(), body.starts[index] + one.end())
                target = f"{(pair.folder / found[2]).as_uri()}#L{found[0].position(found[1].start).line}"
                yield lsp.DocumentLink(
                    to_range(body, span, self._documents.units), target, tooltip=_title(pair, one[0])
                )


def id_at(server: Connection, uri: str, place: lsp.Position) -> str | None:
    """The id that is written at a place of an open document; None where there is none."""
    found = server.workspace.text_documents.get(uri)
    if found is None or place.line >= len(found.lines):
        return None
    line = found.lines[place.line]
    column = server.workspace.position_codec.position_from_client_units(found.lines, place).character
    return next((one[0] for one in ID.finditer(line) if one.start() <= column <= one.end()), None)


def _folds(pair: Pair, name: str) -> Iterator[tuple[int, int]]:
    """First and last line of what can be folded, from 0."""
    if NAMES[name] == "tasks" and pair.tasks:
        above = pair.tasks.body.position(pair.tasks.body.begin).line - 1
        yield from ((above + one.first, above + one.last - 1) for one in pair.tasks.tasks)
    elif NAMES[name] == "spec" and pair.spec:
        body = pair.spec.body
        above = body.position(body.begin).line - 1
        for one in pair.spec.sections:
            filled = [index for index in range(one.first, one.last) if body.lines[index].strip()]
            yield above + one.first, above + filled[-1]


def place_of(pair: Pair, name: str) -> tuple[Lines, Span, str] | None:
    """Where an id is defined: the lines, the place, and the file's name."""
    if pair.tasks and name.startswith("T-"):
        named = next((one.id for one in pair.tasks.tasks if one.id.name == name), None)
        return (pair.tasks.body, Span(named.start, named.end), "tasks.md") if named else None
    if pair.spec:
        ids = [one.id for one in (*pair.spec.requirements, *pair.spec.questions)]
        named = next((one for one in ids if one.name == name), None)
        return (pair.spec.body, Span(named.start, named.end), "spec.md") if named else None
    return None


def _title(pair: Pair, name: str) -> str:
    tasks = pair.tasks.tasks if pair.tasks else []
    requirements = pair.spec.requirements if pair.spec else []
    titles = [(one.id.name, one.title.name) for one in (*tasks, *requirements)]
    return next((title for known, title in titles if known == name), "")


def _told(pair: Pair, name: str) -> str:
    """What stands behind an id, as Markdown; "" for one that is not there."""
    found = place_of(pair, name)
    if found is None:
        return ""
    body, span, _ = found
    first = body.position(span.start).line - body.position(body.begin).line
    source = pair.tasks if name.startswith("T-") else pair.spec
    owners = [block for block in (source.blocks if source else []) if block.owner == name]
    text = "".join(body.text[block.start : block.end] for block in owners) or body.lines[first]
    return text.lstrip("#").strip()
