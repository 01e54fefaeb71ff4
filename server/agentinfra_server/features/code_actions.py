"""Code actions on code: what can be done where the cursor stands is told at once, and done when it is chosen."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from lsprotocol import types as lsp
from pygls.workspace import TextDocument

from agentinfra.agents.code_actions import MOST_CHARACTERS, OfferedAction
from agentinfra.agents.conventions import is_test_file
from agentinfra_server.features import code_resolve, idea_actions, spec_actions
from agentinfra_server.features.code_places import Place, place_at, split_lines, stub_at
from agentinfra_server.features.code_resolve import COMMAND, ActionData
from agentinfra_server.protocol.language import tr
from agentinfra_server.protocol.message import write
from agentinfra_server.session.connection import Connection

QUICK_FIX, REWRITE, SOURCE = "quickfix", "refactor.rewrite", "source.agentinfra"
KINDS = (QUICK_FIX, REWRITE, f"{SOURCE}.writeTests", f"{SOURCE}.explain", f"{SOURCE}.review")
SPECIFICATIONS = ("/spec.md", "/tasks.md")
MOST_PROBLEMS = 20
MOST_SAID = 1000
_SEVERITIES = {1: "error", 2: "warning", 3: "information", 4: "hint"}


@dataclass(frozen=True, slots=True)
class Spot:
    """What a request is about.

    Attributes:
        folder: The workspace folder.
        path: The file in it.
        document: The open document.
        lines: Its lines.
        place: The definition around.
        params: The request.
    """

    folder: Path
    path: str
    document: TextDocument
    lines: Sequence[str]
    place: Place | None
    params: lsp.CodeActionParams

    @property
    def is_selection(self) -> bool:
        """Whether something is selected."""
        return self.params.range.start != self.params.range.end

    @property
    def subject(self) -> tuple[int, int]:
        """First and last line of what is meant: the selection, else the definition, else all."""
        start, end = self.params.range.start, self.params.range.end
        if self.is_selection:
            return start.line, end.line - (end.character == 0 and end.line > start.line)
        return (self.place.first, self.place.last) if self.place else (0, max(0, len(self.lines) - 1))

    @property
    def name(self) -> str:
        """The subject in a title."""
        if self.place is not None:
            return self.place.name
        return tr("the selection") if self.is_selection else Path(self.path).name


@dataclass(frozen=True, slots=True)
class Choice:
    """An action before it is put in the client's form."""

    title: str
    kind: str
    what: str
    first: int
    last: int
    symbol: str = ""
    agent: str = ""
    diagnostics: Sequence[lsp.Diagnostic] = ()


def handlers(server: Connection) -> dict[str, Callable[..., Awaitable[Any]]]:
    """What answers the requests and the command."""

    async def code_action(params: lsp.CodeActionParams) -> list[lsp.CodeAction | lsp.Command]:
        if params.text_document.uri.endswith(SPECIFICATIONS):
            return await _of_specification(server, params)
        plans = idea_actions.actions(server, params) if _is_wanted(idea_actions.KIND, params.context.only) else []
        return [*plans, *await offer(server, params)]

    return {lsp.TEXT_DOCUMENT_CODE_ACTION: code_action, **code_resolve.handlers(server)}


async def offer(server: Connection, params: lsp.CodeActionParams) -> list[lsp.CodeAction | lsp.Command]:
    """The actions for a place in an open document."""
    spot = find_spot(server, params)
    if spot is None:
        return []
    refused = tr("The workspace is not trusted") if not server.editor.trusts else ""
    refused = refused or await server.code_work.models.missing(spot.folder)
    wanted = [one for one in _choices(server, spot) if _is_wanted(one.kind, params.context.only)]
    forms = [_form(server, spot, one, refused) for one in wanted]
    return [one for one in forms if one is not None]


async def _of_specification(server: Connection, params: lsp.CodeActionParams) -> list[lsp.CodeAction | lsp.Command]:
    found = await spec_actions.actions(server, params)
    return [one for one in found if _is_wanted(_name(one.kind or ""), params.context.only)]


def find_spot(server: Connection, params: lsp.CodeActionParams) -> Spot | None:
    """What a request is about; None for what is not open, lies elsewhere or is too long."""
    document = server.workspace.text_documents.get(params.text_document.uri)
    located = server.workspaces.locate(params.text_document.uri)
    if document is None or located is None or len(document.source) > MOST_CHARACTERS:
        return None
    lines = split_lines(document.source)
    place = place_at(lines, params.range.start.line)
    return Spot(*located, document, lines, place, params)


def _choices(server: Connection, spot: Spot) -> Iterator[Choice]:
    context = spot.params.context
    symbol = spot.place.name if spot.place else ""
    if context.diagnostics:
        first = min(one.range.start.line for one in context.diagnostics)
        last = max(one.range.end.line for one in context.diagnostics)
        yield Choice(tr("Fix with AgentInfra"), QUICK_FIX, "fix", first, last, symbol, diagnostics=context.diagnostics)
    if stub := stub_at(spot.lines, spot.place, spot.params.range.start.line, spot.params.range.end.line):
        yield Choice(tr("Implement {name}", name=stub), REWRITE, "implement", *spot.subject, symbol)
    if context.trigger_kind != lsp.CodeActionTriggerKind.Automatic or context.only:
        yield from _asked_for(spot, symbol)
    for agent, some in server.code_work.offers.of(spot.folder, trusted=server.editor.trusts):
        yield from _others(agent, some, spot, symbol)


def _asked_for(spot: Spot, symbol: str) -> Iterator[Choice]:
    """What nobody wants to see at every movement of the cursor."""
    if spot.place and not is_test_file(spot.path):
        place = (spot.place.first, spot.place.last)
        yield Choice(tr("Write tests for {name}", name=symbol), f"{SOURCE}.writeTests", "tests", *place, symbol)
    yield Choice(tr("Explain {name}", name=spot.name), f"{SOURCE}.explain", "explain", *spot.subject, symbol)
    yield Choice(tr("Review {name}", name=spot.name), f"{SOURCE}.review", "review", *spot.subject, symbol)


def _others(agent: str, offers: Iterable[OfferedAction], spot: Spot, symbol: str) -> Iterator[Choice]:
    diagnostics = spot.params.context.diagnostics
    for one in offers:
        fits = {"anywhere": True, "selection": spot.is_selection, "diagnostics": bool(diagnostics)}[one.where]
        if fits and (not one.files or any(fnmatch(spot.path, pattern) for pattern in one.files)):
            solved = diagnostics if one.where == "diagnostics" else ()
            yield Choice(f"{agent}: {one.title}", one.kind, one.id, *spot.subject, symbol, agent, solved)


def _is_wanted(kind: str, only: Sequence[lsp.CodeActionKind | str] | None) -> bool:
    """Whether a kind is one of those asked for, or of a finer one."""
    if only is None:
        return True
    return any(name in ("", kind) or kind.startswith(f"{name}.") for name in map(_name, only))


def _name(kind: lsp.CodeActionKind | str) -> str:
    return kind.value if isinstance(kind, lsp.CodeActionKind) else kind


def _form(server: Connection, spot: Spot, choice: Choice, refused: str) -> lsp.CodeAction | lsp.Command | None:
    """The action as the client takes it; None where it cannot show why it is not there."""
    text_document = server.client_capabilities.text_document
    able = text_document.code_action if text_document else None
    data = write(_data(spot, choice))
    command = lsp.Command(choice.title, f"agentinfra.{COMMAND}", arguments=[data])
    if able is None or not able.code_action_literal_support:
        return None if refused else command
    if refused and not able.disabled_support:
        return None
    resolves = able.data_support and able.resolve_support and "edit" in able.resolve_support.properties
    tags = able.tag_support.value_set if able.tag_support else ()
    return lsp.CodeAction(
        title=choice.title,
        kind=choice.kind,
        diagnostics=list(choice.diagnostics) or None,
        disabled=lsp.CodeActionDisabled(refused) if refused else None,
        command=None if resolves or refused else command,
        data=data if resolves else None,
        tags=[lsp.CodeActionTag.LlmGenerated] if lsp.CodeActionTag.LlmGenerated in tags else None,
    )


def _data(spot: Spot, choice: Choice) -> ActionData:
    return ActionData(
        uri=spot.document.uri,
        version=spot.document.version,
        title=choice.title,
        what=choice.what,
        first=choice.first,
        last=choice.last,
        symbol=choice.symbol,
        agent=choice.agent,
        problems=[_told(one) for one in choice.diagnostics[:MOST_PROBLEMS]],
    )


def _told(diagnostic: lsp.Diagnostic) -> str:
    severity = _SEVERITIES.get(diagnostic.severity or 1, "error")
    source = "".join(f" {part}" for part in (diagnostic.source, diagnostic.code) if part is not None)
    return f"line {diagnostic.range.start.line + 1}: {severity}{source}: {diagnostic.message}"[:MOST_SAID]
