"""From a function of a message to a handler that reads its parameters and tells errors of ours in full."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from pygls.exceptions import JsonRpcException, JsonRpcInvalidParams

from agentinfra.core.errors import AgentInfraError, InputError
from agentinfra_server.protocol.message import read, write
from agentinfra_server.session.connection import Connection

T = TypeVar("T")
Handler = Callable[[Any], Awaitable[Any]]


class Refused(JsonRpcException):
    """A request that was understood and cannot be done; the message says why and what to do."""

    CODE = -32803
    MESSAGE = "The request failed"


class ContentModified(JsonRpcException):
    """What was decided about has changed meanwhile."""

    CODE = -32801
    MESSAGE = "The specification was edited since"


def answering(server: Connection, kind: type[T], handle: Callable[[Connection, T], Awaitable[object]]) -> Handler:
    """A handler of the raw parameters of a method.

    Args:
        server: The connection.
        kind: The message that the parameters are.
        handle: What to do with it; its result is a message, too.
    """

    async def answer(params: Any) -> Any:
        given = await asyncio.to_thread(read, kind, params)
        try:
            return write(await handle(server, given))
        except InputError as error:
            raise JsonRpcInvalidParams(str(error)) from error
        except AgentInfraError as error:
            raise Refused(str(error)) from error

    return answer
