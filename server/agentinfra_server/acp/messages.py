"""What an editor says in the Agent Client Protocol, version 1, as far as it is used here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any, TypeVar, cast

from agentinfra.core.errors import InputError
from agentinfra.protocols.json_rpc import INVALID_PARAMS, RpcError
from agentinfra_server.protocol.message import message, parse

VERSION = 1
RESOURCE_NOT_FOUND = -32002
WITHDRAWAL = ("$/cancel_request", "requestId")

Update = dict[str, Any]
"""The ``update`` of a ``session/update``."""

T = TypeVar("T")


@message
class FileAccess:
    """Whether the editor shows files as it has them, unsaved edits included, and writes them."""

    read_text_file: bool = False
    write_text_file: bool = False


@message
class ClientCapabilities:
    """What the editor can do for an agent."""

    fs: FileAccess | None = None


@message
class InitializeParams:
    """The newest version that the editor speaks (old editors say it as a date), and what it can do."""

    protocol_version: int | str
    client_capabilities: ClientCapabilities | None = None


@message
class AuthenticateParams:
    """How to log in; nothing needs it."""

    method_id: str


@message
class NewSessionParams:
    """Where to work: an absolute path."""

    cwd: str


@message
class LoadSessionParams:
    """A session of before, and where it worked."""

    session_id: str
    cwd: str


@message
class ListSessionsParams:
    """Where the sessions worked; everywhere that this process knows of where it is left out."""

    cwd: str | None = None
    cursor: str | None = None


@message
class Resource:
    """A file's text that comes along; ``text`` is None for what is no text."""

    uri: str
    text: str | None = None


@message
class Block:
    """A piece of a prompt; which fields it has depends on its type."""

    type: str
    text: str | None = None
    name: str | None = None
    uri: str | None = None
    resource: Resource | None = None


@message
class PromptParams:
    """What the person says."""

    session_id: str
    prompt: list[Block] = field(default_factory=list[Block])


@message
class SessionParams:
    """Which session is meant."""

    session_id: str


@message
class SetModeParams:
    """How freely the next run of a session works."""

    session_id: str
    mode_id: str


def read(kind: type[T], params: object) -> T:
    """Read what came over the wire.

    Raises:
        RpcError: INVALID_PARAMS; every field that does not fit is named.
    """
    try:
        return parse(kind, params)
    except InputError as error:
        raise RpcError(INVALID_PARAMS, error.what) from error


def content_of(reply: object) -> str | None:
    """The text of a ``fs/read_text_file``; None where the reply is none."""
    content = _fields(reply).get("content")
    return content if isinstance(content, str) else None


def outcome_of(reply: object) -> str:
    """The option that the person chose in a ``session/request_permission``, "" for none."""
    outcome = _fields(_fields(reply).get("outcome"))
    chosen = outcome.get("optionId")
    return chosen if outcome.get("outcome") == "selected" and isinstance(chosen, str) else ""


def _fields(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value if isinstance(value, dict) else {})
