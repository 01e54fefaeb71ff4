"""What runs need of the person's editor; features implement it over the protocol."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from agentinfra.protocols.json_rpc import RpcError
from agentinfra.workflow.run_state import RunState
from agentinfra_server.protocol.messages import PermissionParams, QuestionParams, RunEnded, RunUpdate

OnChunk = Callable[[Mapping[str, Any]], Awaitable[None]]
NO_MODELS = -33003


class Client(Protocol):
    """The editor and the person before it."""

    async def ask(self, question: QuestionParams) -> str | None:
        """Put a question in the editor's own way; None where it was left open there."""
        ...

    async def permit(self, permission: PermissionParams) -> bool:
        """Ask for a permission; False where nobody answers."""
        ...

    async def secret(self, name: str) -> str | None:
        """A secret that the editor keeps, None where it keeps none."""
        ...

    async def ask_model(self, params: Mapping[str, Any], on_chunk: OnChunk) -> Mapping[str, Any]:
        """Have one of the editor's models answer.

        Raises:
            RpcError: The editor refused, with its code.
        """
        ...

    async def count_tokens(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """Have the editor count tokens.

        Raises:
            RpcError: The editor refused.
        """
        ...

    async def tell_update(self, update: RunUpdate) -> None:
        """Hand over new events."""
        ...

    async def tell_progress(self, state: RunState) -> None:
        """Show how far a run is."""
        ...

    async def tell_end(self, ended: RunEnded) -> None:
        """Tell how a run of this server ended."""
        ...


class LendsNothing:
    """The part of a :class:`Client` whose protocol keeps no secrets and lends no models."""

    async def secret(self, name: str) -> str | None:  # noqa: ARG002  (the protocol keeps none)
        """None; keys come with the environment."""
        return None

    async def ask_model(self, params: Mapping[str, Any], on_chunk: OnChunk) -> Mapping[str, Any]:  # noqa: ARG002
        """Refuse: the protocol lends no models.

        Raises:
            RpcError: Always.
        """
        raise RpcError(NO_MODELS, "the editor offers no models")

    async def count_tokens(self, params: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: ARG002
        """Refuse: the protocol lends no models.

        Raises:
            RpcError: Always.
        """
        raise RpcError(NO_MODELS, "the editor offers no models")
