"""Front matter: the ``key: value`` lines between two ``---`` at the top of a document."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import NamedTuple

from agentinfra.spec.source import Edit, apply_edits

_FRONT = re.compile(r"(?P<open>\ufeff?---[ \t]*\r?\n)(?P<lines>(?:(?!---[ \t]*\r?$).*\n)*+)---[ \t]*(?:\r?\n|\Z)", re.M)
_LINE = re.compile(
    r"(?P<key>[A-Za-z][\w-]*):(?P<gap>[ \t]*+(?!#)|[ \t]*(?=[ \t]#))"
    r'(?P<value>"(?:[^"\\\n]|\\.)*+"|(?:[^#\r\n \t]++(?:[ \t]++[^#\r\n \t]++)*+)?+)'
    r"(?P<tail>(?:[ \t]+#[^\r\n]*|[ \t]*)\r?)"
)
_PLAIN = re.compile(r"[\w./+-](?:[\w./+ -]*[\w./+-])?")


class Parts(NamedTuple):
    """A document cut in two; ``front + body`` is the document, a byte-order mark belongs to the front."""

    front: str
    body: str


def split(text: str) -> Parts:
    """Cut a document into front matter (may be empty) and body."""
    found = _FRONT.match(text)
    end = found.end() if found else len(text) - len(text.removeprefix("\ufeff"))
    return Parts(text[:end], text[end:])


def read_front_matter(text: str) -> dict[str, str]:
    """Read the values of the front matter; lines that are not ``key: value`` are passed over."""
    matches = (_LINE.fullmatch(line) for line in split(text).front.split("\n"))
    return {found["key"]: _unquote(found["value"]) for found in matches if found}


def render_front_matter(values: Mapping[str, str]) -> str:
    """Render a front matter of its own, line end included."""
    return "".join(["---\n", *(_line(key, value) + "\n" for key, value in values.items()), "---\n"])


def with_front_matter(text: str, **values: str) -> str:
    """Set values in the front matter and keep every other byte of the document.

    Args:
        text: The document, with or without front matter, with any line ends.
        values: Keys and their new values; keys that are missing are added at the end of the front matter.

    Returns:
        The edited document.
    """
    return apply_edits(text, front_matter_edits(text, **values))


def front_matter_edits(text: str, **values: str) -> list[Edit]:
    """The edits that :func:`with_front_matter` makes."""
    front = split(text).front
    newline = "\r\n" if "\r\n" in text else "\n"
    if not front.removeprefix("\ufeff"):
        return [Edit(len(front), len(front), render_front_matter(values).replace("\n", newline))]
    edits: list[Edit] = []
    present: set[str] = set()
    start = 0
    for line in front.split("\n"):
        found = _LINE.fullmatch(line)
        if found and found["key"] in values:
            shown = _line(found["key"], values[found["key"]], found["gap"] or " ")
            edits.append(Edit(start, start + found.start("tail"), shown))
        present |= {found["key"]} if found else set()
        start += len(line) + 1
    closing = front.rindex("---")
    added = "".join(_line(key, value) + newline for key, value in values.items() if key not in present)
    return [*edits, Edit(closing, closing, added)] if added else edits


def body_sha(text: str) -> str:
    """SHA-256 of a document's body, the same for any front matter and any line ends.

    Returns:
        64 hexadecimal digits.
    """
    body = split(text).body.replace("\r\n", "\n")
    return hashlib.sha256(body.encode("utf-8", "surrogatepass")).hexdigest()


def _line(key: str, value: str, gap: str = " ") -> str:
    shown = value if not value or _PLAIN.fullmatch(value) else json.dumps(value, ensure_ascii=False)
    return f"{key}:{gap}{shown}" if shown else f"{key}:"


def _unquote(value: str) -> str:
    if not value.startswith('"'):
        return value
    try:
        return str(json.loads(value))
    except ValueError:
        return value
