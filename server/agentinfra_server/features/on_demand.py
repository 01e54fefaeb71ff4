"""Features whose code is loaded with their first message, so that ``initialize`` waits for nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from importlib import import_module
from typing import Any

from lsprotocol import types as lsp

from agentinfra_server.session.connection import Connection

Handler = Callable[..., Awaitable[Any]]

MODULES: Mapping[str, tuple[str, ...]] = {
    "runs": (
        "agentinfra/run/start",
        "agentinfra/run/get",
        "agentinfra/run/view",
        "agentinfra/run/control",
        "agentinfra/plan/decide",
        "agentinfra/change/decide",
        "agentinfra/change/show",
    ),
    "steering": ("agentinfra/run/send", "agentinfra/task/retry", "agentinfra/change/review"),
    "models": ("agentinfra/models/list", "agentinfra/lm/chunk"),
    "trust": ("agentinfra/trust/granted",),
    "index": (
        "agentinfra/search",
        "agentinfra/index/get",
        "workspace/symbol",
        "workspace/didChangeWorkspaceFolders",
    ),
    "progress": ("window/workDoneProgress/cancel",),
    "code_actions": (lsp.TEXT_DOCUMENT_CODE_ACTION, lsp.CODE_ACTION_RESOLVE),
    "documents": (
        lsp.TEXT_DOCUMENT_DID_OPEN,
        lsp.TEXT_DOCUMENT_DID_CHANGE,
        lsp.TEXT_DOCUMENT_DID_SAVE,
        lsp.TEXT_DOCUMENT_DID_CLOSE,
        lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES,
    ),
    "spec_reading": (
        lsp.TEXT_DOCUMENT_DIAGNOSTIC,
        lsp.TEXT_DOCUMENT_DOCUMENT_SYMBOL,
        lsp.TEXT_DOCUMENT_FOLDING_RANGE,
        lsp.TEXT_DOCUMENT_DOCUMENT_LINK,
        lsp.TEXT_DOCUMENT_HOVER,
        lsp.TEXT_DOCUMENT_DEFINITION,
    ),
    "spec_references": (lsp.TEXT_DOCUMENT_REFERENCES, lsp.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT),
    "spec_lenses": (lsp.TEXT_DOCUMENT_CODE_LENS,),
    "virtual_documents": (lsp.WORKSPACE_TEXT_DOCUMENT_CONTENT,),
}
OPTIONS: Mapping[str, Any] = {
    lsp.TEXT_DOCUMENT_DIAGNOSTIC: lsp.DiagnosticOptions(
        inter_file_dependencies=True, workspace_diagnostics=False, identifier="agentinfra"
    ),
    lsp.TEXT_DOCUMENT_DID_SAVE: lsp.SaveOptions(include_text=True),
    lsp.TEXT_DOCUMENT_CODE_LENS: lsp.CodeLensOptions(resolve_provider=False),
    lsp.TEXT_DOCUMENT_CODE_ACTION: lsp.CodeActionOptions(
        code_action_kinds=("quickfix", "refactor.rewrite", "source.agentinfra"), resolve_provider=True
    ),
}
COMMANDS: Mapping[str, tuple[str, ...]] = {
    "commands": ("plan", "approve", "reject", "stop", "resume", "retry", "send", "accept", "drop", "undo", "redo"),
    "status": ("status",),
    "code_actions": ("act",),
}


def register(server: Connection) -> None:
    """Register every method and command; each module's ``handlers(server)`` has them by name."""
    turn = asyncio.Lock()
    for module, names in MODULES.items():
        for name in names:
            server.feature(name, OPTIONS.get(name))(deferred(server, turn, module, name))
    for module, verbs in COMMANDS.items():
        for verb in verbs:
            server.command(f"agentinfra.{verb}")(deferred(server, turn, module, verb))


def deferred(server: Connection, turn: asyncio.Lock, module: str, name: str) -> Handler:
    """A handler that loads its module with its first message.

    Args:
        server: The connection.
        turn: Held while a module loads: what comes meanwhile is begun after it, in its order.
        module: The name of the module in this package.
        name: Which of its handlers.
    """

    async def handle(*given: Any) -> Any:
        async with turn:
            handlers = server.loaded.get(module) or await asyncio.to_thread(partial(_handlers, server, module))
        return await handlers[name](*given)

    return handle


def _handlers(server: Connection, module: str) -> Mapping[str, Handler]:
    if module not in server.loaded:
        server.loaded[module] = import_module(f"agentinfra_server.features.{module}").handlers(server)
    return server.loaded[module]
