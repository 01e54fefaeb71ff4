"""JSON-RPC 2.0 with a message a line, both ways over one pair of streams.

The framing of the Model Context Protocol and of the Agent Client Protocol over standard input and output:
UTF-8, one message a line, no line breaks within. ``$/cancelRequest`` with the ``id`` withdraws a request, as in the
Language Server Protocol; a protocol may say it otherwise.
"""

from __future__ import annotations

import asyncio
import functools
import itertools
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

from agentinfra.core.errors import AgentInfraError

LINE_BYTES = 16 * 1024 * 1024
MOST_OPEN = 1000
CANCEL = "$/cancelRequest"
PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND = -32700, -32600, -32601
INVALID_PARAMS, INTERNAL_ERROR, REQUEST_CANCELLED = -32602, -32603, -32800

Params = Mapping[str, Any]
Handler = Callable[[Params], Awaitable[Any]]


class RpcError(AgentInfraError):
    """The other side refused a request.

    Attributes:
        code: The number of JSON-RPC, or one of its own.
        data: What it added.
    """

    def __init__(self, code: int, message: str, data: object = None) -> None:
        super().__init__(message)
        self.code = code
        self.data = data


class ConnectionLost(AgentInfraError):
    """The other side is gone; what was asked of it is not answered any more."""


class Writer(Protocol):
    """Where messages go; an :class:`asyncio.StreamWriter` is one."""

    def write(self, data: bytes, /) -> None:
        """Take the bytes; they may be sent later."""
        ...

    async def drain(self) -> None:
        """Wait until there is room."""
        ...


@dataclass
class JsonRpcPeer:
    """One side of a connection.

    Messages are handled side by side, but for notifications, which are handled in order: each ends before the next
    message is read.

    Args:
        reader: Its lines; its limit should be :data:`LINE_BYTES`.
        writer: Where messages go.
        handlers: Requests and notifications of the other side, by method. What a handler raises goes back as an error.
        most_open: Requests of the other side that may be open; more are refused.
        withdrawal: The notification that withdraws a request, and its field that holds the request's id.
    """

    reader: asyncio.StreamReader
    writer: Writer
    handlers: Mapping[str, Handler] = field(default_factory=dict[str, Handler])
    most_open: int = MOST_OPEN
    withdrawal: tuple[str, str] = (CANCEL, "id")
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1), init=False)
    _asked: dict[int, asyncio.Future[Any]] = field(default_factory=dict[int, "asyncio.Future[Any]"], init=False)
    _answering: dict[object, asyncio.Task[None]] = field(default_factory=dict[object, "asyncio.Task[None]"], init=False)
    _is_lost: bool = field(default=False, init=False)

    async def request(self, method: str, params: Params) -> Any:
        """Ask the other side and wait for its result; cancelling withdraws the request.

        Raises:
            RpcError: It refused.
            ConnectionLost: It is gone.
        """
        if self._is_lost:
            raise _lost(method)
        number = next(self._numbers)
        answer = self._asked[number] = asyncio.get_running_loop().create_future()
        try:
            await self._send({"id": number, "method": method, "params": dict(params)})
            return await answer
        except asyncio.CancelledError:
            method, name = self.withdrawal
            self._post({"method": method, "params": {name: number}})
            raise
        finally:
            del self._asked[number]

    async def notify(self, method: str, params: Params) -> None:
        """Tell the other side, which does not answer; nothing happens where it is gone."""
        await self._send({"method": method, "params": dict(params)})

    async def serve(self) -> None:
        """Handle what comes, until the other side closes its end; then everything open ends."""
        try:
            while line := await self._line():
                await self._take(line)
        finally:
            self._is_lost = True
            for number, answer in self._asked.items():
                if not answer.done():
                    answer.set_exception(_lost(f"request {number}"))
            tasks = tuple(self._answering.values())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _line(self) -> bytes:
        try:
            return await self.reader.readline()
        except (ValueError, ConnectionError, OSError):  # longer than the limit, or the pipe broke
            return b""

    async def _take(self, line: bytes) -> None:
        try:
            message = cast("object", json.loads(line))
        except (ValueError, RecursionError) as error:
            self._refuse(None, PARSE_ERROR, str(error))
            return
        if not isinstance(message, dict):
            self._refuse(None, INVALID_REQUEST, "a message is an object")
            return
        await self._dispatch(cast("dict[str, Any]", message))

    async def _dispatch(self, message: dict[str, Any]) -> None:
        method, params, number = message.get("method"), message.get("params", {}), message.get("id")
        if method is None:
            self._settle(message)
        elif not isinstance(method, str) or not isinstance(params, dict):
            self._refuse(number, INVALID_REQUEST, "method is a text and params an object")
        elif method == self.withdrawal[0]:
            self._cancel(cast("Params", params).get(self.withdrawal[1]))
        elif number is None:
            await self._hear(method, cast("Params", params))
        else:
            self._begin(number, method, cast("Params", params))

    def _begin(self, number: object, method: str, params: Params) -> None:
        if not isinstance(number, int | str) or number in self._answering:
            self._refuse(number, INVALID_REQUEST, "id is a number or text that no open request has")
        elif len(self._answering) >= self.most_open:
            self._refuse(number, INTERNAL_ERROR, f"more than {self.most_open} requests are open")
        else:
            task = asyncio.create_task(self._answer(number, method, params))
            self._answering[number] = task
            task.add_done_callback(functools.partial(self._ended, number))

    def _ended(self, number: int | str, task: asyncio.Task[None]) -> None:
        del self._answering[number]
        if task.cancelled():  # perhaps before it began
            self._refuse(number, REQUEST_CANCELLED, "the request was withdrawn")

    def _cancel(self, number: object) -> None:
        if isinstance(number, int | str) and (task := self._answering.get(number)):
            task.cancel()

    def _settle(self, message: Mapping[str, Any]) -> None:
        number = message.get("id")
        answer = self._asked.get(number) if isinstance(number, int) else None
        if answer is None or answer.done():
            return  # withdrawn, or never asked
        if "error" in message:
            answer.set_exception(_error(message["error"]))
        else:
            answer.set_result(message.get("result"))

    async def _hear(self, method: str, params: Params) -> None:
        handler = self.handlers.get(method)
        if handler is not None:
            try:
                await handler(params)
            except AgentInfraError as error:
                self._refuse(None, INTERNAL_ERROR, str(error))

    async def _answer(self, number: object, method: str, params: Params) -> None:
        """The boundary of a handler: whatever it raises becomes an answer."""
        handler = self.handlers.get(method)
        try:
            if handler is None:
                raise RpcError(METHOD_NOT_FOUND, f"there is no method {method}")
            await self._send({"id": number, "result": await handler(params)})
        except RpcError as error:
            self._refuse(number, error.code, error.what, error.data)
        except Exception as error:
            self._refuse(number, INTERNAL_ERROR, str(error) or type(error).__name__, {"kind": type(error).__name__})

    def _refuse(self, number: object, code: int, message: str, data: object = None) -> None:
        error = {"code": code, "message": message, **({"data": data} if data is not None else {})}
        self._post({"id": number, "error": error})

    async def _send(self, message: Mapping[str, Any]) -> None:
        self._post(message)
        try:
            await self.writer.drain()
        except (ConnectionError, OSError):
            return  # the end of reading tells everybody

    def _post(self, message: Mapping[str, Any]) -> None:
        if not self._is_lost:
            self.writer.write(json.dumps({"jsonrpc": "2.0", **message}, ensure_ascii=False).encode() + b"\n")


def _error(found: object) -> RpcError:
    fields = cast("Mapping[str, Any]", found if isinstance(found, dict) else {})
    code = fields.get("code")
    return RpcError(
        code if isinstance(code, int) else INTERNAL_ERROR, str(fields.get("message", "refused")), fields.get("data")
    )


def _lost(what: str) -> ConnectionLost:
    return ConnectionLost(f"The other side is gone; {what} is not answered")
