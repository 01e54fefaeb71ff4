"""The words that code and questions about it have in common: identifiers split into their parts. Pure."""

from __future__ import annotations

import re

_IDENTIFIER = re.compile(r"\w+")
_OR_BLANK = bytes(byte if byte < 128 and (chr(byte).isalnum() or byte == ord("_")) else 32 for byte in range(256))
"""For each byte of an ASCII text itself where it belongs to an identifier, or a blank."""
_ASCII_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[A-Z]|[0-9]+")
_RUN = re.compile(r"[^\W\d_]+|\d+")
_KEPT_IDENTIFIERS = 1 << 16
_LONGEST = 64
"""Characters of an identifier that are looked at: longer ones are data."""


def split_words(text: str) -> list[str]:
    """The words of a text in lower case and in order, identifiers split at case, digits and underscores.

    ``parseHTTPResponse2`` is ``parse``, ``http``, ``response``, ``2``.
    """
    if text.isascii():
        return [part.lower() for part in _ASCII_PART.findall(text)]
    return [part for identifier in _IDENTIFIER.findall(text) for part in parts_of(identifier)]


class _Indexed(dict[str, str]):
    """The words of identifiers that were met lately: a look at a dictionary costs less than a call."""

    def __missing__(self, identifier: str) -> str:
        parts = parts_of(identifier)
        words = " ".join((*parts, identifier[:_LONGEST].lower()) if len(parts) > 1 else parts)
        if len(self) >= _KEPT_IDENTIFIERS:
            self.clear()
        self[identifier] = words
        return words


_indexed = _Indexed()


def index_words(text: str) -> str:
    """The text as a full-text index wants it: the parts of each identifier, and the whole where it has several."""
    return " ".join(filter(None, map(_indexed.__getitem__, identifiers_of(text))))


def identifiers_of(text: str) -> list[str]:
    """The identifiers and numbers of a text, in its order; of an ASCII text in half the time of a pattern."""
    if text.isascii():
        return text.encode().translate(_OR_BLANK).decode().split()
    return _IDENTIFIER.findall(text)


def parts_of(identifier: str) -> tuple[str, ...]:
    """The words that an identifier is made of, in lower case."""
    short = identifier[:_LONGEST]
    if short.isascii():
        if short.isalpha() and short.islower():
            return (short,)
        return tuple(" ".join(_ASCII_PART.findall(short)).lower().split())
    return tuple(part for run in _RUN.findall(short) for part in _split_at_case(run))


def _split_at_case(run: str) -> list[str]:
    """As the ASCII pattern, for letters of any alphabet."""
    starts = [0]
    for at in range(1, len(run)):
        humps = run[at].isupper() and not run[at - 1].isupper()
        last_capital = run[at - 1].isupper() and run[at].islower() and at - 1 > starts[-1]
        if humps or last_capital:
            starts.append(at - last_capital)
    return [run[start:end].lower() for start, end in zip(starts, [*starts[1:], len(run)], strict=True)]
