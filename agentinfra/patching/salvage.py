"""What can be kept of Python code that a model wrote among other things."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from agentinfra.patching.names import (
    GUARD,
    Definition,
    first_line,
    is_guard,
    is_stub,
    last_line,
    parse_python,
    statement_names,
    used_names,
)

_LOOKS_LIKE_CODE = re.compile(
    r"(?:async\s+)?def\s+\w+\s*\(|class\s+\w+\s*[(:]|@\w|import\s+\w|from\s+[\w.]+\s+import\b|(?:if|with|for|while)\b.*[:(]$"
    r"|try:|\w+\s*(?::[^=]+)?=|\w[\w.]*\("
)
_FILE_NAME = re.compile(r"#\s*(?i:file(?:name)?:\s*)?[\w./-]+\.pyi?\s*")
_CONTINUES = re.compile(r"[ \t)\]}#]|(?:else|elif|except|finally|case)\b|$")
_AHEAD = 50  # so many lines at the left margin may belong to one statement, as in a long string


class _Piece(NamedTuple):
    """A top-level statement with its source."""

    node: ast.stmt
    text: str


def salvage(blocks: Sequence[str], wanted: Sequence[str]) -> str:
    """Join what is worth keeping of some blocks of code.

    Args:
        blocks: Source texts, parsing or not.
        wanted: Names that are asked for; without any, the blocks are taken for one whole file.

    Returns:
        Imports, functions, classes and the constants that they use; empty where there is nothing.
    """
    pieces = [piece for block in blocks for piece in _pieces(block)]
    defined = frozenset(piece.node.name for piece in pieces if isinstance(piece.node, Definition))
    product = [piece for piece in pieces if _is_product(piece.node, wanted, defined)]
    chosen = _last_versions(product)
    return _joined([piece for piece in chosen if not wanted or _is_needed(piece.node, chosen, wanted)])


def _pieces(block: str) -> Iterator[_Piece]:
    text = textwrap.dedent(block)
    tree = parse_python(text)
    lines = text.split("\n")
    if tree is not None:
        yield from _statements(tree, lines)
        return
    start = 0
    while start < len(lines):
        end, part = _first_part(lines, start)
        if part is not None:
            yield from _statements(part, lines[start:end])
        start = end


def _first_part(lines: Sequence[str], start: int) -> tuple[int, ast.Module | None]:
    """Find the shortest run of whole lines from ``start`` that parses; what begins with prose is one line long."""
    ends = (
        index for index in range(start + 1, len(lines) + 1) if index == len(lines) or not _CONTINUES.match(lines[index])
    )
    shortest = start + 1
    for count, end in enumerate(ends):
        shortest = end if count == 0 else shortest
        tree = parse_python("\n".join(lines[start:end]))
        if tree is not None:
            return end, tree
        if count > _AHEAD or not _LOOKS_LIKE_CODE.match(lines[start]):
            break
    return shortest, None


def _statements(tree: ast.Module, lines: Sequence[str]) -> Iterator[_Piece]:
    begins = [first_line(node) for node in tree.body]
    previous = 0
    for node, begin, following in zip(tree.body, begins, [*begins[1:], len(lines) + 1], strict=False):
        start = begin - 1
        # Comments right above belong to the statement, the file's name does not.
        while start > previous and lines[start - 1].startswith("#") and not _FILE_NAME.fullmatch(lines[start - 1]):
            start -= 1
        shares_a_line = begin <= previous or following <= last_line(node)
        yield _Piece(node, ast.unparse(node) if shares_a_line else "\n".join(lines[start : last_line(node)]))
        previous = last_line(node)


def _is_product(node: ast.stmt, wanted: Sequence[str], defined: frozenset[str]) -> bool:
    """Whether a statement is part of the program, not a demonstration or a test of it."""
    if isinstance(node, Definition):
        return not wanted or node.name in wanted or not node.name.startswith(("test_", "Test"))
    if isinstance(node, ast.Import | ast.ImportFrom | ast.Assign | ast.AnnAssign):
        return True
    if not wanted:
        return not isinstance(node, ast.Assert) and not _shows_off(node, defined)
    return "main" in wanted if is_guard(node) else _only_imports(node)


def _shows_off(node: ast.stmt, defined: frozenset[str]) -> bool:
    """Whether a statement only prints, or calls a function of the module without being its entry."""
    call = node.value if isinstance(node, ast.Expr) else None
    name = call.func.id if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) else ""
    return name == "print" or (name in defined and name != "main")


def _only_imports(node: ast.stmt) -> bool:
    inside = [child for child in ast.walk(node) if isinstance(child, ast.stmt) and child is not node]
    harmless = (ast.Import, ast.ImportFrom, ast.Assign, ast.Pass)
    return isinstance(node, ast.If | ast.Try) and all(isinstance(child, harmless) for child in inside)


def _last_versions(pieces: Sequence[_Piece]) -> list[_Piece]:
    """Of several versions of a definition keep the last that is no stub, at the place of the first."""
    chosen: dict[object, _Piece] = {}
    for index, piece in enumerate(pieces):
        names = statement_names(piece.node)
        versioned = isinstance(piece.node, Definition) or names == (GUARD,)
        key: object = names if versioned else (ast.dump(piece.node) if _is_import(piece.node) else index)
        if key not in chosen or not is_stub(piece.node):
            chosen[key] = piece
    return list(chosen.values())


def _is_import(node: ast.stmt) -> bool:
    return isinstance(node, ast.Import | ast.ImportFrom)


def _is_needed(node: ast.stmt, chosen: Sequence[_Piece], wanted: Sequence[str]) -> bool:
    """Constants stay if something uses them or they are asked for; results of trying things out go."""
    if not isinstance(node, ast.Assign | ast.AnnAssign):
        return True
    used = used_names(*(piece.node for piece in chosen if piece.node is not node))
    return any(name in used or name in wanted or name.isupper() for name in statement_names(node))


def _joined(pieces: Sequence[_Piece]) -> str:
    text = ""
    for index, piece in enumerate(pieces):
        spaced = isinstance(piece.node, Definition) or (index > 0 and isinstance(pieces[index - 1].node, Definition))
        text += ("\n\n" if index and spaced else "") + piece.text.rstrip() + "\n"
    return text
