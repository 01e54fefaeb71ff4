"""What is done when a code action is chosen: an edit within five seconds, or work that goes on and offers it later."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException, JsonRpcInvalidParams
from pygls.uris import to_fs_path

from agentinfra.agents.code_actions import MOST_CHARACTERS
from agentinfra.agents.test_location import test_path_for
from agentinfra.core.errors import AgentInfraError, InputError
from agentinfra.environment.folder_listing import list_files
from agentinfra.protocols.json_rpc import RpcError
from agentinfra_server.features.answering import ContentModified, Refused
from agentinfra_server.features.edits import FileChange, workspace_edit
from agentinfra_server.protocol.language import noted, tr
from agentinfra_server.protocol.message import message, read
from agentinfra_server.session.connection import Connection

RESOLVE_SECONDS = 4.5
CONFIGURATION_SECONDS = 1.0
COMMAND = "act"
_TEXTS = ("explain", "review")
_MOVED = noted("The file has changed since, so nothing was done. Choose the action again")


@message
class ActionData:
    """What an action holds until it is chosen; lines count from 0.

    Attributes:
        uri: The document.
        version: Its version.
        title: The action's.
        what: As in :class:`agentinfra.agents.code_actions.ActionRequest`.
        first: First line that is meant.
        last: Last line that is meant.
        symbol: The definition that is meant.
        agent: Who does it; "" for AgentInfra.
        problems: What diagnostics say.
    """

    uri: str
    version: int | None
    title: str
    what: str
    first: int
    last: int
    symbol: str = ""
    agent: str = ""
    problems: list[str]


@dataclass(frozen=True, slots=True)
class Base:
    """A file as it was when the work began.

    Attributes:
        folder: The workspace folder.
        path: Relative to it.
        uri: Its URI.
        version: The document's, None where it is not open.
        text: Its text; None where there is no such file.
    """

    folder: Path
    path: str
    uri: str
    version: int | None
    text: str | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an action."""

    data: ActionData
    bases: Sequence[Base]
    files: Mapping[str, str]
    text: str
    model: str


def handlers(server: Connection) -> dict[str, Callable[..., Awaitable[Any]]]:
    """What answers the request and the command."""

    async def resolve_action(action: lsp.CodeAction) -> lsp.CodeAction:
        return await resolve(server, action)

    async def act(*arguments: Any) -> dict[str, str]:
        data = await asyncio.to_thread(read, ActionData, arguments[0] if arguments else None)
        name, task = _begun(server, data)
        _go_on(server, data, name, task)
        return {"actionId": name}

    return {lsp.CODE_ACTION_RESOLVE: resolve_action, COMMAND: act}


async def resolve(server: Connection, action: lsp.CodeAction) -> lsp.CodeAction:
    """The action with its edit; without one where it takes longer, or shows a text: then the work goes on by itself.

    Raises:
        JsonRpcException: It cannot be done; the message says why.
    """
    if action.data is None or action.edit is not None:
        return action
    data = await asyncio.to_thread(read, ActionData, action.data)
    base_of(server, data)
    name, task = _begun(server, data)
    try:
        seconds = 0.0 if data.what in _TEXTS and not data.agent else RESOLVE_SECONDS
        await asyncio.wait((task,), timeout=seconds)
        if task.done():
            return await _finished(server, action, task.result())
    except asyncio.CancelledError:
        task.cancel()
        raise
    except AgentInfraError as error:
        raise Refused(error.what if isinstance(error, RpcError) else str(error)) from error
    _go_on(server, data, name, task)
    return action


def _go_on(server: Connection, data: ActionData, name: str, task: asyncio.Task[Outcome]) -> None:
    place = server.workspaces.locate(data.uri)
    server.code_work.go_on(name, task, data.title, partial(deliver, server), place[0] if place else None)


def _begun(server: Connection, data: ActionData) -> tuple[str, asyncio.Task[Outcome]]:
    try:
        return server.code_work.begin(perform(server, data))
    except InputError as error:
        raise Refused(str(error)) from error


async def _finished(server: Connection, action: lsp.CodeAction, outcome: Outcome) -> lsp.CodeAction:
    if outcome.files:
        action.edit = await _edit(server, outcome)
    else:
        await server.documents.show(outcome.bases[0].folder, outcome.data.title, outcome.text)
    return action


async def perform(server: Connection, data: ActionData) -> Outcome:
    """Have an agent do it.

    Raises:
        AgentInfraError: It could not.
        ContentModified: The document is another one by now.
    """
    if not server.editor.trusts:
        raise InputError(
            tr("The workspace is not trusted, so no agent works in it"), next_step=tr("Trust the workspace first")
        )
    base = base_of(server, data)
    tests = await asyncio.to_thread(_tests, server, base) if data.what == "tests" or data.agent else None
    request = {
        "what": data.what,
        "path": base.path,
        "text": base.text,
        "first": data.first + 1,
        "last": max(data.first, data.last) + 1,
        "symbol": data.symbol,
        "problems": data.problems,
        **({"test_path": tests.path, "test_text": tests.text or ""} if tests else {}),
    }
    asked = {"request": request, "agent": data.agent, "model": await _model(server, data.uri)}
    answer = await server.code_work.agents.act(base.folder, asked)
    bases = [base, *([tests] if tests and tests.path != base.path else [])]
    return Outcome(data, bases, answer["files"], answer["text"], answer["model"])


async def deliver(server: Connection, outcome: Outcome) -> None:
    """Offer the edit, or show the text, of an action that took its time.

    Raises:
        AgentInfraError: It cannot be applied.
        ContentModified: The document is another one by now.
    """
    title = outcome.data.title
    if not outcome.files:
        await server.documents.show(outcome.bases[0].folder, title, outcome.text)
        return
    workspace = server.client_capabilities.workspace
    if not (workspace and workspace.apply_edit):
        raise InputError(tr("It is done, but this editor takes no edits"), next_step=tr("Use one that knows applyEdit"))
    edit = await _edit(server, outcome)
    reply = await server.workspace_apply_edit_async(lsp.ApplyWorkspaceEditParams(edit, label=title))
    if not reply.applied:
        raise InputError(tr("The editor did not apply the edit"), why=reply.failure_reason or "")


def base_of(server: Connection, data: ActionData) -> Base:
    """The document as the action means it.

    Raises:
        ContentModified: It is another one by now.
        JsonRpcInvalidParams: It lies in no open folder.
    """
    document = server.workspace.text_documents.get(data.uri)
    if document is None or document.version != data.version or len(document.source) > MOST_CHARACTERS:
        raise ContentModified(tr(_MOVED))
    located = server.workspaces.locate(data.uri)
    if located is None:
        raise JsonRpcInvalidParams(tr("{uri} lies in no open folder", uri=data.uri))
    return Base(*located, data.uri, data.version, document.source)


async def _edit(server: Connection, outcome: Outcome) -> lsp.WorkspaceEdit:
    """The edit, where every file still is what it was made from."""
    known = {one.path: one for one in outcome.bases}
    for base in known.values():
        if base.path in outcome.files and await asyncio.to_thread(_now, server, base) != (base.version, base.text):
            raise ContentModified(tr(_MOVED))
    changes = [
        FileChange(known[path].uri, known[path].version, known[path].text, new) for path, new in outcome.files.items()
    ]
    units = server.workspace.position_codec.client_num_units
    who = f"{outcome.data.agent or 'AgentInfra'}, {outcome.model}"
    return await asyncio.to_thread(workspace_edit, changes, server.client_capabilities, units, outcome.data.title, who)


def _now(server: Connection, base: Base) -> tuple[int | None, str | None]:
    document = server.workspace.text_documents.get(base.uri)
    if document is not None:
        return document.version, document.source
    return None, _on_disk(Path(to_fs_path(base.uri) or ""))


def _tests(server: Connection, base: Base) -> Base:
    """Where the tests belong, and what stands there."""
    path = test_path_for(base.path, list_files(base.folder))
    found = Base(base.folder, path, (base.folder / path).as_uri(), None, None)
    version, text = _now(server, found)
    return replace(found, version=version, text=text)


def _on_disk(path: Path) -> str | None:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return file.read(MOST_CHARACTERS)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise InputError(tr("{path} cannot be read", path=path), why=str(error)) from error


async def _model(server: Connection, uri: str) -> str | None:
    """The model that the person has set in the editor."""
    workspace = server.client_capabilities.workspace
    if not (workspace and workspace.configuration):
        return None
    item = lsp.ConfigurationItem(scope_uri=uri, section="agentinfra.model")
    try:
        async with asyncio.timeout(CONFIGURATION_SECONDS):
            told = await server.workspace_configuration_async(lsp.ConfigurationParams([item]))
    except (TimeoutError, JsonRpcException):
        return None
    return told[0] if told and isinstance(told[0], str) and told[0] else None
