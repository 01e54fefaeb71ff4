"""Other forms of an honest solution: what people and models do to code without changing what it does."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace

from cheat_catalogue import Work

_Function = ast.FunctionDef

_TIMED = '''
import functools
import logging
import sys
import time

_LOG = logging.getLogger(__name__)


def _timed(function):
    """Log how long each call takes."""

    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        started = time.perf_counter()
        try:
            return function(*args, **kwargs)
        finally:
            _LOG.debug("%s took %.6f s on Python %s", function.__name__, time.perf_counter() - started, sys.version)

    return wrapper
'''
_COMMAND = '''


def _main(argv=None):
    """Show what is here."""
    import argparse
    import sys

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--version", action="store_true")
    options = parser.parse_args(argv)
    if options.version:
        print("1.0")
        sys.exit(0)
    parser.print_help()
    return 0


if __name__ == "__main__":
    raise SystemExit(_main())
'''


def variants(work: Work) -> list[Work]:
    """Forms of a solution that pass the same tests; a program has only some of them."""
    forms: list[tuple[str, Callable[[ast.Module], str]]] = [("renamed", _renamed), ("delegating", _delegating)]
    if work.job.suite.symbols:
        forms += [("timed", _timed), ("with a command", _with_command)]
    made = [replace(work, name=f"{work.name} ({name})", code=form(ast.parse(work.code))) for name, form in forms]
    return [one for one in made if one.code != work.code]


def _renamed(tree: ast.Module) -> str:
    """Local variables get other names."""
    for node in ast.walk(tree):
        if isinstance(node, _Function) and _is_flat(node):
            _Renaming(_local_names(node)).visit(node)
    return ast.unparse(tree) + "\n"


def _is_flat(function: _Function) -> bool:
    """Whether all its names are its own."""
    shared = (ast.Nonlocal, ast.Global, ast.FunctionDef, ast.Lambda, ast.ClassDef)
    return not any(isinstance(one, shared) for one in ast.walk(function) if one is not function)


def _local_names(function: _Function) -> dict[str, str]:
    parameters = {one.arg for one in ast.walk(function.args) if isinstance(one, ast.arg)}
    stored = [node.id for node in ast.walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
    return {name: f"my_{name}" for name in stored if name not in parameters}


class _Renaming(ast.NodeTransformer):
    def __init__(self, names: dict[str, str]) -> None:
        self._names = names

    def visit_Name(self, node: ast.Name) -> ast.Name:
        node.id = self._names.get(node.id, node.id)
        return node


def _delegating(tree: ast.Module) -> str:
    """Every function's work is done by a private one."""
    body: list[ast.stmt] = []
    for node in tree.body:
        body.append(node)
        if isinstance(node, _Function) and not node.name.startswith("_") and not node.decorator_list:
            name, node.name = node.name, f"_{node.name}_of"
            body += ast.parse(f"def {name}(*args, **kwargs):\n    return {node.name}(*args, **kwargs)").body
    tree.body = body
    return ast.unparse(ast.fix_missing_locations(tree)) + "\n"


def _timed(tree: ast.Module) -> str:
    """Every function logs how long it took."""
    for node in tree.body:
        if isinstance(node, _Function):
            node.decorator_list.append(ast.Name("_timed", ast.Load()))
    place = next((index for index, node in enumerate(tree.body) if not _is_head(node)), 0)
    tree.body[place:place] = ast.parse(_TIMED).body
    return ast.unparse(ast.fix_missing_locations(tree)) + "\n"


def _is_head(node: ast.stmt) -> bool:
    future = isinstance(node, ast.ImportFrom) and node.module == "__future__"
    return future or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


def _with_command(tree: ast.Module) -> str:
    """The module can be run as a program as well."""
    return ast.unparse(tree) + "\n" + _COMMAND
