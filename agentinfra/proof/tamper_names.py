"""What a name or an expression in Python source stands for, as far as the source itself tells."""

from __future__ import annotations

import ast
from collections.abc import Mapping

_IMPORTERS = ("__import__", "importlib.import_module", "importlib.__import__")


class Names:
    """The imported names of a module: ``import os as o`` makes ``o.path`` stand for ``os.path``.

    Args:
        tree: The module; imports count wherever they stand.
    """

    def __init__(self, tree: ast.Module) -> None:
        self._known: dict[str, str] = {"__builtins__": "builtins", "getattr": "getattr", "setattr": "setattr"}
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                self._known |= _imported(node)
            elif isinstance(node, ast.ImportFrom) and not node.level:
                self._known |= {one.asname or one.name: f"{node.module}.{one.name}" for one in node.names}
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
                value = self.resolve(node.value)
                if value and "." in value:  # exit = os._exit
                    self._known.setdefault(node.targets[0].id, value)

    @property
    def modules(self) -> Mapping[str, str]:
        """Dotted names by the name they have here."""
        return self._known

    def resolve(self, node: ast.AST) -> str:
        """The dotted name of what an expression stands for, "" where it cannot be known."""
        if isinstance(node, ast.Name):
            return self._known.get(node.id, "")
        if isinstance(node, ast.Attribute):
            owner = self.resolve(node.value)
            return owner if owner and node.attr == "__dict__" else _joined(owner, node.attr)
        if isinstance(node, ast.Call) and node.args:
            return self._resolve_call(node)
        if isinstance(node, ast.Subscript):  # sys.modules["os"], vars(builtins)["len"]
            owner, key = self.resolve(node.value), folded(node.slice)
            return key if owner == "sys.modules" and key else _joined(owner, key)
        return ""

    def _resolve_call(self, node: ast.Call) -> str:
        called = node.func.id if isinstance(node.func, ast.Name) else self.resolve(node.func)
        if called in _IMPORTERS:
            return folded(node.args[0])
        if called == "vars":
            return self.resolve(node.args[0])
        if called == "getattr" and len(node.args) > 1:
            return _joined(self.resolve(node.args[0]), folded(node.args[1]))
        return ""


def _imported(node: ast.Import) -> dict[str, str]:
    return {
        one.asname or one.name.partition(".")[0]: one.name if one.asname else one.name.partition(".")[0]
        for one in node.names
    }


def _joined(owner: str, name: str) -> str:
    return f"{owner}.{name}" if owner and name else ""


def folded(node: ast.AST) -> str:
    """The text that an expression of constant texts makes, "" where it is none: ``"a" + "b"``, ``"ba"[::-1]``."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = folded(node.left), folded(node.right)
        return left + right if left and right else ""
    if isinstance(node, ast.Subscript) and ast.unparse(node.slice) == "::-1":
        return folded(node.value)[::-1]
    if isinstance(node, ast.Call) and ast.unparse(node.func) in ("''.join", '"".join') and node.args:
        return _folded_items(node.args[0])
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "chr" and node.args:
        code = node.args[0].value if isinstance(node.args[0], ast.Constant) else None
        return chr(code) if isinstance(code, int) and 0 < code < 0x110000 else ""
    return ""


def _folded_items(node: ast.expr) -> str:
    parts = [folded(one) for one in node.elts] if isinstance(node, ast.List | ast.Tuple) else []
    return "".join(parts) if all(parts) else ""
