"""Names in Python source: what a module defines, what a piece of it uses."""

from __future__ import annotations

import ast
import re

Function = ast.FunctionDef | ast.AsyncFunctionDef
Definition = Function | ast.ClassDef
GUARD = "__main__"  # the name under which ``if __name__ == "__main__":`` goes here

_PREFIX = re.compile(r"\s*(?:class|exception|async\s+def|def)\s+")


def plain_name(symbol: str) -> str:
    """The name in a signature: ``f`` of ``f(a)``, ``C`` of ``class C(a)``, ``C.m`` of ``C.m(a)``."""
    return _PREFIX.sub("", symbol).partition("(")[0].strip().rstrip(":")


def parse_python(source: str) -> ast.Module | None:
    """Parse a module; None where it is not Python."""
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def statement_names(node: ast.stmt) -> tuple[str, ...]:
    """The names that a statement binds at its level; the main guard counts as :data:`GUARD`."""
    if isinstance(node, Definition):
        return (node.name,)
    if isinstance(node, ast.Import | ast.ImportFrom):
        return tuple(map(bound_name, node.names))
    if isinstance(node, ast.Assign):
        return tuple(name for target in node.targets for name in _target_names(target))
    if isinstance(node, ast.AnnAssign | ast.AugAssign):
        return _target_names(node.target)
    return _block_names(node)


def bound_name(alias: ast.alias) -> str:
    """The name that an import binds: ``b`` for ``import a as b``, ``a`` for ``import a.b``."""
    return alias.asname or alias.name.partition(".")[0]


def _block_names(node: ast.AST) -> tuple[str, ...]:
    if isinstance(node, ast.stmt) and is_guard(node):
        return (GUARD,)
    if not isinstance(node, ast.If | ast.Try | ast.ExceptHandler):
        return ()
    inside = [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt | ast.ExceptHandler)]
    found = (statement_names(child) if isinstance(child, ast.stmt) else _block_names(child) for child in inside)
    return tuple(name for names in found for name in names)


def _target_names(target: ast.expr) -> tuple[str, ...]:
    return tuple(node.id for node in ast.walk(target) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))


def is_guard(node: ast.stmt) -> bool:
    """Whether a statement is ``if __name__ == "__main__":``."""
    if not isinstance(node, ast.If):
        return False
    return "__name__" in used_names(node.test) and any(
        isinstance(child, ast.Constant) and child.value == "__main__" for child in ast.walk(node.test)
    )


def used_names(*nodes: ast.AST) -> frozenset[str]:
    """All names that pieces of source read, those in quoted annotations included."""
    children = [child for node in nodes for child in ast.walk(node)]
    names = {child.id for child in children if isinstance(child, ast.Name) and isinstance(child.ctx, ast.Load)}
    quoted = (part.value for child in children for part in _annotation_parts(child) if isinstance(part, ast.Constant))
    return frozenset(names.union(*(re.findall(r"[A-Za-z_]\w*", text) for text in quoted if isinstance(text, str))))


def eager_names(node: ast.stmt) -> frozenset[str]:
    """Names that must exist when a statement is executed at import: not those in the bodies of functions."""
    if isinstance(node, Function):
        arguments = node.args
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
        annotations = [argument.annotation for argument in every if argument and argument.annotation]
        defaults = [*arguments.defaults, *(default for default in arguments.kw_defaults if default)]
        return used_names(*node.decorator_list, *defaults, *annotations, *([node.returns] if node.returns else []))
    if isinstance(node, ast.ClassDef):
        head = used_names(*node.decorator_list, *node.bases, *node.keywords)
        return head.union(*map(eager_names, node.body))
    return used_names(node)


def _annotation_parts(node: ast.AST) -> list[ast.AST]:
    annotation = node.returns if isinstance(node, Function) else None
    annotation = node.annotation if isinstance(node, ast.arg | ast.AnnAssign) else annotation
    return list(ast.walk(annotation)) if annotation else []


def defined_names(tree: ast.Module) -> frozenset[str]:
    """Functions, classes, constants and, as ``C.m``, the methods of a module; imports are left out."""
    names: set[str] = set()
    for node in tree.body:
        if not isinstance(node, ast.Import | ast.ImportFrom):
            names.update(statement_names(node))
        if isinstance(node, ast.ClassDef):
            names.update(f"{node.name}.{name}" for child in node.body for name in statement_names(child))
    return frozenset(names)


def first_line(node: ast.stmt) -> int:
    """The line on which a statement begins, its decorators included, counted from 1."""
    decorators = node.decorator_list if isinstance(node, Definition) else []
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def last_line(node: ast.stmt) -> int:
    """The line on which a statement ends, counted from 1."""
    return node.end_lineno or node.lineno


def is_stub(node: ast.stmt) -> bool:
    """Whether a definition has no content: ``pass``, ``...``, a docstring, ``raise NotImplementedError``."""
    if not isinstance(node, Definition):
        return False
    return all(_is_empty(child) or (isinstance(node, ast.ClassDef) and is_stub(child)) for child in node.body)


def _is_empty(node: ast.stmt) -> bool:
    if isinstance(node, ast.Raise):
        return node.exc is not None and "NotImplementedError" in used_names(node.exc)
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
