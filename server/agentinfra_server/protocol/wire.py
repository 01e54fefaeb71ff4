"""What comes over the line, made safe: every request gets an answer, and our own methods keep their parameters raw.

pygls leaves a request unanswered when its parameters cannot be read, structures every inner object that looks like a
message, and turns parameters of methods it does not know into named tuples. Here a message is read once, as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, cast

from lsprotocol.types import (
    EXIT,
    INITIALIZE,
    InitializeParams,
    InitializeResult,
    ResponseError,
    TextDocumentContentOptions,
)
from pygls.exceptions import JsonRpcException, JsonRpcInvalidRequest
from pygls.protocol import LanguageServerProtocol
from pygls.protocol.json_rpc import JsonRPCNotification, JsonRPCRequestMessage, JsonRPCResponseMessage
from pygls.protocol.language_server import lsp_method

from agentinfra_server.protocol.language import ENGLISH, catalogue, speak
from agentinfra_server.protocol.message import VERSION

OWN = "agentinfra/"


class NotInitialized(JsonRpcException):
    """A request before ``initialize``."""

    CODE = -32002
    MESSAGE = "The server is not initialized"


class Wire(LanguageServerProtocol):
    """The protocol of this server."""

    is_initialized = False
    admits: Callable[[object], bool] | None = None
    """Says by its initialization options whether a client is let in; None lets in whoever holds the other end."""
    is_trusted = False
    """Whether the client said so in its initialization options, or later."""
    messages = ENGLISH
    """What people read here, in their language."""

    @lsp_method(INITIALIZE)
    def lsp_initialize(self, params: InitializeParams) -> Generator[Any, Any, InitializeResult]:
        """Answer as pygls does, and name the version of our own methods."""
        options = params.initialization_options
        self.messages = catalogue(params.locale)
        self.is_trusted = isinstance(options, dict) and cast("dict[str, Any]", options).get("trusted") is True
        result = yield from super().lsp_initialize(params)
        result.capabilities.experimental = {"agentinfra": {"version": VERSION}}
        workspace = params.capabilities.workspace
        if workspace and workspace.text_document_content and result.capabilities.workspace:
            # pygls does not tell of it.
            result.capabilities.workspace.text_document_content = TextDocumentContentOptions(["agentinfra"])
        return result

    def structure_message(self, data: dict[str, Any]) -> dict[str, Any]:
        """Leave every object as it is; :meth:`handle_message` reads the whole."""
        return data

    def handle_message(self, message: Any) -> None:
        """Answer a request, heed a notification, or take an answer."""
        speak(self.messages)
        if not isinstance(message, dict):
            self.refuse(None, JsonRpcInvalidRequest("a message is an object"))
            return
        data = cast("dict[str, Any]", message)
        method, number = data.get("method"), data.get("id")
        is_request = "id" in data and "method" in data
        refusal = self._refusal(data, method, number, is_request=is_request)
        if refusal is not None:
            if is_request or method is None:
                self.refuse(number, refusal)
            return
        self._take(data, number if is_request else None)

    def refuse(self, number: object, error: JsonRpcException) -> None:
        """Answer with an error; for a message without a usable id it names none."""
        usable = number if isinstance(number, int | str) and not isinstance(number, bool) else None
        body = {"code": error.code, "message": error.message}
        self._send_data({"jsonrpc": self.VERSION, "id": usable, "error": body})

    def _refusal(
        self, data: dict[str, Any], method: object, number: object, *, is_request: bool
    ) -> JsonRpcException | None:
        if data.get("jsonrpc") != self.VERSION:
            return JsonRpcInvalidRequest("jsonrpc is not 2.0")
        if "method" not in data:
            return None if "id" in data else JsonRpcInvalidRequest("a message has a method or an id")
        if not isinstance(method, str):
            return JsonRpcInvalidRequest("method is a text")
        if is_request and (isinstance(number, bool) or not isinstance(number, int | str)):
            return JsonRpcInvalidRequest("id is a number or a text")
        return self._untimely(method, number if is_request else None) or self._unknown(data)

    def _untimely(self, method: str, number: Any) -> JsonRpcException | None:
        if number is not None and number in self._request_futures:
            return JsonRpcInvalidRequest(f"request {number} is open")
        if self._shutdown and method != EXIT:
            return JsonRpcInvalidRequest("the server is shutting down")
        if not self.is_initialized and method not in (INITIALIZE, EXIT):
            return NotInitialized()
        return None

    def _unknown(self, data: dict[str, Any]) -> JsonRpcException | None:
        if self.admits is None or data.get("method") != INITIALIZE:
            return None
        params = data.get("params")
        options = cast("dict[str, Any]", params).get("initializationOptions") if isinstance(params, dict) else None
        return None if self.admits(options) else JsonRpcInvalidRequest("initializationOptions.token is not the one")

    def _take(self, data: dict[str, Any], number: Any) -> None:
        self.is_initialized = self.is_initialized or data.get("method") == INITIALIZE
        try:
            structured = self._structured(data)
        except JsonRpcException as error:
            if number is not None:
                self.refuse(number, error)
            return
        super().handle_message(structured)

    def _handle_response(self, msg_id: int | str, result: Any = None, error: ResponseError | None = None) -> None:
        future = self._request_futures.get(msg_id)
        if future is not None and future.cancelled():
            del self._request_futures[msg_id]  # nobody waits for it any more
            return
        super()._handle_response(msg_id, result, error)

    def _structured(self, data: dict[str, Any]) -> Any:
        if "method" not in data and "error" not in data and not self._result_types.get(data["id"]):
            return JsonRPCResponseMessage(data["id"], self.VERSION, data.get("result"))
        method = data.get("method", "")
        if not method.startswith(OWN):
            structured = super().structure_message(data)
            if "id" in data and not hasattr(structured, "id"):
                raise JsonRpcInvalidRequest(f"{method} is a notification")
            return structured
        if "id" in data:
            return JsonRPCRequestMessage(data["id"], method, self.VERSION, data.get("params"))
        return JsonRPCNotification(method, self.VERSION, data.get("params"))
