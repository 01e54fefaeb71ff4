"""The editor as the runs see it: its own views where it has them, plain message boxes where it has not."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException
from pygls.uris import to_fs_path

from agentinfra.protocols.json_rpc import RpcError
from agentinfra.workflow.run_state import RunState
from agentinfra_server.protocol.language import noted, tr
from agentinfra_server.protocol.message import VERSION, read, write
from agentinfra_server.protocol.messages import (
    IndexStatus,
    PermissionParams,
    PermissionResult,
    QuestionParams,
    QuestionResult,
    RunEnded,
    RunUpdate,
    SecretResult,
)
from agentinfra_server.session.client import OnChunk
from agentinfra_server.session.progress import Progress
from agentinfra_server.session.run_findings import REVIEWED

if TYPE_CHECKING:
    from agentinfra_server.session.connection import Connection

ALLOW, DENY = noted("Allow"), noted("Deny")
APPROVE, REJECT = noted("Approve & build"), noted("Reject")
MOST_CHOICES = 4


class Editor:
    """Implements :class:`agentinfra_server.session.client.Client` over the connection.

    Args:
        server: The connection.
    """

    def __init__(self, server: Connection) -> None:
        self._server = server
        self._progress = Progress(server)
        self._listeners: dict[str, OnChunk] = {}

    def can(self, ability: str) -> bool:
        """Whether the editor said that it has a part of our own protocol, such as "lm" or "secret"."""
        experimental = self._server.client_capabilities.experimental
        own = _fields(experimental).get("agentinfra")
        told = _fields(own)
        return told.get("version") == VERSION and bool(told.get(ability))

    @property
    def trusts(self) -> bool:
        """Whether the person trusts the workspace; an editor that knows no trust has opened what its person trusts."""
        return self._server.wire.is_trusted or not self.can("trust")

    async def take_trust(self, _params: object) -> None:
        """The person trusts the workspace from now on."""
        self._server.wire.is_trusted = True

    async def ask(self, question: QuestionParams) -> str | None:
        """Put a question; an approval is asked for in the editor's own way only where that is a message box."""
        if question.kind == "approve" and self._is_given(question):
            return "approve"
        if self.can("questions"):
            if question.kind == "approve":
                return None  # it shows the specification, and says plan/decide
            answer = read(QuestionResult, await self._request("agentinfra/question/ask", write(question)))
            return answer.content if answer.action == "accept" else None
        if question.kind == "approve":
            await self._show(question.uri or "")
            chosen = await self._choose(question.message, [tr(APPROVE), tr(REJECT)])
            return {tr(APPROVE): "approve", tr(REJECT): "reject"}.get(chosen or "")
        return await self._put(question)

    async def _put(self, question: QuestionParams) -> str | None:
        """Put a question in a message box where its answers fit there; else, or unanswered, it is left in spec.md."""
        path = await self._server.run_documents.questions(question.run_id)
        if 0 < len(question.options) <= MOST_CHOICES:
            chosen = await self._choose(f"{question.message} {question.why}".strip(), question.options)
            if chosen is not None or path is None:
                return chosen
        if path is not None:
            await self._show(path.as_uri())
        return None

    def _is_given(self, question: QuestionParams) -> bool:
        """Whether the person approved this very text by its front matter, while the run did not ask about it yet."""
        path = to_fs_path(question.uri or "")
        return path is not None and self._server.approvals.is_given(Path(path), question.spec_sha or "")

    async def permit(self, permission: PermissionParams) -> bool:
        """Ask for a permission; everything but a clear yes denies."""
        try:
            if self.can("permissions"):
                told = await self._request("agentinfra/permission/request", write(permission))
                return read(PermissionResult, told).outcome == "allow"
            asked = f"{permission.title}\n\n{permission.detail}"
            return await self._choose(asked, [tr(ALLOW), tr(DENY)]) == tr(ALLOW)
        except (RpcError, JsonRpcException):
            return False

    async def secret(self, name: str) -> str | None:
        """A secret of the editor's store."""
        if not self.can("secrets"):
            return None
        try:
            return read(SecretResult, await self._request("agentinfra/secret/get", {"name": name})).value
        except (RpcError, JsonRpcException):
            return None

    async def ask_model(self, params: Mapping[str, Any], on_chunk: OnChunk) -> Mapping[str, Any]:
        """Have one of the editor's models answer.

        Raises:
            RpcError: The editor refused, or has no models.
        """
        if not self.can("models"):
            raise RpcError(-33003, "the editor offers no models")
        request = str(params.get("requestId", ""))
        self._listeners[request] = on_chunk
        try:
            return _fields(await self._request("agentinfra/lm/request", params))
        finally:
            del self._listeners[request]

    async def count_tokens(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """Have the editor count tokens.

        Raises:
            RpcError: The editor refused, or has no models.
        """
        if not self.can("models"):
            raise RpcError(-33003, "the editor offers no models")
        return _fields(await self._request("agentinfra/lm/countTokens", params))

    async def take_chunk(self, params: object) -> None:
        """Hand a piece of an answer to who asked for it; one that nobody waits for is dropped."""
        fields = _fields(params)
        listener = self._listeners.get(str(fields.get("requestId")))
        if listener is not None:
            await listener(fields)

    async def tell_update(self, update: RunUpdate) -> None:
        """Hand over new events, where the editor understands them."""
        self._notify("agentinfra/run/update", update)
        if not REVIEWED.isdisjoint(event.kind for event in update.events):
            self._server.run_findings.changed(self._server.workspaces.folder(update.folder))

    async def tell_progress(self, state: RunState) -> None:
        """Show how far a run is in the editor's own display."""
        await self._progress.show(state)
        await self._server.run_documents.take(state)

    async def tell_end(self, ended: RunEnded) -> None:
        """Tell how a run ended."""
        self._notify("agentinfra/run/ended", ended)
        if ended.message and not self.can("questions"):
            text = ". ".join(part.rstrip(".") for part in (ended.message, ended.why, ended.next) if part)
            self._server.window_show_message(lsp.ShowMessageParams(lsp.MessageType.Warning, text))

    async def tell_index(self, status: IndexStatus) -> None:
        """Tell how far the index of a folder is."""
        self._notify("agentinfra/index/update", status)

    def _notify(self, method: str, value: object) -> None:
        if self.can("updates"):
            self._server.protocol.notify(method, write(value))

    async def _request(self, method: str, params: Mapping[str, Any]) -> Any:
        number = uuid.uuid4().hex
        try:
            return await self._server.protocol.send_request_async(method, dict(params), number)
        except JsonRpcException as error:
            raise RpcError(error.code, error.message, error.data) from error
        except asyncio.CancelledError:  # answered elsewhere, or the run is over
            self._server.protocol.notify(lsp.CANCEL_REQUEST, lsp.CancelParams(number))
            raise

    async def _choose(self, text: str, choices: list[str]) -> str | None:
        actions = [lsp.MessageActionItem(choice) for choice in choices]
        params = lsp.ShowMessageRequestParams(lsp.MessageType.Info, text, actions)
        try:
            chosen = await self._server.window_show_message_request_async(params)
        except JsonRpcException:
            return None
        return chosen.title if chosen else None

    async def _show(self, uri: str) -> None:
        window = self._server.client_capabilities.window
        if uri and window and window.show_document and window.show_document.support:
            try:
                async with asyncio.timeout(5):
                    await self._server.window_show_document_async(lsp.ShowDocumentParams(uri, take_focus=True))
            except (TimeoutError, JsonRpcException):
                return  # a message box follows anyway


def _fields(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
