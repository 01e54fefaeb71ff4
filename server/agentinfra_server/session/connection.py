"""One editor's connection: the protocol, and everything that lasts as long as it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from pygls.exceptions import JsonRpcParseError
from pygls.lsp.server import LanguageServer

from agentinfra import __version__
from agentinfra_server.protocol.wire import Wire
from agentinfra_server.session.workspaces import Workspaces

if TYPE_CHECKING:
    from pathlib import Path

    from pygls.server import ServerErrors

    from agentinfra_server.session.answers import Answers
    from agentinfra_server.session.approvals import Approvals
    from agentinfra_server.session.code_work import CodeWork
    from agentinfra_server.session.editor import Editor
    from agentinfra_server.session.indexes import Indexes
    from agentinfra_server.session.provenance import Provenance
    from agentinfra_server.session.run_documents import RunDocuments
    from agentinfra_server.session.run_findings import RunFindings
    from agentinfra_server.session.runs import Runs
    from agentinfra_server.session.spec_documents import SpecDocuments
    from agentinfra_server.session.virtual_documents import VirtualDocuments


class Connection(LanguageServer):
    """One editor's server.

    Attributes:
        may_exit: Whether the editor asked for the shutdown; leaving without it is a failure by the protocol.
        workspaces: The open folders.
        provenance: Where the code of each folder comes from, as far as somebody asked.
        loaded: Handlers of the features that were needed so far, by module.
    """

    def __init__(self) -> None:
        super().__init__("agentinfra-server", __version__, protocol_cls=Wire)  # pyright: ignore[reportUnknownMemberType]  (its *args have no type)
        self.may_exit = False
        self.workspaces = Workspaces(self._folders)
        self.loaded: dict[str, Mapping[str, Any]] = {}
        self.provenance: dict[Path, Provenance] = {}

    @cached_property
    def editor(self) -> Editor:
        """The editor and the person before it."""
        from agentinfra_server.session.editor import Editor  # noqa: PLC0415  (not before the first message of ours)

        return Editor(self)

    @cached_property
    def runs(self) -> Runs:
        """The runs at work."""
        from agentinfra_server.session.runs import Runs  # noqa: PLC0415  (not before the first message of ours)

        return Runs(self.editor, self.workspaces)

    @cached_property
    def indexes(self) -> Indexes:
        """The indexes of the folders."""
        from agentinfra_server.session.indexes import Indexes  # noqa: PLC0415  (heavy: not before the first question)

        return Indexes(self.editor, self.workspaces)

    @cached_property
    def spec_documents(self) -> SpecDocuments:
        """The open specifications."""
        from agentinfra_server.session.spec_documents import SpecDocuments  # noqa: PLC0415  (not before the first)

        return SpecDocuments(self)

    @cached_property
    def run_documents(self) -> RunDocuments:
        """The specifications and tasks of runs."""
        from agentinfra_server.session.run_documents import RunDocuments  # noqa: PLC0415  (not before the first)

        return RunDocuments(self)

    @cached_property
    def answers(self) -> Answers:
        """What is answered in specifications."""
        from agentinfra_server.session.answers import Answers  # noqa: PLC0415  (not before the first specification)

        return Answers(self)

    @cached_property
    def approvals(self) -> Approvals:
        """What was approved by a specification's front matter."""
        from agentinfra_server.session.approvals import Approvals  # noqa: PLC0415  (not before the first specification)

        return Approvals(self)

    @cached_property
    def run_findings(self) -> RunFindings:
        """What the reviews of the last runs found."""
        from agentinfra_server.session.run_findings import RunFindings  # noqa: PLC0415  (not before the first)

        return RunFindings(self)

    @cached_property
    def code_work(self) -> CodeWork:
        """The code actions at work."""
        from agentinfra_server.session.code_work import CodeWork  # noqa: PLC0415  (not before the first of them)

        return CodeWork(self)

    @cached_property
    def documents(self) -> VirtualDocuments:
        """The texts that lie in no file."""
        from agentinfra_server.session.virtual_documents import VirtualDocuments  # noqa: PLC0415  (as above)

        return VirtualDocuments(self)

    async def end(self) -> None:
        """Stop every run, so that it can be resumed, and all else, and note that the editor said goodbye."""
        for name in ("runs", "code_work", "indexes", "spec_documents", "run_documents", "run_findings"):
            if name in self.__dict__:
                await self.__dict__[name].aclose()
        self.workspaces.close()
        self.may_exit = True

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
