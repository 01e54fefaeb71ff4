"""File names as replies carry them: bare, decorated, quoted, with the prefixes and dates of diffs."""

from __future__ import annotations

import re

_LONGEST = 300
_DECORATION = re.compile(r"(?:#+\s+|[-*+]\s+|\d+[.)]\s+)?(?:(?:file(?:name|path)?|path)\s*:\s*)?", re.IGNORECASE)
_QUOTED = re.compile(r"[*_]*[`\"']+([^`\"']+)[`\"']+[*_]*:?[*_]*")
_PATH = re.compile(r"(?:[\w.@+,()\[\]=~-]+/)*[\w.@+,()\[\]=~-]*\w[\w.@+,()\[\]=~-]*")
_NO_SUFFIX = frozenset(("makefile", "dockerfile", "license", "readme", "procfile", "gemfile", "rakefile", "justfile"))
_ESCAPE = re.compile(r'\\(?:([0-7]{1,3})|(["\\abtnvfr]))')
_LETTERS = {"a": 7, "b": 8, "t": 9, "n": 10, "v": 11, "f": 12, "r": 13, '"': 34, "\\": 92}
# What diff -N gives a file that is not there.
_EPOCH = re.compile(r"(?:1970-01-01|1969-12-31) ")
NOWHERE = "/dev/null"
# What git puts before the two names: by default, and with diff.mnemonicPrefix.
_PREFIXES = frozenset((("a/", "b/"), ("i/", "w/"), ("c/", "w/"), ("c/", "i/"), ("o/", "w/"), ("b/", "a/")))


def path_in(line: str, *, bare: bool = False) -> str:
    """The path that stands alone on a line, without the decoration around it.

    Args:
        line: A line of a reply, such as ``**`src/app.py`**:`` or ``### File: src/app.py``.
        bare: Whether a single word without a suffix is a path as well.

    Returns:
        The path; empty where the line holds anything else.
    """
    text = line.strip()
    if not text or len(text) > _LONGEST:
        return ""
    found = _DECORATION.match(text)
    text = text[found.end() :] if found else text
    quoted = _QUOTED.fullmatch(text)
    if quoted:
        return quoted[1].strip() if _names_a_file(quoted[1].strip(), bare) else ""
    text = text.strip("*_").rstrip(":").strip("*_")
    return text if _PATH.fullmatch(text) and _names_a_file(text, bare) else ""


def _names_a_file(text: str, bare: bool) -> bool:
    name = text.rpartition("/")[2]
    stem, dot, suffix = name.rpartition(".")
    if dot and suffix.isalnum() and not suffix.isdigit():
        return bool(stem or suffix)
    return bool(name) and ("/" in text or name.lower() in _NO_SUFFIX or bare)


def header_path(text: str) -> tuple[str, bool]:
    """Read a diff's header line, after its ``--- `` or ``+++ ``.

    Returns:
        The path, unquoted and without the date behind it; whether that date says that there is no such file.
    """
    text = text.rstrip("\r\n")
    if text.startswith('"'):
        return unquoted(text), False
    path, _, date = text.partition("\t")
    return path.rstrip(), _EPOCH.match(date) is not None


def unquoted(text: str) -> str:
    """A path in git's C quotes as it is; any other as it stands."""
    end = text.rfind('"')
    if not text.startswith('"') or end < 1:
        return text
    out, last, inner = bytearray(), 0, text[1:end]
    for found in _ESCAPE.finditer(inner):
        out += inner[last : found.start()].encode("utf-8", "surrogatepass")
        out.append(int(found[1], 8) & 255 if found[1] else _LETTERS[found[2]])
        last = found.end()
    out += inner[last:].encode("utf-8", "surrogatepass")
    return out.decode("utf-8", "replace")


def without_prefixes(old: str, new: str) -> tuple[str, str]:
    """Take off what a diff puts before its two names: ``a/`` and ``b/``, or two folders that were compared."""
    if NOWHERE in (old, new):
        named = new if old == NOWHERE else old
        named = named[2:] if named[:2] in {prefix for pair in _PREFIXES for prefix in pair} else named
        return (old, named) if old == NOWHERE else (named, new)
    if (old[:2], new[:2]) in _PREFIXES:
        return old[2:], new[2:]
    if old != new and old.partition("/")[2] == new.partition("/")[2] != "":
        return old.partition("/")[2], new.partition("/")[2]
    return old, new
