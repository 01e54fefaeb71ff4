"""Read the JSON in a model's reply: amid prose or fences, with commas too many, or cut in the middle."""

from __future__ import annotations

import json
import re
from typing import Any

_SCALARS = json.JSONDecoder(strict=False)
_SPACE = re.compile(r"\s*")
_CUT = object()
"""What stands where the text ended before the value did."""

_FENCE = re.compile(r"```(?:json)?\s*\n(.*?)(?:\n```|\Z)", re.DOTALL)


def loads_tolerant(text: str) -> Any:
    """The JSON value that the text is, or the first object or array in it.

    Trailing commas and line breaks inside strings are accepted. Where the text ends too early, the complete members of
    objects and the complete items of arrays are kept; a half item is dropped with all that is in it.

    Args:
        text: A model's reply.

    Raises:
        ValueError: There is none, or it cannot be read even so.
    """
    candidates = [*(found.group(1) for found in _FENCE.finditer(text)), text]
    try:
        for candidate in candidates:
            try:
                return json.loads(candidate)
            except ValueError:
                continue
        return _first_readable(candidates)
    except RecursionError as error:
        raise ValueError("It is nested too deeply") from error


def _first_readable(candidates: list[str]) -> Any:
    problem = "There is no JSON object or array in it"
    for candidate in candidates:
        # Prose before the JSON may hold a bracket of its own: the first of each kind is tried.
        for start in sorted(filter(lambda at: at >= 0, (candidate.find("{"), candidate.find("[")))):
            try:
                return _Reader(candidate, start).container()
            except ValueError as error:
                problem = str(error)
    raise ValueError(problem)


class _Reader:
    """Recursive descent over one text; scalars are left to the standard library."""

    def __init__(self, text: str, position: int) -> None:
        self._text = text
        self._at = position
        self._cut = False

    def container(self) -> Any:
        return self._object() if self._text[self._at] == "{" else self._array()

    def _object(self) -> dict[str, Any]:
        members: dict[str, Any] = {}
        self._at += 1
        while not self._closes("}"):
            key = self._value()
            if self._ends():
                break
            if not isinstance(key, str):
                raise ValueError(f"Expected a name before character {self._at}")
            self._expect(":")
            value = self._value()
            if value is _CUT:
                break
            members[key] = value
        return members

    def _array(self) -> list[Any]:
        items: list[Any] = []
        self._at += 1
        while not self._closes("]"):
            item = self._value()
            if self._cut:
                break
            items.append(item)
        return items

    def _value(self) -> Any:
        if self._ends():
            return _CUT
        if self._text[self._at] in "{[":
            return self.container()
        try:
            value, end = _SCALARS.raw_decode(self._text, self._at)
        except json.JSONDecodeError:
            if not self._is_cut_scalar():
                raise
            self._cut = True
            return _CUT
        # A number at the very end may have lost its last digits.
        self._cut = self._cut or (end == len(self._text) and isinstance(value, int | float))
        self._at = end
        return _CUT if self._cut else value

    def _is_cut_scalar(self) -> bool:
        rest = self._text[self._at :]
        if rest.startswith('"'):
            return re.fullmatch(r'"(?:[^"\\]|\\.)*\\?', rest, re.DOTALL) is not None
        return any(word.startswith(rest.strip()) for word in ("true", "false", "null", "-"))

    def _closes(self, bracket: str) -> bool:
        """Step over separators; whether the container ends here, by its bracket or with the text."""
        while not self._ends() and self._text[self._at] == ",":
            self._at += 1
        if self._cut:
            return True
        if self._text[self._at] == bracket:
            self._at += 1
            return True
        return False

    def _expect(self, sign: str) -> None:
        if self._text[self._at] != sign:
            raise ValueError(f"Expected {sign!r} at character {self._at}")
        self._at += 1

    def _ends(self) -> bool:
        """Skip white space; whether the text is over."""
        found = _SPACE.match(self._text, self._at)
        assert found is not None
        self._at = found.end()
        self._cut = self._cut or self._at >= len(self._text)
        return self._cut
