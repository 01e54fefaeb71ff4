"""Make text that others wrote safe to show: models, ideas, file names, test output.

What goes: terminal sequences (CSI, OSC and the other strings, single escapes, in their 7-bit and 8-bit forms), C0 and
C1 controls, bidirectional controls, zero-width and other invisible characters, tag characters. A sequence that never
ends loses only its introducer, so that it cannot hide the text behind it.
"""

from __future__ import annotations

import re

DEFAULT_LIMIT = 10_000

_STRING_ENDS = "\x07\x1b\x90\x98\x9c-\x9f"
# Possessive bodies that stop at the next introducer keep this linear on hostile input.
_SEQUENCES = re.compile(
    rf"(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^{_STRING_ENDS}]*+(?:\x07|\x1b\\|\x9c)"
    r"|(?:\x1b\[|\x9b)[0-?]*+[ -/]*+[@-~]"
    r"|\x1b[ -/]++[0-~]"
    r"|\x1b[0-OQ-WYZ`-~]"
)
_LINE_ENDS = re.compile("\r\n?|[\u0085\u2028\u2029\v\f]")
_INVISIBLE = re.compile(
    "["
    "\x00-\x08\x0e-\x1f\x7f-\x9f"  # C0 apart from tab and line feed, C1
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"  # soft hyphen, joiners, fillers
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f"  # zero-width, bidirectional, deprecated format characters
    "\u3164\ufe00-\ufe0e\ufeff\uffa0\ufff0-\ufffb"  # fillers, variation selectors (not emoji's), byte order mark
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"  # format controls, tags, more selectors
    "]"
)
_SURROGATES = re.compile("[\ud800-\udfff]")
_BLANKS = re.compile(r"\s+")


def clean_text(text: str, limit: int = DEFAULT_LIMIT) -> str:
    """Strip what a terminal or page would act on or not show; line feeds and tabs stay.

    Args:
        text: Any text, hostile or not.
        limit: Most characters to keep; the last one is "…" where text was cut.
    """
    if len(text) <= limit and text.isascii() and text.isprintable():
        return text
    # Cut with room for what goes, so that a huge text costs no more than a large one.
    kept = _SEQUENCES.sub("", text[: limit * 4 + 64])
    kept = _SURROGATES.sub("\ufffd", _INVISIBLE.sub("", _LINE_ENDS.sub("\n", kept)))
    if len(kept) <= limit and len(text) <= limit * 4 + 64:
        return kept
    return kept[: max(limit - 1, 0)] + "…"[:limit]


def clean_line(text: str, limit: int = 200) -> str:
    """The same as one line: every run of blanks and line ends is one space."""
    return clean_text(_BLANKS.sub(" ", clean_text(text, limit * 4)).strip(), limit)
