"""One editor's connection: the protocol, and everything that lasts as long as it."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from pygls.exceptions import JsonRpcParseError
from pygls.lsp.server import LanguageServer

from agentinfra import __version__
from agentinfra_server.protocol.wire import Wire
from agentinfra_server.session.editor import Editor
from agentinfra_server.session.runs import Runs
from agentinfra_server.session.workspaces import Workspaces

if TYPE_CHECKING:
    from pygls.server import ServerErrors


class Connection(LanguageServer):
    """One editor's server.

    Attributes:
        may_exit: Whether the editor asked for the shutdown; leaving without it is a failure by the protocol.
        workspaces: The open folders.
        editor: The editor and the person before it.
        runs: The runs at work.
    """

    def __init__(self) -> None:
        super().__init__("agentinfra-server", __version__, protocol_cls=Wire)  # pyright: ignore[reportUnknownMemberType]  (its *args have no type)
        self.may_exit = False
        self.workspaces = Workspaces(self._folders)
        self.editor = Editor(self)
        self.runs = Runs(self.editor, self.workspaces)

    @property
    def wire(self) -> Wire:
        """The connection's protocol."""
        return cast("Wire", self.protocol)

    def report_server_error(self, error: Exception, source: ServerErrors) -> None:  # noqa: ARG002  (pygls's own signature)
        """Answer what is no JSON; everything else was answered where it happened."""
        if isinstance(error, ValueError | RecursionError):
            self.wire.refuse(None, JsonRpcParseError(str(error)))

    def _folders(self) -> list[str]:
        uris = [folder.uri for folder in self.workspace.folders.values()]
        return uris or [uri for uri in (self.workspace.root_uri,) if uri]
