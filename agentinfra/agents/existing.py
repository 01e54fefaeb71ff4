"""What of a specification is in the code today: the difference between adding and changing. Pure."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping

from agentinfra.agents.test_suite import symbol_name
from agentinfra.spec.requirements import Requirement, Spec

MAX_CODE = 4_000  # characters of existing code that a prompt shows; half of a function would mislead

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def there_today(spec: Spec, files: Mapping[str, str]) -> dict[str, str]:
    """What the code has by the names that a specification asks for.

    Args:
        spec: The specification.
        files: Text of the files that are there, by path.

    Returns:
        Today's signatures, or the file's path where a requirement names no symbol, by the id of the requirement; those
        of which nothing is there are left out: they are new.
    """
    found = {one.id: _today(one, files[one.file]) for one in spec.requirements if one.file in files}
    return {name: text for name, text in found.items() if text}


def describe_today(source: str, symbols: Iterable[str]) -> str:
    """Today's code of what is to be written, as a model is told of it; "" where nothing of it is there.

    Args:
        source: The file as it is.
        symbols: Signatures of what is to be written.
    """
    found = definitions(source, map(symbol_name, symbols))
    code = "\n\n\n".join(ast.get_source_segment(source, node) or "" for node in found).strip()
    if not code or len(code) > MAX_CODE:
        return ""
    return f"It is there already; change it and keep what the rules do not speak of:\n```python\n{code}\n```\n"


def definitions(source: str, names: Iterable[str]) -> list[Definition]:
    """The functions and classes of these names at the top of a module; none of one that cannot be read."""
    wanted = set(names)
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    return [node for node in body if isinstance(node, Definition) and node.name in wanted]


def _today(requirement: Requirement, source: str) -> str:
    if not requirement.symbols:
        return requirement.file
    return ", ".join(map(_signature, definitions(source, map(symbol_name, requirement.symbols))))


def _signature(node: Definition) -> str:
    if isinstance(node, ast.ClassDef):
        return f"class {node.name}"
    return f"{node.name}({ast.unparse(node.args)})"
