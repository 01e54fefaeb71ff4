"""A key that does not show itself: not in a repr, a log line, a traceback with locals, a pickle or JSON."""

from __future__ import annotations

import hmac
from typing import NoReturn

from agentinfra.core.errors import InputError


class Secret:
    """Holds a key; only :meth:`reveal` gives it out, and that call is easy to find.

    Args:
        value: The key itself.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    @classmethod
    def of(cls, value: str | Secret | None) -> Secret | None:
        """A key as people hand it in; None stays None."""
        return cls(value) if isinstance(value, str) else value

    def reveal(self) -> str:
        """The key itself, for the header that carries it to its provider."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> NoReturn:
        raise InputError(
            "A secret cannot be pickled or copied into a record",
            why="What is written down is read by others",
            next_step="Hand over the name of the environment variable or keyring entry instead",
        )
