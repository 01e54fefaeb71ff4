"""Tables in Python source, in whatever form: inputs beside results, and how everything else is answered."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from agentinfra.proof.tamper_cases import canonical, literal

_Function = ast.FunctionDef | ast.AsyncFunctionDef
# An input seen through one of these is still the input.
_TRANSPARENT = ("repr", "str", "tuple", "list", "int", "float", "sorted", "hash", "json.dumps")


@dataclass(frozen=True, slots=True)
class Pair:
    """An input and the result that code gives for it, as canonical source."""

    keys: tuple[str, ...]
    value: str
    line: int


@dataclass(frozen=True, slots=True)
class Table:
    """Pairs that stand together, and whether they are asked for the inputs of a function as they came."""

    pairs: Sequence[Pair]
    is_direct: bool = True


def tables(tree: ast.Module) -> Iterator[Table]:
    """Every table of a module: dictionaries, rows, lists side by side, the conditions of each function."""
    direct = _asked_directly(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            yield Table(_dictionary(node, ()), id(node) in direct)
        elif isinstance(node, ast.List | ast.Tuple | ast.Set):
            yield Table(_rows(node))
    yield Table(_side_by_side(tree))
    for function in (tree, *_functions(tree)):
        yield Table(list(_conditions(function)))


def _asked_directly(tree: ast.Module) -> set[int]:
    """The dictionaries that are looked up with a parameter, not with a part of it."""
    named = {
        name: node.value for node in ast.walk(tree) if isinstance(node, ast.Assign) for name in _bound(node.targets[0])
    }
    found: set[int] = set()
    for function in _functions(tree):
        parameters = {one.arg for one in ast.walk(function.args) if isinstance(one, ast.arg)}
        for node in ast.walk(function):
            for table, key in _lookup(node):
                asked = named.get(table.id, table) if isinstance(table, ast.Name) else table
                if _is_input(key) and _bound(key) <= parameters:
                    found.add(id(asked))
    return found


def _lookup(node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr]]:
    if isinstance(node, ast.Subscript):
        yield node.value, node.slice
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
        yield node.func.value, node.args[0]


def _functions(tree: ast.Module) -> list[_Function | ast.Lambda]:
    return [node for node in ast.walk(tree) if isinstance(node, _Function | ast.Lambda)]


@dataclass(frozen=True, slots=True)
class Ways:
    """How a function answers, besides its tables.

    Attributes:
        defaults: Constants that it gives, as canonical source.
        has_rule: Whether some result is worked out.
        is_recursive: Whether it calls itself.
    """

    defaults: frozenset[str]
    has_rule: bool
    is_recursive: bool


def ways(tree: ast.Module, function: str) -> Ways:
    """Read how a function, and what it calls in the same module, answers.

    Args:
        tree: The module.
        function: Name of the function or method; "" for the whole module, which is a program.
    """
    named = {node.name: node for node in ast.walk(tree) if isinstance(node, _Function)}
    reached = _reached(named, function) if function in named else list(named.values())
    nodes: list[ast.AST] = list(reached) if function in named else [*reached, tree]
    defaults, has_rule = {"False"}, False
    for node in nodes:
        for result in _results(node):
            kind = _kind(result, node, named)
            defaults |= {kind} if kind not in (_RULE, _LOOKUP) else set()
            has_rule |= kind == _RULE
    defaults |= {canonical(value) for node in nodes for value in _defaults_of_lookups(node)}
    called = {name for node in nodes for name in _called(node)} if function in named else set[str]()
    return Ways(frozenset(defaults), has_rule, function in called)


_RULE, _LOOKUP = "a rule", "a lookup"


def _reached(named: dict[str, _Function], start: str) -> list[_Function]:
    found, waiting = dict[str, _Function](), [start]
    while waiting:
        name = waiting.pop()
        if name in named and name not in found:
            found[name] = named[name]
            waiting += _called(named[name])
    return list(found.values())


def _called(node: ast.AST) -> list[str]:
    functions = [one.func for one in ast.walk(node) if isinstance(one, ast.Call)]
    return [one.id if isinstance(one, ast.Name) else getattr(one, "attr", "") for one in functions]


def _results(function: ast.AST) -> Iterator[ast.expr]:
    for node in own_nodes(function):
        if isinstance(node, ast.Return | ast.Yield | ast.YieldFrom) and node.value is not None:
            yield from _branches(node.value)
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "print":
            yield from (branch for argument in node.args for branch in _branches(argument))


def _branches(value: ast.expr) -> list[ast.expr]:
    return [*_branches(value.body), *_branches(value.orelse)] if isinstance(value, ast.IfExp) else [value]


def _kind(value: ast.expr, function: ast.AST, named: dict[str, _Function]) -> str:
    """The constant, or whether the result is worked out or found."""
    if literal(value) is not None:
        return canonical(value)
    if isinstance(value, ast.Name):
        return _kind_of_name(value.id, function, named)
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id in named:
        return _LOOKUP  # its own results tell
    return _LOOKUP if _is_lookup(value) else _RULE


def _kind_of_name(name: str, function: ast.AST, named: dict[str, _Function]) -> str:
    for node in own_nodes(function):
        if isinstance(node, ast.AugAssign | ast.For | ast.NamedExpr) and name in _bound(node.target):
            return _RULE
        if isinstance(node, ast.Assign) and any(name in _bound(target) for target in node.targets):
            plain = not isinstance(node.targets[0], ast.Name) or isinstance(node.value, ast.Name)
            if plain or _kind(node.value, function, named) == _RULE:
                return _RULE
    return _LOOKUP


def _bound(target: ast.expr) -> set[str]:
    return {node.id for node in ast.walk(target) if isinstance(node, ast.Name)}


def _is_lookup(value: ast.expr) -> bool:
    if isinstance(value, ast.Subscript):
        return True
    if isinstance(value, ast.Compare):
        return bool(_equals(value))
    if isinstance(value, ast.BinOp | ast.BoolOp):
        compared = [one for one in ast.walk(value) if isinstance(one, ast.Compare)]
        return bool(compared) and all(_equals(one) for one in compared)
    return isinstance(value, ast.Call) and ast.unparse(value.func).endswith((".get", ".pop", "next"))


def _defaults_of_lookups(function: ast.AST) -> Iterator[ast.expr]:
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".get") and len(node.args) > 1:
            yield from [node.args[1]] if literal(node.args[1]) else []


def _dictionary(node: ast.Dict, above: tuple[str, ...]) -> list[Pair]:
    found: list[Pair] = []
    for key, value in zip(node.keys, node.values, strict=True):
        if key is None or literal(key) is None:
            continue
        keys = (*above, canonical(key))
        inner = value.body if isinstance(value, ast.Lambda) else value
        if isinstance(inner, ast.Dict) and inner.keys:
            found += _dictionary(inner, keys)
        found.append(Pair(keys, canonical(inner), node.lineno))
    return found


def _rows(node: ast.List | ast.Tuple | ast.Set) -> list[Pair]:
    rows = [row for row in node.elts if isinstance(row, ast.Tuple | ast.List) and len(row.elts) > 1]
    if len(rows) != len(node.elts) or any(literal(row) is None for row in rows):
        return []
    return [Pair(tuple(map(canonical, row.elts[:-1])), canonical(row.elts[-1]), row.lineno) for row in rows]


def _side_by_side(tree: ast.Module) -> list[Pair]:
    """Two lists of constants of the same length, such as QUESTIONS and ANSWERS."""
    lists = [node for node in ast.walk(tree) if isinstance(node, ast.List | ast.Tuple) and len(node.elts) > 1]
    found: list[Pair] = []
    for first, second in pairwise(node for node in lists if literal(node) is not None):
        if len(first.elts) == len(second.elts):
            both = zip(first.elts, second.elts, strict=True)
            found += [Pair((canonical(key),), canonical(value), first.lineno) for key, value in both]
    return found


def _conditions(function: ast.AST) -> Iterator[Pair]:
    for node in own_nodes(function):
        if isinstance(node, ast.If):
            yield from _paired(node.test, _first_result(node.body), node.lineno)
        elif isinstance(node, ast.IfExp):
            yield from _paired(node.test, node.body, node.lineno)
        elif isinstance(node, ast.Match):
            yield from _matched(node)
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
            yield from _paired(node.left, node.right, node.lineno)
        elif isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And) and len(node.values) == 2:
            yield from _paired(node.values[0], node.values[1], node.lineno)
        elif isinstance(node, ast.Return) and node.value is not None:
            yield from _paired(node.value, ast.Constant(True), node.lineno)


def own_nodes(function: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function or module, without those of functions in it."""
    for child in ast.iter_child_nodes(function):
        if not isinstance(child, _Function | ast.Lambda):
            yield child
            yield from own_nodes(child)


def _paired(test: ast.expr, result: ast.expr | None, line: int) -> Iterator[Pair]:
    if result is not None and literal(result) is not None:
        for keys in _equals(test):
            yield Pair(keys, canonical(result), line)


def _equals(test: ast.expr) -> list[tuple[str, ...]]:
    """The constants that a condition compares an input with: alternatives of what must be equal together."""
    if isinstance(test, ast.Compare) and len(test.ops) == 1:
        return _equals_one(test.ops[0], test.left, test.comparators[0])
    sides = [_equals(value) for value in test.values] if isinstance(test, ast.BoolOp) else []
    if not sides or not all(sides):
        return []
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.Or):
        return [keys for side in sides for keys in side]
    return [tuple(key for side in sides for key in side[0])]


def _equals_one(how: ast.cmpop, one: ast.expr, other: ast.expr) -> list[tuple[str, ...]]:
    if isinstance(how, ast.In) and isinstance(other, ast.Tuple | ast.List | ast.Set) and _is_input(one):
        return [(canonical(item),) for item in other.elts if literal(item) is not None]
    constant, asked = (other, one) if literal(other) is not None else (one, other)
    if isinstance(how, ast.Eq | ast.Is) and literal(constant) is not None and _is_input(asked):
        return [(canonical(constant),)]
    return []


def _is_input(node: ast.expr) -> bool:
    """Whether an expression is an input as it came, not something worked out from it."""
    if isinstance(node, ast.Call):
        return ast.unparse(node.func) in _TRANSPARENT and all(map(_is_input, node.args))
    if isinstance(node, ast.Subscript):
        return isinstance(node.slice, ast.Constant | ast.Slice) and _is_input(node.value)
    if isinstance(node, ast.Tuple | ast.List):
        return bool(node.elts) and all(map(_is_input, node.elts))
    return isinstance(node, ast.Name | ast.Attribute)


def _matched(node: ast.Match) -> Iterator[Pair]:
    for case in node.cases:
        result = _first_result(case.body)
        patterns = case.pattern.patterns if isinstance(case.pattern, ast.MatchOr) else [case.pattern]
        for pattern in patterns:
            keys = _pattern_keys(pattern)
            if keys and result is not None and literal(result) is not None:
                yield Pair(keys, canonical(result), case.body[0].lineno)


def _pattern_keys(pattern: ast.pattern) -> tuple[str, ...]:
    if isinstance(pattern, ast.MatchValue):
        return (canonical(pattern.value),)
    if isinstance(pattern, ast.MatchSingleton):
        return (repr(pattern.value),)
    if isinstance(pattern, ast.MatchSequence):
        return tuple(key for one in pattern.patterns for key in _pattern_keys(one))
    return ()


def _first_result(body: Sequence[ast.stmt]) -> ast.expr | None:
    """What a branch returns, assigns or prints, if it does so at once."""
    first = body[0]
    if isinstance(first, ast.Return | ast.Assign):
        return first.value
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Call) and ast.unparse(first.value.func) == "print":
        return first.value.args[0] if len(first.value.args) == 1 else None
    return None
