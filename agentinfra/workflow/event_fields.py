"""Reading fields of event data that may be missing or of another type."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, TypeGuard, cast


def text(data: Mapping[str, Any], key: str) -> str:
    """The string, "" if there is none."""
    value = data.get(key)
    return value if isinstance(value, str) else ""


def texts(data: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """The strings of a list; other items are left out."""
    return tuple(item for item in items(data, key) if isinstance(item, str))


def mapping(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """The object, empty if there is none."""
    value = data.get(key)
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


def mappings(data: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    """The objects of a list; other items are left out."""
    return [cast("Mapping[str, Any]", item) for item in items(data, key) if isinstance(item, Mapping)]


def items(data: Mapping[str, Any], key: str) -> list[Any]:
    """The list, empty if there is none."""
    value = data.get(key)
    return list(cast("list[Any] | tuple[Any, ...]", value)) if isinstance(value, list | tuple) else []


def integer(data: Mapping[str, Any], key: str, default: int = 0) -> int:
    """The number without its fraction, or the default."""
    value = data.get(key)
    return int(value) if is_number(value) else default


def number(data: Mapping[str, Any], key: str) -> float:
    """The number, 0.0 if there is none."""
    value = data.get(key)
    return float(value) if is_number(value) else 0.0


def is_number(value: Any) -> TypeGuard[float]:
    """Whether the value is a finite number; booleans are not."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
