"""Small wrong versions of a right implementation: tests that are worth something fail on every one of them."""

from __future__ import annotations

import ast
import copy
import dis
import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import CodeType

from agentinfra.core.errors import InputError
from agentinfra.proof.mutations import Change, changes, is_settled

MAX_MUTANTS = 12
_Scope = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Site = tuple[str, ast.AST]


@dataclass(frozen=True, slots=True)
class Mutant:
    """An implementation with one small fault.

    Attributes:
        symbol: The function or method that is changed (``f``, ``C.m``), "" at module level.
        line: Line of the change in the reference, from 1.
        change: What is changed, such as "`<` for `<=`".
        source: The whole module.
    """

    symbol: str
    line: int
    change: str
    source: str


def mutants(source: str, before: str = "", *, limit: int = MAX_MUTANTS, seed: int = 0) -> list[Mutant]:
    """Make mutants of what was written into a module.

    Changes that compile to the same code as the reference or as another mutant are left out, as are those that cannot
    be seen from outside by the way they are made (the boundary of ``if x > best: best = x``). Which of many are taken
    depends only on the arguments, and they are spread over the lines.

    Args:
        source: The reference, as Python source.
        before: The module before it was written; what stood there already is not changed.
        limit: How many at most.
        seed: Another seed makes another choice.

    Returns:
        The mutants in the order of their lines.

    Raises:
        InputError: One of the two is not Python.
    """
    tree = _parse(source)
    sites = _new_sites(tree.body, _parse(before).body)
    found = [(symbol, node, change) for symbol, node in sites for change in changes(node)]
    seen, chosen = {_compiled(ast.unparse(tree))}, list[Mutant]()
    for symbol, node, change in _spread(found, seed):
        if len(chosen) == limit:
            break
        text = _changed(tree, node, change)
        key = _compiled(text)
        if key and key not in seen:
            seen.add(key)
            chosen.append(Mutant(symbol, _line(node), change.what, text))
    return sorted(chosen, key=lambda one: (one.line, one.change))


def _parse(source: str) -> ast.Module:
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise InputError("The reference is not Python", why=str(error)) from error


def _changed(tree: ast.Module, node: ast.AST, change: Change) -> str:
    # What deepcopy finds in its memo it takes as the copy: the node is replaced wherever it hangs.
    module = copy.deepcopy(tree, {id(node): change.replacement})
    return ast.unparse(ast.fix_missing_locations(module)) + "\n"


def _compiled(source: str) -> str:
    """What the source compiles to, without names of files and lines; "" where it does not."""
    try:
        return _instructions(compile(source, "mutant", "exec", dont_inherit=True, optimize=2))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""


def _instructions(code: CodeType) -> str:
    values = [(one.opname, one.argval) for one in dis.get_instructions(code)]
    told = [(name, _instructions(value) if isinstance(value, CodeType) else repr(value)) for name, value in values]
    return repr((code.co_argcount, code.co_exceptiontable, told))


def _spread(found: Sequence[tuple[str, ast.AST, Change]], seed: int) -> list[tuple[str, ast.AST, Change]]:
    """All changes in an order that takes one of each line before it takes a second of any."""
    taken: Counter[int] = Counter()
    ranked: list[tuple[int, str, int]] = []
    keys = [hashlib.sha256(f"{seed} {_line(node)} {change.what}".encode()).hexdigest() for _, node, change in found]
    for index in sorted(range(len(found)), key=lambda index: (keys[index], index)):
        line = _line(found[index][1])
        ranked.append((taken[line], keys[index], index))
        taken[line] += 1
    return [found[index] for _, _, index in sorted(ranked)]


def _line(node: ast.AST) -> int:
    return getattr(node, "lineno", 1)


def _new_sites(body: Sequence[ast.stmt], before: Sequence[ast.stmt], symbol: str = "") -> Iterator[_Site]:
    """Sites in statements that were not there before; of a class that was, those in its new members."""
    there = {ast.dump(statement) for statement in before}
    classes = {statement.name: statement for statement in before if isinstance(statement, ast.ClassDef)}
    for statement in body:
        if ast.dump(statement) in there:
            continue
        if isinstance(statement, ast.ClassDef) and statement.name in classes:
            name = _joined(symbol, statement.name)
            yield from _new_sites(_code(statement.body), classes[statement.name].body, name)
        else:
            yield from _sites(statement, symbol)


def _sites(node: ast.AST, symbol: str) -> Iterator[_Site]:
    """The node and those in it whose change a test could see, in source order, each with its function or class."""
    inner = _joined(symbol, node.name) if isinstance(node, _Scope) else symbol
    yield symbol, node
    for child in _parts(node):
        if is_settled(node, child):
            for part in ast.iter_child_nodes(child):
                yield from _sites(part, inner)
        else:
            yield from _sites(child, inner)


def _joined(symbol: str, name: str) -> str:
    return f"{symbol}.{name}" if symbol else name


def _parts(node: ast.AST) -> Iterator[ast.AST]:
    """The node's children without those that are for people or for type checkers."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            yield from (one for one in (*node.args.defaults, *node.args.kw_defaults) if one)
            yield from _code(node.body)
        case ast.ClassDef():
            yield from _code(node.body)
        case ast.AnnAssign() if node.value:
            yield node.value
        case ast.If() if _is_main_guard(node.test):
            yield from node.body
        case ast.FormattedValue():
            yield node.value
        case ast.JoinedStr():
            yield from (one for one in node.values if isinstance(one, ast.FormattedValue))
        case ast.Raise() | ast.AnnAssign() | ast.Assert() | ast.Import() | ast.ImportFrom():
            return
        case _:
            yield from ast.iter_child_nodes(node)


def _code(body: Sequence[ast.stmt]) -> Sequence[ast.stmt]:
    """The body without its docstring."""
    first = body[0].value if body and isinstance(body[0], ast.Expr) else None
    return body[1:] if isinstance(first, ast.Constant) and isinstance(first.value, str) else body


def _is_main_guard(test: ast.expr) -> bool:
    return isinstance(test, ast.Compare) and isinstance(test.left, ast.Name) and test.left.id == "__name__"
