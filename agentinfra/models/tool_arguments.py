"""A tool call's arguments: JSON text on the wire, a mapping with us, and whatever a model writes in between."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, NoReturn, cast

from agentinfra.core.messages import Part, ToolCall


def read_call(id_: str, name: str, arguments: str) -> ToolCall:
    """The call with its arguments read; where they are no JSON object, with them as they came.

    Args:
        id_: The provider's id of the call.
        name: The tool's name.
        arguments: JSON text; none at all is an empty object, and line breaks inside strings are accepted.
    """
    try:
        value: object = json.loads(arguments or "{}", strict=False, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return ToolCall(id_, name, {}, unreadable=arguments)
    if isinstance(value, dict):
        return ToolCall(id_, name, cast("dict[str, Any]", value))
    return ToolCall(id_, name, {}, unreadable=arguments)


def sendable(call: ToolCall) -> Mapping[str, Any]:
    """The arguments as an object to send back; what could not be read is shown in it.

    Servers read the arguments of old calls as JSON, and fail for ever at a conversation with one that is none.
    """
    return {"unreadable": call.unreadable} if call.unreadable else call.arguments


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


def with_own_ids(parts: Iterable[Part]) -> tuple[Part, ...]:
    """The parts of a reply with an id of its own for every call that came without one or with another's."""
    used: set[str] = set()
    return tuple(_with_own_id(part, used) for part in parts)


def _with_own_id(part: Part, used: set[str]) -> Part:
    if not isinstance(part, ToolCall):
        return part
    id_, number = part.id, len(used)
    while not id_ or id_ in used:
        id_, number = f"call_{number}", number + 1
    used.add(id_)
    return part if id_ == part.id else replace(part, id=id_)
