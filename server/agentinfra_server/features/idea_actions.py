"""The way in without an extension: an idea in a document becomes a run by a code action."""

from __future__ import annotations

from pathlib import Path

from lsprotocol import types as lsp
from pygls.workspace import TextDocument

from agentinfra_server.session.connection import Connection

KIND = "source.agentinfra.plan"
TITLE = "Plan project from this"
IDEA = "idea.md"


def actions(server: Connection, params: lsp.CodeActionParams) -> list[lsp.CodeAction | lsp.Command]:
    """Planning from a selection of any Markdown, or from all of an idea.md; none elsewhere."""
    document = server.workspace.text_documents.get(params.text_document.uri)
    located = server.workspaces.locate(params.text_document.uri)
    if document is None or located is None:
        return []
    idea = _idea(document, params.range)
    if not idea.strip():
        return []
    # What the person sees is planned, saved or not; a folder that is no repository yet becomes one.
    argument = {"prompt": idea, "folder": located[0].as_uri(), "initialize": True}
    command = lsp.Command(TITLE, "agentinfra.plan", arguments=[argument])
    able = server.client_capabilities.text_document
    if able is None or able.code_action is None or not able.code_action.code_action_literal_support:
        return [command]
    return [lsp.CodeAction(TITLE, KIND, command=command)]


def _idea(document: TextDocument, place: lsp.Range) -> str:
    """The selected text; without a selection all of an idea.md, and nothing of other documents."""
    is_idea = Path(document.path).name == IDEA
    if not is_idea and not document.path.endswith(".md") and document.language_id != "markdown":
        return ""
    if place.start == place.end:
        return document.source if is_idea else ""
    return document.source[document.offset_at_position(place.start) : document.offset_at_position(place.end)]
