"""Merge three versions of a Python module by its statements, where lines that stand side by side are no conflict."""

from __future__ import annotations

import ast

from agentinfra.core.errors import PatchError
from agentinfra.patching.module import Import, Module
from agentinfra.patching.names import bound_name, statement_names, used_names


def merge_modules(base: str, ours: str, theirs: str) -> str | None:
    """Bring what changed from ``base`` to ``theirs`` into ``ours``.

    Args:
        base: The version that both come from; "" where there was none.
        ours: The version that is changed.
        theirs: The version whose changes are brought over.

    Returns:
        The merged module; None where both changed the same statement, or one that has no name, or a text is no Python.
    """
    try:
        return _Merge(Module(base, "The base"), Module(ours, "Our side"), Module(theirs, "Their side")).run()
    except PatchError:
        return None


class _Merge:
    """One merge: ``mine`` is edited, the others are read."""

    def __init__(self, before: Module, mine: Module, other: Module) -> None:
        self.before = before
        self.mine = mine
        self.other = other

    def run(self) -> str | None:
        if _unnamed(self.before) != _unnamed(self.other):
            return None
        if not all(self._bring(name) for name in {**self.before.statements, **self.other.statements}):
            return None
        self._bring_imports()
        return self.mine.source

    def _bring(self, name: str) -> bool:
        """Bring one statement over; False where both sides changed it."""
        was, is_now, ours = (_text(module, name) for module in (self.before, self.other, self.mine))
        if is_now in (was, ours):
            return True
        if ours != was:
            return False
        if is_now is None:
            self.mine.remove(name)
        elif was is None:
            self.mine.add(name, is_now, self.other.statements[name])
        else:
            self.mine.replace(name, is_now)
        return True

    def _bring_imports(self) -> None:
        was, is_now = _imports(self.before), _imports(self.other)
        for text, node in is_now.items():
            if text not in was and text not in _imports(self.mine):
                self.mine.add_import(node)
        for text in was:
            node = _imports(self.mine).get(text)
            if text not in is_now and node is not None and not self._is_used(node):
                self.mine.remove_import(node)

    def _is_used(self, node: Import) -> bool:
        return bound_name(node.names[0]) in used_names(*self.mine.statements.values())


def _text(module: Module, name: str) -> str | None:
    return module.text(name) if name in module.statements else None


def _imports(module: Module) -> dict[str, Import]:
    """The module's imports, one for each name, by their text."""
    single = (one for node in module.imports for one in _each_name(node))
    return {ast.unparse(node): node for node in single}


def _each_name(node: Import) -> list[Import]:
    if isinstance(node, ast.Import):
        return [ast.Import([alias]) for alias in node.names]
    return [ast.ImportFrom(node.module, [alias], node.level) for alias in node.names]


def _unnamed(module: Module) -> list[str]:
    """The statements that no name leads to, such as a docstring or a call."""
    nodes = (node for node in module.tree.body if not isinstance(node, Import) and not statement_names(node))
    return [ast.dump(node) for node in nodes]
