"""Whether the person trusts the workspace: told when the connection begins, and once more when they come to."""

from __future__ import annotations

from agentinfra_server.features.answering import Handler
from agentinfra_server.session.connection import Connection


def handlers(server: Connection) -> dict[str, Handler]:
    """What heeds the notification."""
    return {"agentinfra/trust/granted": server.editor.take_trust}
