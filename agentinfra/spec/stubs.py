"""The signatures of a requirement as Python source with empty bodies: what tests are proven RED against."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterable

_CLASS = re.compile(r"^(?:class|exception)\s+([A-Za-z_]\w*)\s*(?:\((.*)\))?\s*:?\s*$")
_METHOD = re.compile(r"^([A-Za-z_]\w*)\.([A-Za-z_]\w*)\s*\((.*)\)$")
_FUNCTION = re.compile(r"^(?:async\s+)?(?:def\s+)?([A-Za-z_]\w*)\s*\((.*)\)$")


def stub(symbols: Iterable[str]) -> str:
    """Make importable source for signatures.

    Args:
        symbols: ``f(a, b)``, ``class Bag(size)``, ``Bag.add(name)`` or ``class BagError(Exception)``; a class's
            parentheses hold its bases where they name exceptions or other known classes, else its constructor's
            parameters. What is no signature is left out.
    """
    functions: list[str] = []
    classes: dict[str, tuple[str, list[str]]] = {}
    for symbol in symbols:
        text = symbol.strip().split("->")[0].strip().rstrip(":").strip()
        if match := _CLASS.match(text):
            classes.setdefault(match.group(1), _class_parts(match.group(2) or "", set(classes)))
        elif match := _METHOD.match(text):
            head = classes.setdefault(match.group(1), ("", []))
            head[1].append(_function(match.group(2), f"self, {match.group(3)}" if match.group(3).strip() else "self"))
        elif match := _FUNCTION.match(text):
            functions.append(_function(match.group(1), match.group(2)))
    blocks = [*(_class(name, bases, methods) for name, (bases, methods) in classes.items()), *functions]
    return "\n\n\n".join(block for block in blocks if _parses(block)) + "\n"


def _class_parts(inside: str, known: set[str]) -> tuple[str, list[str]]:
    names = [part.strip() for part in inside.split(",") if part.strip()]
    if names and all(_is_class(name, known) for name in names):
        return ", ".join(names), []
    return (
        ("", [_function("__init__", f"self, {inside}" if inside.strip() else "self")]) if inside.strip() else ("", [])
    )


def _is_class(name: str, known: set[str]) -> bool:
    return name in known or isinstance(getattr(builtins, name, None), type) or name.endswith(("Error", "Exception"))


def _class(name: str, bases: str, methods: list[str]) -> str:
    head = f"class {name}({bases}):" if bases else f"class {name}:"
    body = "\n\n".join("\n".join(f"    {line}" for line in method.split("\n")) for method in methods)
    return f"{head}\n{body or '    pass'}"


def _function(name: str, parameters: str) -> str:
    return f"def {name}({parameters}):\n    pass"


def _parses(source: str) -> bool:
    try:
        ast.parse(source)
    except (SyntaxError, ValueError):
        return False
    return True
