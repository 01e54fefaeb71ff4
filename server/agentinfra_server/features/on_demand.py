"""Features whose code is loaded with their first message, so that ``initialize`` waits for nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from importlib import import_module
from typing import Any

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
    "models": ("agentinfra/models/list", "agentinfra/lm/chunk"),
    "trust": ("agentinfra/trust/granted",),
    "index": (
        "agentinfra/search",
        "agentinfra/index/get",
        "workspace/symbol",
        "workspace/didChangeWorkspaceFolders",
    ),
    "progress": ("window/workDoneProgress/cancel",),
}
COMMANDS: Mapping[str, tuple[str, ...]] = {
    "commands": ("plan", "approve", "reject", "stop", "resume", "accept", "drop", "undo", "redo"),
    "status": ("status",),
}


def register(server: Connection) -> None:
    """Register every method and command; each module's ``handlers(server)`` has them by name."""
    for module, names in MODULES.items():
        for name in names:
            server.feature(name)(_deferred(server, module, name))
    for module, verbs in COMMANDS.items():
        for verb in verbs:
            server.command(f"agentinfra.{verb}")(_deferred(server, module, verb))


def _deferred(server: Connection, module: str, name: str) -> Handler:
    async def handle(*given: Any) -> Any:
        handlers = await asyncio.to_thread(partial(_handlers, server, module))
        return await handlers[name](*given)

    return handle


def _handlers(server: Connection, module: str) -> Mapping[str, Handler]:
    if module not in server.loaded:
        server.loaded[module] = import_module(f"agentinfra_server.features.{module}").handlers(server)
    return server.loaded[module]
