"""Put new versions of functions and classes into a module and keep everything else byte for byte."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import NoReturn

from agentinfra.core.errors import PatchError
from agentinfra.patching.class_merge import members_taken, merge_class, merge_members
from agentinfra.patching.module import Import, Module
from agentinfra.patching.names import (
    GUARD,
    Definition,
    bound_name,
    defined_names,
    first_line,
    parse_python,
    plain_name,
    used_names,
)


def splice(source: str, new: str, symbols: Sequence[str]) -> str:
    """Put definitions of ``new`` into the module ``source``.

    Args:
        source: The module as it is; may be empty.
        new: Source with the new definitions and the imports, constants and helpers that they use.
        symbols: What to take from it: ``f``, ``C`` or ``C.m``, also as signatures; none takes everything.

    Returns:
        The module with same-named definitions replaced in place, others added in the order of ``new``, and missing
        imports added below those that are there. A replaced class keeps those of its members that the new one lacks;
        a public function that ``new`` brings along unasked does not replace the one that is there.

    Raises:
        PatchError: One of the two does not parse, ``new`` lacks a symbol, or a helper, constant or import of it clashes
            with one that other code of the module uses.
    """
    there = Module(source.replace("\r\n", "\n"), "The file")
    given = Module(new.replace("\r\n", "\n"), "The new code")
    names = [plain_name(symbol) for symbol in symbols]
    public = _public(there.source)
    if not names and public <= _public(given.source):
        return _with_line_ends_of(source, given.source)
    result = _Splice(there, given, names or list(given.statements)).run()
    _refuse_loss(public, result, f"Send only {', '.join(names)}, each on lines of its own")
    return _with_line_ends_of(source, result)


def check_kept(source: str, changed: str) -> None:
    """Check that a changed module parses and keeps every public definition.

    Raises:
        PatchError: It does not.
    """
    result = Module(changed.replace("\r\n", "\n"), "The new code").source
    _refuse_loss(_public(source), result, "Change only the definitions asked for, and keep the others")


def _refuse_loss(public: frozenset[str], result: str, next_step: str) -> None:
    lost = sorted(public - _public(result))
    if lost:
        why = "only the definitions asked for may change"
        raise PatchError(f"The change would remove {', '.join(lost)}", why=why, next_step=next_step)


def _with_line_ends_of(source: str, result: str) -> str:
    return result.replace("\n", "\r\n") if "\r\n" in source else result


def _public(source: str) -> frozenset[str]:
    tree = parse_python(source)
    names = defined_names(tree) if tree else frozenset[str]()
    return frozenset(name for name in names if not name.startswith("_") and "._" not in name)


class _Splice:
    """One splice: ``there`` is edited, ``given`` is read."""

    def __init__(self, there: Module, given: Module, names: Sequence[str]) -> None:
        self.there = there
        self.given = given
        self.members = [name for name in names if name.rpartition(".")[0] in there.statements]
        self.names = [name.partition(".")[0] for name in names if name not in self.members]
        if "main" in names and GUARD in given.statements:
            self.names.append(GUARD)

    def run(self) -> str:
        for name in self.names:
            if name not in self.given.statements:
                self._refuse_missing(name)
        helpers = self._helpers()
        for name in self.members:
            owner, _, member = name.rpartition(".")
            self.there.replace(owner, merge_members(self.there.text(owner), self.given, owner, member))
        in_order = sorted({*self.names, *helpers}, key=lambda name: first_line(self.given.statements[name]))
        for name in in_order:
            if name in self.there.statements:
                self._replace(name)
        for name in in_order:
            if name not in self.there.statements:
                self.there.add(name, self.given.text(name), self.given.statements[name])
        self._place_imports(helpers)
        return self.there.source

    def _refuse_missing(self, name: str) -> NoReturn:
        raise PatchError(
            f"The new code does not define {name}",
            why=f"it defines {', '.join(self.given.statements) or 'nothing'}",
            next_step=f"Send {name} complete",
        )

    def _taken(self) -> list[ast.AST]:
        """The nodes of the new code that are asked for."""
        nodes: list[ast.AST] = [self.given.statements[name] for name in self.names]
        for name in self.members:
            owner, _, member = name.rpartition(".")
            nodes += members_taken(self.given, owner, member)
        return nodes

    def _helpers(self) -> list[str]:
        """Names of the new code that what is asked for uses, and those that they use in turn."""
        own = {*self.names, *(name.rpartition(".")[0] for name in self.members)}
        found: list[str] = []
        nodes = self._taken()
        while nodes:
            used = used_names(nodes.pop())
            fresh = [n for n in self.given.statements if n in used and n not in own and n not in found]
            # What is there and public is other people's: it is used as it stands.
            fresh = [n for n in fresh if n not in self.there.statements or not self._is_public_definition(n)]
            found += fresh
            nodes += [self.given.statements[name] for name in fresh]
        return found

    def _is_public_definition(self, name: str) -> bool:
        return isinstance(self.there.statements[name], Definition) and not name.startswith("_")

    def _replace(self, name: str) -> None:
        new, old = self.given.statements[name], self.there.statements[name]
        if name not in self.names:
            if ast.dump(old) == ast.dump(new):
                return
            if self._others_use(name):
                self._refuse_clash(name, "another one of this name is used by other code of the file")
        merged = isinstance(old, ast.ClassDef) and isinstance(new, ast.ClassDef)
        text = self.given.text(name)
        self.there.replace(name, merge_class(self.there.text(name), text) if merged else text)

    def _others_use(self, name: str) -> bool:
        own = {*self.names, name, *(member.rpartition(".")[0] for member in self.members)}
        others = [node for other, node in self.there.statements.items() if other not in own]
        return name in used_names(*others)

    def _refuse_clash(self, name: str, why: str) -> NoReturn:
        raise PatchError(
            f"'{name}' of the new code clashes with the file",
            why=why,
            next_step="Send it again with another name for it",
        )

    def _place_imports(self, helpers: Sequence[str]) -> None:
        nodes = [*self._taken(), *(self.given.statements[name] for name in helpers)]
        used = used_names(*nodes)
        for node in self.given.imports:
            for alias in node.names:
                is_future = isinstance(node, ast.ImportFrom) and node.module == "__future__"
                if is_future or alias.name == "*" or bound_name(alias) in used:
                    self._place_import(node, alias)

    def _place_import(self, node: Import, alias: ast.alias) -> None:
        name = bound_name(alias)
        wanted = _only(node, alias)
        present = [(other, a) for other in self.there.imports for a in other.names]
        # A module that imports from itself is how a model shows where a name comes from.
        if name in self.there.statements or any(ast.dump(_only(*other)) == ast.dump(wanted) for other in present):
            return
        if any(bound_name(a) == name for _, a in present) and not _is_submodule(alias) and self._others_use(name):
            self._refuse_clash(name, "the file imports another thing under this name and uses it")
        self.there.add_import(wanted)


def _only(node: Import, alias: ast.alias) -> Import:
    """The import with one of its names."""
    bare = ast.alias(alias.name, alias.asname)
    if isinstance(node, ast.Import):
        return ast.Import([bare])
    return ast.ImportFrom(node.module, [bare], node.level)


def _is_submodule(alias: ast.alias) -> bool:
    """Whether an ``import a.b`` binds the package that other imports of it bind as well."""
    return "." in alias.name and alias.asname is None
