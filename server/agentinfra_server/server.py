"""The server: everything that it offers, registered on one connection."""

from __future__ import annotations

from lsprotocol.types import SHUTDOWN

from agentinfra_server.features import on_demand
from agentinfra_server.protocol.refusals import log_refusals_in_one_line
from agentinfra_server.session.connection import Connection


def create_server() -> Connection:
    """Build a server with all its features; nothing runs before ``start_io``."""
    log_refusals_in_one_line()
    server = Connection()
    for feature in (on_demand,):
        feature.register(server)

    async def shutdown(*_params: object) -> None:
        await server.end()

    server.feature(SHUTDOWN)(shutdown)
    return server
