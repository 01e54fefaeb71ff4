"""Merge members of classes, as text: a new class with the old one's rest, or single methods into a class."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from agentinfra.core.errors import PatchError
from agentinfra.patching.module import Module
from agentinfra.patching.names import Function, first_line, last_line, statement_names


def merge_class(old: str, new: str) -> str:
    """Give a new class the members of the old one that it lacks.

    Args:
        old: Source of the class as it is.
        new: Source of its replacement.

    Returns:
        Source of the replacement with the missing members at its end.
    """
    before, after = _class_of(old), _class_of(new)
    named = {name for node in after.body for name in statement_names(node)}
    missing = [node for node in before.body if statement_names(node) and named.isdisjoint(statement_names(node))]
    return _with_members(new, [_source(old, node) for node in missing])


def merge_members(old: str, given: Module, owner: str, member: str) -> str:
    """Put one method, and the private ones that it calls, into a class.

    Args:
        old: Source of the class as it is.
        given: Module with the new method, in the class or alone as a function with ``self``.
        owner: The class.
        member: The method.

    Returns:
        Source of the class with the method replaced in place or added at its end.

    Raises:
        PatchError: There is no such method in the new code, or a private one clashes with one that others use.
    """
    taken = members_taken(given, owner, member)
    by_name: dict[str, list[ast.stmt]] = {}
    for node in taken:
        by_name.setdefault(statement_names(node)[0], []).append(node)
    for name, nodes in by_name.items():
        present = _named(_class_of(old), name)
        if name != member and present:
            if [ast.dump(node) for node in present] == [ast.dump(node) for node in nodes]:
                continue
            _refuse_if_used(old, name, set(by_name))
        old = _replaced(old, present, [_source(given.source, node) for node in nodes])
    return old


def members_taken(given: Module, owner: str, member: str) -> list[ast.stmt]:
    """The nodes of a method in new code, with the private methods that it calls.

    Raises:
        PatchError: The new code has no such method.
    """
    body = given.statements.get(owner)
    members = list(body.body) if isinstance(body, ast.ClassDef) else []
    members = members or [node for node in given.tree.body if isinstance(node, Function)]
    queue, found = [member], list[str]()
    while queue:
        name = queue.pop()
        found.append(name)
        calls = {attribute for node in members if name in statement_names(node) for attribute in _own_attributes(node)}
        private = [name for node in members for name in statement_names(node) if name.startswith("_")]
        queue += [name for name in private if name in calls and name not in (*found, *queue) and name != "__init__"]
    taken = [node for node in members if set(statement_names(node)) & set(found)]
    if not any(member in statement_names(node) for node in taken):
        raise PatchError(
            f"The new code does not define {owner}.{member}",
            why=f"it defines {', '.join(given.statements) or 'nothing'}",
            next_step=f"Send {owner}.{member} complete",
        )
    return taken


def _own_attributes(node: ast.AST) -> set[str]:
    """Attributes that a method reads of its own object or class."""
    attributes = [child for child in ast.walk(node) if isinstance(child, ast.Attribute)]
    return {a.attr for a in attributes if isinstance(a.value, ast.Name) and a.value.id in ("self", "cls")}


def _class_of(source: str) -> ast.ClassDef:
    node = ast.parse(source).body[0]
    if not isinstance(node, ast.ClassDef):
        raise PatchError("What is there under this name is no class", next_step="Send the whole class")
    return node


def _named(node: ast.ClassDef, name: str) -> list[ast.stmt]:
    return [child for child in node.body if name in statement_names(child)]


def _refuse_if_used(old: str, name: str, changing: set[str]) -> None:
    others = [node for node in _class_of(old).body if changing.isdisjoint(statement_names(node))]
    if any(name in _own_attributes(node) for node in others):
        raise PatchError(
            f"'{name}' of the new code clashes with the class",
            why="another one of this name is used by other methods",
            next_step="Send it again with another name for it",
        )


def _replaced(source: str, present: Sequence[ast.stmt], texts: Sequence[str]) -> str:
    if not present:
        return _with_members(source, texts)
    lines = source.split("\n")
    indent = _indent(source)
    for node in reversed(present):
        text = "\n\n".join(_indented(text, indent) for text in texts) if node is present[0] else ""
        lines[first_line(node) - 1 : last_line(node)] = text.split("\n") if text else []
    return "\n".join(lines)


def _with_members(source: str, texts: Sequence[str]) -> str:
    if not texts:
        return source
    node = _class_of(source)
    if node.body[0].lineno == node.lineno:
        source = ast.unparse(node)
    indent = _indent(source)
    return "\n\n".join([source.rstrip("\n"), *(_indented(text, indent) for text in texts)])


def _indent(source: str) -> str:
    line = source.split("\n")[first_line(_class_of(source).body[0]) - 1]
    return line[: len(line) - len(line.lstrip())]


def _source(source: str, node: ast.stmt) -> str:
    """A statement's source without its indentation."""
    lines = source.split("\n")
    inside = _string_lines(node)
    column = node.col_offset
    kept = [
        lines[index] if index + 1 in inside else re.sub(rf"^\s{{0,{column}}}", "", lines[index])
        for index in range(first_line(node) - 1, last_line(node))
    ]
    return "\n".join(kept)


def _indented(text: str, indent: str) -> str:
    inside = _string_lines(ast.parse(text))
    lines = text.split("\n")
    return "\n".join(
        line if number in inside or not line.strip() else indent + line for number, line in enumerate(lines, 1)
    )


def _string_lines(tree: ast.AST) -> set[int]:
    """Lines that begin inside a string: blanks there are part of a value. Docstrings may move."""
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    strings = [node for node in ast.walk(tree) if isinstance(node, ast.Constant | ast.JoinedStr)]
    return {
        line
        for node in strings
        if id(node) not in docstrings
        for line in range(node.lineno + 1, (node.end_lineno or node.lineno) + 1)
    }
