"""How a message type is written, read and shown: once, in Python.

Fields are snake_case here and camelCase on the wire. Unknown fields are ignored; a field of the wrong type, and one
that is missing without a default, make the message unreadable.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, dataclass_transform

from agentinfra.core.errors import InputError

if TYPE_CHECKING:
    from pydantic import TypeAdapter

VERSION = 1
T = TypeVar("T")


def camel_case(name: str) -> str:
    """The name of a field on the wire."""
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


@dataclass_transform(frozen_default=True, kw_only_default=True)
def message(cls: type[T]) -> type[T]:
    """Make a class a message type: a frozen data class that knows its names on the wire."""
    made = dataclass(frozen=True, kw_only=True)(cls)
    # As strings and functions alone, so that pydantic is not loaded before the first message of ours.
    made.__pydantic_config__ = {"alias_generator": camel_case, "extra": "ignore", "strict": True}  # pyright: ignore[reportAttributeAccessIssue]
    return made


def parse(kind: type[T], params: object) -> T:
    """Read what came over a wire, whichever protocol it belongs to.

    Raises:
        InputError: It does not fit; the message names every field that does not.
    """
    from pydantic import ValidationError  # noqa: PLC0415  (not before the first message of ours)

    if not isinstance(params, Mapping):
        raise InputError("params is an object")
    try:
        # As JSON, since only there "strict" still takes objects for data classes.
        return _adapter(kind).validate_json(json.dumps(params))
    except ValidationError as error:
        raise InputError(
            "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        ) from error


def read(kind: type[T], params: object) -> T:
    """The same for the language server's own messages.

    Raises:
        JsonRpcInvalidParams: It does not fit; the message names every field that does not.
    """
    from pygls.exceptions import JsonRpcInvalidParams  # noqa: PLC0415  (with all of LSP, which others do without)

    try:
        return parse(kind, params)
    except InputError as error:
        raise JsonRpcInvalidParams(error.what) from error


def write(value: object) -> Any:
    """What goes over the wire for a message, or a list of them."""
    return _adapter(type(value)).dump_python(value, mode="json", by_alias=True)


_adapters: dict[type[Any], TypeAdapter[Any]] = {}


def _adapter(kind: type[T]) -> TypeAdapter[T]:
    if kind not in _adapters:
        from pydantic import TypeAdapter  # noqa: PLC0415  (not before the first message of ours)

        _adapters[kind] = TypeAdapter(kind)
    return _adapters[kind]
