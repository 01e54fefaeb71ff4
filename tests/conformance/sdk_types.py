"""Requests held against the types that the provider's own SDK gives for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, cast

from pydantic import TypeAdapter, ValidationError


def objection_to(body: Mapping[str, Any], params: Callable[[], type[Any]]) -> str:
    """What the SDK's TypedDict has against a request: missing, mistyped and unknown members; "" for nothing."""
    try:
        understood = _consumed(_adapter(params).validate_python(body))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        return f"{'.'.join(str(step) for step in first['loc'])}: {first['msg']}"
    return "" if understood == body else f"Unknown members: {_unknown(body, understood)}"


@cache
def _adapter(params: Callable[[], type[Any]]) -> TypeAdapter[Any]:
    return TypeAdapter(params())


def _consumed(value: Any) -> Any:
    """Without the lazy iterators that pydantic makes of ``Iterable``."""
    if isinstance(value, Mapping):
        return {name: _consumed(one) for name, one in cast("Mapping[str, Any]", value).items()}
    return value if isinstance(value, str | int | float | None) else [_consumed(one) for one in value]


def _unknown(sent: Any, understood: Any, place: str = "") -> str:
    if isinstance(sent, dict) and isinstance(understood, dict):
        lost = [f"{place}.{name}" for name in sent.keys() - understood.keys()]
        return ", ".join(
            lost + list(filter(None, (_unknown(sent[n], understood[n], f"{place}.{n}") for n in understood)))
        )
    if isinstance(sent, list) and isinstance(understood, list):
        pairs = enumerate(zip(sent, understood, strict=True))
        return ", ".join(filter(None, (_unknown(a, b, f"{place}.{at}") for at, (a, b) in pairs)))
    return "" if sent == understood else f"{place} read as {understood!r}"
