"""Tool names that every provider accepts, and the way back."""

from __future__ import annotations

import re
from collections.abc import Iterable

from agentinfra.core.messages import ChatRequest, ToolCall

_LEGAL = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_FORBIDDEN = re.compile(r"[^a-zA-Z0-9_-]")


class ToolNames:
    """One name on the wire for each tool name, the same for the same names in the same order.

    Legal names are their own; in others forbidden characters become ``_``, and a number tells equal ones apart.

    Args:
        names: All names that occur, the tools' before those of old calls.
    """

    def __init__(self, names: Iterable[str]) -> None:
        ordered = list(dict.fromkeys(names))
        self._out = {name: name for name in ordered if _LEGAL.fullmatch(name)}
        taken = set(self._out)
        for name in ordered:
            if name not in self._out:
                self._out[name] = _unlike(taken, _FORBIDDEN.sub("_", name)[:64] or "tool")
                taken.add(self._out[name])
        self._back = {wire: name for name, wire in self._out.items()}

    @classmethod
    def of(cls, request: ChatRequest) -> ToolNames:
        """The names of the request's tools and of the calls in its conversation."""
        parts = (part for message in request.messages for part in message.parts)
        calls = (part.name for part in parts if isinstance(part, ToolCall))
        return cls([*(tool.name for tool in request.tools), *calls])

    def out(self, name: str) -> str:
        """The wire's name of ours."""
        return self._out.get(name, name)

    def back(self, wire: str) -> str:
        """Our name of the wire's; a name that the model invented is its own."""
        return self._back.get(wire, wire)


def _unlike(taken: set[str], wanted: str) -> str:
    name, number = wanted, 2
    while name in taken:
        ending = f"_{number}"
        name, number = wanted[: 64 - len(ending)] + ending, number + 1
    return name
