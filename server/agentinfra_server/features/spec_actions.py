"""Code actions on specifications: the fixes of their findings, and answers to their questions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lsprotocol import types as lsp

from agentinfra.spec.diagnostics import Diagnostic, Document
from agentinfra.spec.edits import answer_edits
from agentinfra.spec.source import Edit, Span, apply_edits
from agentinfra_server.features.edits import FileChange, workspace_edit
from agentinfra_server.protocol.language import tr
from agentinfra_server.session.connection import Connection
from agentinfra_server.session.spec_documents import NAMES, Pair, spec_path, to_range


async def actions(server: Connection, params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
    """What can be done where the cursor stands in a spec.md or tasks.md; none in other documents."""
    path, only = spec_path(params.text_document.uri), params.context.only
    if path is None or (only is not None and not {"", lsp.CodeActionKind.QuickFix} & set(only)):
        return []
    pair = await server.spec_documents.pair(path.parent)
    offered = _Offered(server, pair, NAMES[path.name], params)
    return [*offered.fixes(), *offered.answers()]


class _Offered:
    def __init__(self, server: Connection, pair: Pair, document: Document, params: lsp.CodeActionParams) -> None:
        self._server = server
        self._pair = pair
        self._document: Document = document
        self._params = params

    def fixes(self) -> Iterator[lsp.CodeAction]:
        told = self._server.spec_documents.diagnostics(self._pair, self._document)
        found = [one for one in self._pair.findings if one.document == self._document]
        for finding, shown in zip(found, told, strict=True):
            if finding.fix is not None and _touches(shown.range, self._params.range):
                yield self._action(finding.fix.title, finding.fix.document, finding.fix.edits, finding, [shown])

    def answers(self) -> Iterator[lsp.CodeAction]:
        source = self._pair.spec
        if source is None or self._document != "spec":
            return
        for one in source.questions:
            whole = Span(source.body.start(one.first), source.body.start(one.last))
            if _touches(to_range(source.body, whole, self._server.spec_documents.units), self._params.range):
                known = one.text_of("answer") or one.text_of("recommended")  # whose answer is the finding's fix
                for option in one.options():
                    if option != known:
                        title = tr("Answer: {answer}", answer=option)
                        yield self._action(title, "spec", answer_edits(source, one, option), None, [])

    def _action(
        self,
        title: str,
        document: Document,
        edits: Sequence[Edit],
        finding: Diagnostic | None,
        shown: list[lsp.Diagnostic],
    ) -> lsp.CodeAction:
        body = self._pair.body(document)
        old = body.text if body else ""
        uri = (self._pair.folder / f"{document}.md").as_uri()
        opened = self._server.workspace.text_documents.get(uri)
        change = FileChange(uri, opened.version if opened else None, old, apply_edits(old, edits))
        documents = self._server.spec_documents
        detail = finding.message if finding else title
        edit = workspace_edit([change], self._server.client_capabilities, documents.units, title, detail)
        kind = lsp.CodeActionKind.QuickFix
        return lsp.CodeAction(title, kind, diagnostics=shown or None, edit=edit)


def _touches(one: lsp.Range, other: lsp.Range) -> bool:
    """Whether they share a line: who looks for a fix has the cursor somewhere in it."""
    return one.start.line <= other.end.line and other.start.line <= one.end.line
