"""The prose of a specification's requirements, and the sentences in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from agentinfra.spec.source import Span
from agentinfra.spec.spec_source import RequirementSource, SpecSource

# Each begins with one set of characters, which is what makes a search fast.
NAMED = re.compile(r"[`\"“](?:(?<=`)[^`\n]+`|(?<=\")[^\"\n]*\"|(?<=“)[^”\n]*”)")
# What nothing closes goes on to the end; to look for its end from every mark anew would take time by the square.
_VERBATIM = re.compile(r"^[ \t]*(```|~~~).*?(?:^[ \t]*\1[^\n]*$|\Z)|<!--.*?(?:-->|\Z)", re.MULTILINE | re.DOTALL)
_END = re.compile(r"[.!?\n](?:(?<=[.!?])(?=\s|\Z)|(?<=\n)(?:\s*\n|(?=\s*[-*+] )))")


class Prose(NamedTuple):
    """Prose of a requirement, as it stands in the document.

    Attributes:
        requirement: The requirement.
        start: Where the text begins in the document.
        text: The text; comments and fenced code are blanked.
        is_criterion: Whether it is a Given/When/Then criterion, not the statement.
    """

    requirement: RequirementSource
    start: int
    text: str
    is_criterion: bool = False


def statements(spec: SpecSource) -> Iterator[Prose]:
    """The statement of each requirement, in its parts, and its Given/When/Then criteria."""
    for one in spec.requirements:
        for first, last in _runs(one.statement):
            yield _prose(spec, one, first, last)
        for item in one.acceptance:
            if len(item.lines) > 1 or "`" not in spec.body.lines[item.lines[0]]:
                yield _prose(spec, one, item.lines[0], item.lines[-1])._replace(is_criterion=True)


def _runs(indices: list[int]) -> list[tuple[int, int]]:
    """Neighbouring lines joined: the first and the last of each run."""
    if indices and indices[-1] - indices[0] == len(indices) - 1:
        return [(indices[0], indices[-1])]
    runs: list[tuple[int, int]] = []
    for index in indices:
        if runs and runs[-1][1] == index - 1:
            runs[-1] = (runs[-1][0], index)
        else:
            runs.append((index, index))
    return runs


def _prose(spec: SpecSource, one: RequirementSource, first: int, last: int) -> Prose:
    start = spec.body.starts[first]
    text = spec.text[start : spec.body.start(last + 1)]
    if "```" in text or "~~~" in text or "<!--" in text:
        text = _VERBATIM.sub(_blank, text)
    return Prose(one, start, text)


def without_names(text: str) -> str:
    """The text with what is quoted or program text blanked: it is named there, not said."""
    return NAMED.sub(_blank, text) if "`" in text or '"' in text or "“" in text else text


def _blank(found: re.Match[str]) -> str:
    return re.sub(r"[^\n]", "\0", found[0])


def sentences(text: str) -> Iterator[Span]:
    """The sentences of a text; an item of a list is one of its own."""
    start = 0
    for end in _END.finditer(text):
        yield Span(start, end.end())
        start = end.end()
    if start < len(text):
        yield Span(start, len(text))
