"""The signatures of a requirement as Python source with empty bodies: what tests are proven RED against.

Annotations and defaults that are no plain values are left out: the names in them need not exist, and a module that
cannot be imported proves nothing.
"""

from __future__ import annotations

import ast
import builtins
import keyword
import re
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

_CLASS = re.compile(r"(?P<kind>class|exception)\s+(?P<name>[A-Za-z_]\w*)\s*(?:\((?P<inside>.*)\))?\s*:?", re.DOTALL)
_METHOD = re.compile(r"(?:async\s+)?(?:def\s+)?(?P<owner>[A-Za-z_]\w*)\.(?P<rest>[A-Za-z_]\w*\s*\(.*)", re.DOTALL)
_DEF = re.compile(r"(?:async\s+)?(?:def\s+)?")
_CONTAINERS = frozenset({"object", "list", "dict", "set", "frozenset", "tuple", "str", "int", "float"})


@dataclass
class _Class:
    name: str
    base: str = ""
    methods: dict[str, ast.FunctionDef] = field(default_factory=dict[str, ast.FunctionDef])


def stub(symbols: Iterable[str]) -> str:
    """Make importable source for signatures.

    Args:
        symbols: ``f(a, b)``, ``class Bag(size)``, ``Bag.add(name)`` or ``class BagError(Exception)``; a class's
            parentheses hold its bases where they name exceptions or other known classes, else its constructor's
            parameters. What is no signature is left out.
    """
    texts = [symbol.strip() for symbol in symbols]
    known = {found["name"] for text in texts if (found := _class_head(text))}
    functions: dict[str, ast.FunctionDef] = {}
    classes: dict[str, _Class] = {}
    for text in texts:
        if found := _class_head(text):
            inside = found["inside"] or ("Exception" if found["kind"] == "exception" else "")
            _add_class(classes, found["name"], inside, known)
        elif found := _METHOD.fullmatch(text):
            method = _function(found["rest"], is_method=True)
            if method and not keyword.iskeyword(found["owner"]):
                _add(classes.setdefault(found["owner"], _Class(found["owner"])).methods, method)
        else:
            _add(functions, _function(text))
    blocks = [*map(_class_source, _bases_first(classes)), *map(ast.unparse, functions.values())]
    return "\n\n\n".join(blocks) + "\n"


def is_exception(symbol: str) -> bool:
    """Whether a signature is that of an exception, told by the name of its base."""
    found = _class_head(symbol.strip())
    return found is not None and bool(re.fullmatch(r"\w*(?:Error|Exception|Warning)", (found["inside"] or "").strip()))


def _class_head(text: str) -> re.Match[str] | None:
    found = _CLASS.fullmatch(text)
    return found if found and not keyword.iskeyword(found["name"]) else None


def _add_class(classes: dict[str, _Class], name: str, inside: str, known: set[str]) -> None:
    own = classes.setdefault(name, _Class(name))
    names = [part.strip() for part in inside.split(",") if part.strip()]
    if names and all(_is_class(part, known) for part in names):
        there = [part for part in names if part != name and (part in known or hasattr(builtins, part))]
        # One is enough: tests catch exceptions and call methods, and not every two bases go together.
        own.base = own.base or next(iter(there), "Exception")
    elif names:
        _add(own.methods, _function(f"__init__({inside})", is_method=True))


def _is_class(name: str, known: set[str]) -> bool:
    builtin = getattr(builtins, name, None)
    is_raised = isinstance(builtin, type) and issubclass(builtin, BaseException)
    return name in known or name in _CONTAINERS or is_raised or name.endswith(("Error", "Exception"))


def _add(functions: dict[str, ast.FunctionDef], function: ast.FunctionDef | None) -> None:
    if function is not None:
        functions.setdefault(function.name, function)


def _function(text: str, *, is_method: bool = False) -> ast.FunctionDef | None:
    head = _DEF.sub("", text, count=1).rstrip(": \t")
    try:
        function, *more = ast.parse(f"def {head}: pass").body
        if more or not isinstance(function, ast.FunctionDef):
            return None
        function.returns, function.body = None, [ast.Pass()]
        _simplify(function.args, is_method=is_method)
        compile(ast.unparse(function), "stub", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return function


def _simplify(arguments: ast.arguments, *, is_method: bool) -> None:
    for node in ast.walk(arguments):
        if isinstance(node, ast.arg):
            node.annotation = None
    arguments.defaults = [_plain(default) for default in arguments.defaults]
    arguments.kw_defaults = [default and _plain(default) for default in arguments.kw_defaults]
    positional = [*arguments.posonlyargs, *arguments.args]
    if is_method and not (positional and positional[0].arg in ("self", "cls")):
        (arguments.posonlyargs or arguments.args).insert(0, ast.arg("self"))


def _plain(default: ast.expr) -> ast.expr:
    try:
        ast.literal_eval(default)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return ast.Constant(None)
    return default


def _bases_first(classes: dict[str, _Class]) -> Iterator[_Class]:
    left = dict(classes)
    while left:
        free = [one for one in left.values() if one.base not in left]
        # Classes that are each other's bases cannot be; the first of them loses its own.
        chosen = free[0] if free else replace(next(iter(left.values())), base="")
        yield chosen
        del left[chosen.name]


def _class_source(one: _Class) -> str:
    head = f"class {one.name}({one.base}):" if one.base else f"class {one.name}:"
    body = "\n\n".join(map(ast.unparse, one.methods.values())) or "pass"
    return f"{head}\n{textwrap.indent(body, '    ')}"
