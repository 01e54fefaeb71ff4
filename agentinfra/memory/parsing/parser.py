"""One file to chunks, definitions and references."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from operator import attrgetter
from pathlib import PurePosixPath

from agentinfra.memory.chunk import Definition, ParsedFile, Reference
from agentinfra.memory.parsing.chunking import cut, cut_windows
from agentinfra.memory.parsing.languages import Language, language_of
from agentinfra.memory.parsing.notebooks import parse_notebook
from agentinfra.memory.parsing.outline import Outline, outline
from agentinfra.memory.parsing.source import Source, read_source
from agentinfra.memory.parsing.syntax import Syntax
from agentinfra.memory.parsing.tags import TooHard, read_tags

_ROW = attrgetter("row")


def parse_file(path: str, data: bytes) -> ParsedFile:
    """What the index keeps of a file.

    Args:
        path: Relative to the workspace's root; its name says the language.
        data: What stands in it.

    Returns:
        Its chunks, definitions and references; never an error, whatever stands in the file.
    """
    source = read_source(data)
    if path.endswith(".ipynb") and (notebook := parse_notebook(source, _parse)):
        return notebook
    language = language_of(path)
    if language is None:
        return ParsedFile("text", tuple(cut_windows(source)))
    parsed = _parse(language, source)
    if language.component:
        stem = PurePosixPath(path).stem
        itself = Definition(stem, "component", 1, f"<{stem}>")
        parsed = replace(parsed, definitions=(itself, *parsed.definitions))
    return parsed


def _parse(language: Language, source: Source) -> ParsedFile:
    """One language's part of it; windows of lines where nothing can be understood."""
    try:
        syntax = (language.read or partial(read_tags, language))(source)
    except TooHard:
        return ParsedFile(language.name, tuple(cut_windows(source)))
    found = outline(language, source, syntax)
    chunks = cut(source, found, syntax.trees, language.kind)
    return ParsedFile(language.name, tuple(chunks), _definitions(found), _references(syntax, found))


def _definitions(found: Outline) -> tuple[Definition, ...]:
    return tuple(
        Definition(each.symbol, each.defined.kind, each.defined.row + 1, each.defined.signature) for each in found.named
    )


def _references(syntax: Syntax, found: Outline) -> tuple[Reference, ...]:
    """Each name once for each definition that uses it: where it is used first."""
    first: dict[tuple[int, str], Reference] = {}
    owners = found.owners
    for name, kind, row in sorted(syntax.used, key=_ROW):
        key = owners[row], name
        if key not in first:
            first[key] = Reference(name, kind, row + 1)
    return tuple(first.values())
