"""A Python module as text with its top-level statements by name, edited by whole lines."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from agentinfra.core.errors import PatchError
from agentinfra.patching.names import GUARD, Definition, eager_names, first_line, last_line, statement_names, used_names

Import = ast.Import | ast.ImportFrom


class Module:
    """Source with its statements by name; every edit parses it anew.

    Args:
        source: The text, with "\\n" as line end.
        what: What it is called in errors.

    Raises:
        PatchError: It does not parse; edits raise it too.
    """

    def __init__(self, source: str, what: str) -> None:
        self.what = what
        self._load(source)

    def _load(self, source: str) -> None:
        try:
            self.tree = ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            where = f" at line {error.lineno}" if isinstance(error, SyntaxError) else ""
            what = f"{self.what} does not parse{where}"
            raise PatchError(what, why=str(error), next_step="Send the complete definition again") from error
        self.source = source
        self.lines = source.split("\n")
        self.imports = [node for node in self.tree.body if isinstance(node, Import)]
        self.statements = {
            name: node for node in self.tree.body if not isinstance(node, Import) for name in statement_names(node)
        }

    def text(self, name: str) -> str:
        """The source of a statement, its decorators included."""
        node = self.statements[name]
        return "\n".join(self.lines[first_line(node) - 1 : last_line(node)])

    def replace(self, name: str, text: str) -> None:
        """Put other text in the place of a statement."""
        node = self.statements[name]
        self._edit(first_line(node) - 1, last_line(node), text.split("\n"))

    def add(self, name: str, text: str, node: ast.stmt) -> None:
        """Add a statement: above the first one that needs it at import, constants above definitions, the rest below."""
        eager = [other for other in self.tree.body if name in eager_names(other)]
        definitions = [other for other in self.tree.body if isinstance(other, Definition)]
        calls_own = any(other.name in used_names(node) for other in definitions)
        if not isinstance(node, Definition) and not calls_own:
            eager += definitions[:1]
        if eager:
            self._insert_above(min(eager, key=first_line), text)
        elif GUARD in self.statements and name != GUARD:
            self._insert_above(self.statements[GUARD], text)
        else:
            body = self.source.rstrip("\n")
            self._load(f"{body}\n\n\n{text}\n" if body else f"{text}\n")

    def remove(self, name: str) -> None:
        """Take a statement away, with the empty lines above it."""
        node = self.statements[name]
        self._cut(first_line(node) - 1, last_line(node))

    def remove_import(self, wanted: Import) -> None:
        """Take one imported name away, and its whole statement where that imports nothing else."""
        alias = wanted.names[0]
        node = next(other for other in self.imports if _imports(other, wanted))
        left = [other for other in node.names if ast.dump(other) != ast.dump(alias)]
        if left:
            node.names = left
            self._edit(first_line(node) - 1, last_line(node), [ast.unparse(node)])
        else:
            self._cut(first_line(node) - 1, last_line(node))

    def add_import(self, node: Import) -> None:
        """Add an import below those of the module's head; a ``from __future__`` goes above them."""
        is_future = isinstance(node, ast.ImportFrom) and node.module == "__future__"
        docstring = self.tree.body[:1] if ast.get_docstring(self.tree) is not None else []
        imports = [] if is_future else self._head_imports(len(docstring))
        above = [*docstring, *imports]
        line = max(map(last_line, above)) if above else self._first_code_line()
        gap_above = [""] if docstring and not imports else []
        gap_below = [] if above or self._starts_with_import() else ["", ""]
        self._edit(line, line, [*gap_above, ast.unparse(node), *gap_below])

    def _head_imports(self, start: int) -> list[ast.stmt]:
        found: list[ast.stmt] = []
        for node in self.tree.body[start:]:
            if not isinstance(node, Import):
                break
            found.append(node)
        return found

    def _starts_with_import(self) -> bool:
        return bool(self._head_imports(0))

    def _first_code_line(self) -> int:
        """Where code begins: below the comments at the very top, such as "#!"."""
        return next((index for index, line in enumerate(self.lines) if not line.startswith("#")), 0)

    def _insert_above(self, node: ast.stmt, text: str) -> None:
        start = first_line(node) - 1
        while start > 0 and self.lines[start - 1].startswith("#"):
            start -= 1
        self._edit(start, start, [*text.split("\n"), "", ""])

    def _cut(self, start: int, end: int) -> None:
        while start > 0 and not self.lines[start - 1].strip():
            start -= 1
        below = self.lines[end:]
        while not start and below and not below[0].strip():
            below = below[1:]
        self._load("\n".join([*self.lines[:start], *below]))

    def _edit(self, start: int, end: int, lines: Sequence[str]) -> None:
        self._load("\n".join([*self.lines[:start], *lines, *self.lines[end:]]))


def _imports(node: Import, wanted: Import) -> bool:
    """Whether an import statement binds the one name of another."""
    single = type(node) is type(wanted) and ast.dump(wanted.names[0]) in map(ast.dump, node.names)
    if isinstance(node, ast.ImportFrom) and isinstance(wanted, ast.ImportFrom):
        return single and (node.module, node.level) == (wanted.module, wanted.level)
    return single
