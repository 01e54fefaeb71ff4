"""Notebooks: each cell is read in its own language; what the cells printed is left out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import cast

import tree_sitter
import tree_sitter_json

from agentinfra.memory.chunk import ParsedFile
from agentinfra.memory.parsing.languages import Language, language_called
from agentinfra.memory.parsing.source import Source, read_source

_SOURCES = """
(document (object (pair
  key: (string (string_content) @_cells)
  value: (array (object (pair key: (string (string_content) @_source) value: (_) @source)))))
 (#eq? @_cells "cells") (#eq? @_source "source"))
"""
Parse = Callable[[Language, Source], ParsedFile]


@dataclass(frozen=True, slots=True)
class _Cell:
    """A cell's language, its lines, and the row of the file that each of them stands in, from 0."""

    language: Language | None
    text: str
    rows: list[int]


def parse_notebook(source: Source, parse: Parse) -> ParsedFile | None:
    """The chunks, definitions and references of a notebook's cells, with the lines of the file they stand in.

    Args:
        source: The notebook's file.
        parse: Parses a cell.

    Returns:
        None where the file is no notebook of the format that has cells at its top.
    """
    cells = [cell for cell in _cells(source) if cell.text.strip()]
    if not cells:
        return None
    parsed = [_parse_cell(cell, parse) for cell in cells]
    return ParsedFile(
        "notebook",
        tuple(chunk for each in parsed for chunk in each.chunks),
        tuple(definition for each in parsed for definition in each.definitions),
        tuple(reference for each in parsed for reference in each.references),
    )


def _parse_cell(cell: _Cell, parse: Parse) -> ParsedFile:
    parsed = parse(cell.language or Language("text", ()), read_source(cell.text.encode(errors="replace")))
    lines = [row + 1 for row in cell.rows]
    return ParsedFile(
        parsed.language,
        tuple(
            replace(chunk, kind="cell", start=lines[chunk.start - 1], end=lines[chunk.end - 1])
            for chunk in parsed.chunks
        ),
        tuple(each._replace(line=lines[each.line - 1]) for each in parsed.definitions),
        tuple(each._replace(line=lines[each.line - 1]) for each in parsed.references),
    )


def _cells(source: Source) -> Iterator[_Cell]:
    try:
        notebook: object = json.loads(source.data)
    except (ValueError, RecursionError):
        return
    if not isinstance(notebook, dict):
        return
    content = cast("dict[str, object]", notebook)
    found = content.get("cells")
    cells = cast("list[object]", found) if isinstance(found, list) else []
    tree = _tree(source)  # must outlive its nodes
    nodes = _source_nodes(tree)
    if len(nodes) != len(cells):
        return
    code = _code_language(content)
    for cell, node in zip(cells, nodes, strict=True):
        prose = isinstance(cell, dict) and cast("dict[str, object]", cell).get("cell_type") == "markdown"
        yield _cell(language_called("markdown") if prose else code, node)


def _tree(source: Source) -> tree_sitter.Tree:
    return tree_sitter.Parser(_json()).parse(source.data)


def _source_nodes(tree: tree_sitter.Tree) -> list[tree_sitter.Node]:
    found = tree_sitter.QueryCursor(tree_sitter.Query(_json(), _SOURCES)).captures(tree.root_node)
    return sorted(found.get("source", []), key=lambda node: node.start_byte)


@cache
def _json() -> tree_sitter.Language:
    return tree_sitter.Language(tree_sitter_json.language())


def _cell(language: Language | None, node: tree_sitter.Node) -> _Cell:
    """A cell from its source: a list with a string a line, or one string."""
    strings = node.named_children if node.type == "array" else [node]
    text, rows = "", list[int]()
    for string in strings:
        value: object = json.loads(string.text or b'""')
        part = value if isinstance(value, str) else ""
        text += part
        rows += [string.start_point.row] * (part.count("\n") + (not part.endswith("\n")))
    return _Cell(language, text, [*rows, node.end_point.row])


def _code_language(notebook: dict[str, object]) -> Language | None:
    """The language of the code cells; Python where the notebook does not say."""
    metadata = notebook.get("metadata")
    about = cast("dict[str, object]", metadata).get("language_info") if isinstance(metadata, dict) else None
    name = cast("dict[str, object]", about).get("name", "python") if isinstance(about, dict) else "python"
    return language_called(str(name).lower())
