"""Put new versions of functions and classes into a module and keep everything else byte for byte."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence

from agentinfra.core.errors import PatchError
from agentinfra.patching.class_merge import merge_class, merge_method
from agentinfra.patching.names import (
    GUARD,
    Definition,
    bound_name,
    defined_names,
    first_line,
    last_line,
    plain_name,
    statement_names,
    used_names,
)

_IMPORT = ast.Import | ast.ImportFrom


def splice(source: str, new: str, symbols: Sequence[str]) -> str:
    """Put definitions of ``new`` into the module ``source``.

    Args:
        source: The module as it is; may be empty.
        new: Source with the new definitions and the imports, constants and helpers that they use.
        symbols: What to take from it: ``f``, ``C`` or ``C.m``, also as signatures; none takes everything. A class that
            is replaced keeps those of its members that the new one lacks.

    Returns:
        The module with same-named definitions replaced in place, others added in the order of ``new``, and missing
        imports added below those that are there.

    Raises:
        PatchError: One of the two does not parse, ``new`` lacks a symbol, or a helper, constant or import of it clashes
            with one that other code here uses.
    """
    newline = "\r\n" if "\r\n" in source else "\n"
    there = _Module(source.replace("\r\n", "\n"), "the file")
    given = _Module(new.replace("\r\n", "\n"), "the new code")
    names = [plain_name(symbol) for symbol in symbols] or list(given.statements)
    for name in names:
        _put(there, given, name)
    for name in _needed(given, names):
        if name in there.statements:
            _keep_or_replace(there, given, name, names)
        else:
            there.add(given.text(name), given.statements[name])
    _add_imports(there, given, names)
    result = there.source
    _check(source, result)
    return result.replace("\n", newline)


class _Module:
    """A module's source with its top-level statements by name; every change parses it anew."""

    def __init__(self, source: str, what: str) -> None:
        self.what = what
        self.source = source
        self._parse()

    def _parse(self) -> None:
        try:
            self.tree = ast.parse(self.source)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            where = f" at line {error.lineno}" if isinstance(error, SyntaxError) else ""
            raise PatchError(
                f"{self.what.capitalize()} does not parse{where}",
                why=str(error),
                next_step="Send the complete definition again",
            ) from error
        self.lines = self.source.split("\n")
        self.imports = [node for node in self.tree.body if isinstance(node, _IMPORT)]
        self.statements = {
            name: node for node in self.tree.body if not isinstance(node, _IMPORT) for name in statement_names(node)
        }

    def text(self, name: str) -> str:
        """The statement's source, with the comments right above it."""
        node = self.statements[name]
        start = first_line(node) - 1
        while start > 0 and self.lines[start - 1].startswith("#"):
            start -= 1
        return "\n".join(self.lines[start : last_line(node)])

    def replace(self, name: str, text: str) -> None:
        """Put other text in the place of a statement; comments above it stay."""
        node = self.statements[name]
        self._edit(first_line(node) - 1, last_line(node), text.split("\n"))

    def add(self, text: str, node: ast.stmt) -> None:
        """Add a statement: constants that call nothing here go above the definitions, everything else to the end."""
        definitions = [n for n in self.tree.body if isinstance(n, Definition)]
        calls_own = bool(used_names(node) & {n.name for n in definitions})
        if isinstance(node, Definition) or calls_own or not definitions:
            self._append(text)
        else:
            self._edit(self._above(definitions[0]), self._above(definitions[0]), [*text.split("\n"), "", ""])

    def add_import(self, text: str) -> None:
        """Add an import below the last one of the module's head; a ``from __future__`` goes above all others."""
        future = text.startswith("from __future__")
        head = [n for n in self.tree.body[:1] if isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant)]
        above = head if future else [*head, *self.imports]
        line = max(map(last_line, above), default=self._first_code_line())
        more = [] if self.imports or not self.source.strip() else [""]
        self._edit(line, line, ([""] if head and not self.imports else []) + text.split("\n") + more)

    def _first_code_line(self) -> int:
        """Where code begins: below "#!" and the comments at the very top."""
        for index, line in enumerate(self.lines):
            if not line.startswith("#"):
                return index
        return 0

    def _append(self, text: str) -> None:
        guard = self.statements.get(GUARD)
        if guard is not None:
            self._edit(self._above(guard), self._above(guard), [*text.split("\n"), "", ""])
        else:
            body = self.source.rstrip("\n")
            self.source = f"{body}\n\n\n{text}\n" if body else f"{text}\n"
            self._parse()

    def _above(self, node: ast.stmt) -> int:
        start = first_line(node) - 1
        while start > 0 and self.lines[start - 1].startswith("#"):
            start -= 1
        return start

    def _edit(self, start: int, end: int, lines: Sequence[str]) -> None:
        self.source = "\n".join([*self.lines[:start], *lines, *self.lines[end:]])
        self._parse()


def _put(there: _Module, given: _Module, name: str) -> None:
    owner, _, method = name.rpartition(".")
    if owner and owner in there.statements:
        there.replace(owner, merge_method(there.text(owner), given.source, owner, method))
        return
    name = owner or name
    if name not in given.statements:
        raise PatchError(
            f"The new code does not define {name}",
            why=f"it defines {', '.join(given.statements) or 'nothing'}",
            next_step=f"Send {name} complete",
        )
    new = given.statements[name]
    old = there.statements.get(name)
    if old is None:
        there.add(given.text(name), new)
    elif isinstance(old, ast.ClassDef) and isinstance(new, ast.ClassDef):
        there.replace(name, merge_class(there.text(name), given.text(name)))
    else:
        there.replace(name, given.text(name))
