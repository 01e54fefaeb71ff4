"""Whether what an agent says is exactly what the protocol's official schema has, as the official SDK ships it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from acp import schema
from acp.connection import StreamDirection, StreamEvent
from pydantic import BaseModel, ValidationError

SAID: Mapping[str, type[BaseModel]] = {
    "session/update": schema.SessionNotification,
    "session/request_permission": schema.RequestPermissionRequest,
    "fs/read_text_file": schema.ReadTextFileRequest,
    "fs/write_text_file": schema.WriteTextFileRequest,
    "$/cancel_request": schema.CancelRequestNotification,
}
ANSWERED: Mapping[str, type[BaseModel]] = {
    "initialize": schema.InitializeResponse,
    "authenticate": schema.AuthenticateResponse,
    "session/new": schema.NewSessionResponse,
    "session/load": schema.LoadSessionResponse,
    "session/resume": schema.ResumeSessionResponse,
    "session/close": schema.CloseSessionResponse,
    "session/list": schema.ListSessionsResponse,
    "session/prompt": schema.PromptResponse,
    "session/set_mode": schema.SetSessionModeResponse,
}


class Inspector:
    """Listens to a conversation.

    Attributes:
        problems: What the agent said wrongly.
        inspected: The methods that were said or answered.
    """

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.inspected: set[str] = set()
        self._asked: dict[Any, str] = {}

    def hear(self, event: StreamEvent) -> None:
        """Take a message of a conversation of the official client."""
        if event.direction is StreamDirection.INCOMING:
            self.inspect(event.message)
        else:
            self.ask(event.message)

    def ask(self, message: Mapping[str, Any]) -> None:
        """Take a message of the editor."""
        if "method" in message and "id" in message:
            self._asked[message["id"]] = message["method"]

    def inspect(self, message: Mapping[str, Any]) -> None:
        """Take a message of the agent."""
        self.problems += [f"{problem} in {str(message)[:400]}" for problem in self._wrong(message)]

    def _wrong(self, message: Mapping[str, Any]) -> list[str]:
        if message.get("jsonrpc") != "2.0":
            return ["not version 2.0 of JSON-RPC"]
        if "method" in message:
            if set(message) - {"jsonrpc", "id", "method", "params"}:
                return ["unknown parts of a request"]
            self.inspected.add(message["method"])
            return wrong(SAID.get(message["method"]), message["params"])
        if set(message) == {"jsonrpc", "id", "error"}:
            return wrong(schema.Error, message["error"])
        if set(message) != {"jsonrpc", "id", "result"}:
            return ["neither a request nor an answer"]
        method = self._asked.pop(message["id"], "")
        self.inspected.add(method)
        return wrong(ANSWERED.get(method), message["result"])


def wrong(kind: type[BaseModel] | None, said: Any) -> list[str]:
    """What does not fit, or is unknown to the schema; the SDK itself passes over both in many places."""
    if kind is None:
        return ["nothing that the protocol has"]
    try:
        read = kind.model_validate(said, strict=False)
    except ValidationError as error:
        return [str(error)]
    return lost(said, read.model_dump(mode="json", by_alias=True, exclude_unset=True), kind.__name__)


def lost(said: Any, read: Any, where: str) -> list[str]:
    """Where something of what was said is not in what was read."""
    if isinstance(said, dict) and isinstance(read, dict):
        unread = [f"{where}.{name} is unknown" for name in said if name not in read]
        return unread + [
            one for name in said if name in read for one in lost(said[name], read[name], f"{where}.{name}")
        ]
    if isinstance(said, list) and isinstance(read, list) and len(said) == len(read):
        pairs = enumerate(zip(said, read, strict=True))
        return [one for place, (a, b) in pairs for one in lost(a, b, f"{where}[{place}]")]
    return [] if said == read else [f"{where} is {said!r}, read as {read!r}"]
