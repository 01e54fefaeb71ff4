"""Findings about code that need no model and no execution."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "info"]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that a reviewer should look at.

    Attributes:
        rule: Short stable name.
        path: File, relative to the repository; empty for the whole tree.
        line: Line from 1; 0 for the whole file.
        severity: An error is wrong, a warning is risky, an info is untidy.
        message: What it is, in a sentence.
    """

    rule: str
    path: str
    line: int
    severity: Severity
    message: str


def review(files: Mapping[str, str]) -> list[Finding]:
    """Review Python sources.

    Args:
        files: Text by path; files that are not Python are passed over.

    Returns:
        Findings in the order of path and line.
    """
    found: list[Finding] = []
    for path, source in sorted(files.items()):
        if path.endswith(".py"):
            found += sorted(_review_file(path, source), key=lambda finding: finding.line)
    return found


def _review_file(path: str, source: str) -> Iterator[Finding]:
    try:
        tree = ast.parse(source)
        named = list(_names(path, tree))
    except (SyntaxError, ValueError, RecursionError) as error:
        line = getattr(error, "lineno", 0) or 0
        yield Finding("syntax", path, line, "error", f"The file cannot be read as Python: {error}")
        return
    yield from named
    for node in ast.walk(tree):
        yield from _constructs(path, node)


def _names(path: str, tree: ast.Module) -> Iterator[Finding]:
    # Imported here because nothing but a review needs it.
    from pyflakes.checker import Checker  # noqa: PLC0415
    from pyflakes.messages import UndefinedName  # noqa: PLC0415

    for message in Checker(tree, filename=path).messages:
        severity: Severity = "error" if isinstance(message, UndefinedName) else "info"
        yield Finding(type(message).__name__, path, message.lineno, severity, message.message % message.message_args)


def _constructs(path: str, node: ast.AST) -> Iterator[Finding]:
    if isinstance(node, ast.ExceptHandler) and node.type is None:
        yield Finding("bare-except", path, node.lineno, "warning", "A bare except hides every error, Ctrl-C included")
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("eval", "exec"):
        yield Finding("eval", path, node.lineno, "warning", f"{node.func.id}() runs whatever text it is given")
    elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and _is_empty(node):
        yield Finding("empty-body", path, node.lineno, "warning", f"{node.name}() does nothing")


def _is_empty(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    body = [one for one in function.body if not (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant))]
    return all(isinstance(one, ast.Pass) for one in body)
