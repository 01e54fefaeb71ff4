"""Read JSON while it is still being written, such as a tool call's arguments in a stream."""

from __future__ import annotations

from typing import Any

_ALWAYS = 4096
"""Texts up to this many characters are read anew after each piece."""


class PartialJson:
    """The value so far of a JSON text that comes in pieces, cut anywhere.

    A half string is there as far as it goes; half escapes, names without a value and half words are not there yet;
    the last number may still grow. All in all the work is linear in the text, however often :attr:`value` is read:
    of long texts the value may lag behind by a sixteenth.
    """

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._length = 0
        self._seen = 0
        self._value: Any = None

    def feed(self, piece: str) -> Any:
        """Take the next piece.

        Returns:
            The value so far, as :attr:`value`.
        """
        self._pieces.append(piece)
        self._length += len(piece)
        return self.value

    @property
    def text(self) -> str:
        """Everything that came."""
        return "".join(self._pieces)

    @property
    def value(self) -> Any:
        """The value so far; None until there is one. A text that stops being JSON keeps its last readable value."""
        due = self._length > self._seen and (self._length <= _ALWAYS or self._length >= self._seen * 17 / 16)
        if due:
            self._pieces = [self.text]
            self._seen = self._length
            try:
                self._value = parse_partial(self._pieces[0])
            except ValueError:
                return self._value
        return self._value


def parse_partial(text: str) -> Any:
    """What has come of a JSON text; linear in its length.

    Args:
        text: The beginning of a JSON text, or all of it.

    Raises:
        ValueError: There is no value in it yet, or it is no beginning of JSON.
    """
    import jiter  # noqa: PLC0415  (comes with both SDKs; not needed by those who never stream)

    return jiter.from_json(text.encode(errors="surrogatepass"), partial_mode="trailing-strings")
