"""What can be changed in a node of Python: one small function for each kind of fault."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

_WIDTH = 40
# Their arguments can be swapped without anything to see.
_SYMMETRIC = frozenset({"max", "min", "gcd", "lcm", "hypot", "isclose", "symmetric_difference"})
_Node = TypeVar("_Node", bound=ast.AST)

_COMPARISONS: Mapping[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_ARITHMETIC: Mapping[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Div,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitOr,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}
_SIGNS: Mapping[type[ast.AST], str] = {
    **{ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="},
    **{ast.Is: "is", ast.IsNot: "is not", ast.In: "in", ast.NotIn: "not in"},
    **{ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%", ast.Pow: "**"},
    **{ast.BitAnd: "&", ast.BitOr: "|", ast.BitXor: "^", ast.LShift: "<<", ast.RShift: ">>"},
    **{ast.And: "and", ast.Or: "or"},
}


@dataclass(frozen=True, slots=True)
class Change:
    """A fault that can be put in: what stands in the node's place, and how that is told to people."""

    what: str
    replacement: ast.AST


def changes(node: ast.AST) -> Iterator[Change]:
    """Every single fault that can be put into this node; those in the nodes below it are theirs."""
    kind = _KINDS.get(type(node))
    return kind(node) if kind else iter(())


def is_settled(parent: ast.AST, child: ast.AST) -> bool:
    """Whether ``<`` and ``<=`` make no difference in this condition: where both sides are equal, so are both ways.

    ``if x > best: best = x`` and ``a if a < b else b`` are such.
    """
    if not (isinstance(child, ast.Compare) and len(child.ops) == 1):
        return False
    sides = {ast.unparse(child.left), ast.unparse(child.comparators[0])}
    if isinstance(parent, ast.IfExp):
        return child is parent.test and {ast.unparse(parent.body), ast.unparse(parent.orelse)} == sides
    if not (isinstance(parent, ast.If) and child is parent.test and len(parent.body) == 1 and not parent.orelse):
        return False
    only = parent.body[0]
    return isinstance(only, ast.Assign) and {ast.unparse(only.targets[0]), ast.unparse(only.value)} == sides


def _compare(node: ast.Compare) -> Iterator[Change]:
    for index, operator in enumerate(node.ops):
        other = _COMPARISONS[type(operator)]
        ops = [*node.ops[:index], other(), *node.ops[index + 1 :]]
        yield Change(_for(other, type(operator)), _with(node, ops=ops))


def _binary(node: ast.BinOp) -> Iterator[Change]:
    # Text is joined and filled in by + and %: any other operator would fail at once and say nothing about the tests.
    other = _ARITHMETIC.get(type(node.op))
    if other and not (_is_text(node.left) or _is_text(node.right)):
        yield Change(_for(other, type(node.op)), _with(node, op=other()))


def _augmented(node: ast.AugAssign) -> Iterator[Change]:
    other = _ARITHMETIC.get(type(node.op))
    if other and not _is_text(node.value):
        yield Change(f"`{_SIGNS[other]}=` for `{_SIGNS[type(node.op)]}=`", _with(node, op=other()))
    yield from _without(node)


def _constant(node: ast.Constant) -> Iterator[Change]:
    value: object = node.value
    if isinstance(value, bool):
        yield _other(node, ast.Constant(not value))
    elif isinstance(value, int | float):
        yield from (_other(node, ast.Constant(other)) for other in (value + 1, value - 1))
    elif isinstance(value, str | bytes):
        some = "x" if isinstance(value, str) else b"x"
        yield _other(node, ast.Constant(value[:0] if value else some))


def _boolean(node: ast.BoolOp) -> Iterator[Change]:
    other = ast.Or if isinstance(node.op, ast.And) else ast.And
    yield Change(_for(other, type(node.op)), _with(node, op=other()))


def _unary(node: ast.UnaryOp) -> Iterator[Change]:
    if isinstance(node.op, ast.Not | ast.USub | ast.Invert):
        yield _other(node, node.operand)


def _condition(node: ast.If | ast.While | ast.IfExp) -> Iterator[Change]:
    # Comparisons, `and`, `or` and `not` are negated by changes of their own.
    if not isinstance(node.test, ast.Compare | ast.BoolOp | ast.UnaryOp | ast.Constant):
        negated = ast.UnaryOp(ast.Not(), node.test)
        yield Change(f"`{_clip(negated)}` for `{_clip(node.test)}`", _with(node, test=negated))


def _return(node: ast.Return) -> Iterator[Change]:
    if node.value and not (isinstance(node.value, ast.Constant) and node.value.value is None):
        yield Change(f"`return None` for `{_clip(node)}`", _with(node, value=ast.Constant(None)))


def _assigned(node: ast.Assign) -> Iterator[Change]:
    # Without its first assignment a name is missing, and any test at all would see that.
    if all(isinstance(target, ast.Attribute | ast.Subscript) for target in node.targets):
        yield from _without(node)


def _expression(node: ast.Expr) -> Iterator[Change]:
    if not isinstance(node.value, ast.Constant | ast.Yield | ast.YieldFrom):
        yield from _without(node)


def _without(node: ast.stmt) -> Iterator[Change]:
    yield Change(f"nothing for `{_clip(node)}`", ast.copy_location(ast.Pass(), node))


def _call(node: ast.Call) -> Iterator[Change]:
    first, second, *others = [*node.args, None, None][: max(2, len(node.args))]
    name = ast.unparse(node.func).rpartition(".")[2]
    if first is None or second is None or name in _SYMMETRIC or isinstance(second, ast.Starred):
        return
    if not isinstance(first, ast.Starred) and ast.dump(first) != ast.dump(second):
        yield _other(node, _with(node, args=[second, first, *others]))


def _formatted(node: ast.FormattedValue) -> Iterator[Change]:
    if isinstance(node.format_spec, ast.JoinedStr):
        spec = ast.unparse(node.format_spec)[2:-1]
        yield Change(f"no format for `:{spec}`", _with(node, format_spec=None))


_KINDS: Mapping[type[ast.AST], Callable[[Any], Iterator[Change]]] = {
    ast.Compare: _compare,
    ast.BinOp: _binary,
    ast.AugAssign: _augmented,
    ast.Constant: _constant,
    ast.BoolOp: _boolean,
    ast.UnaryOp: _unary,
    ast.If: _condition,
    ast.While: _condition,
    ast.IfExp: _condition,
    ast.Return: _return,
    ast.Assign: _assigned,
    ast.Expr: _expression,
    ast.Raise: _without,
    ast.Break: _without,
    ast.Continue: _without,
    ast.Delete: _without,
    ast.Call: _call,
    ast.FormattedValue: _formatted,
}


def _with(node: _Node, **fields: object) -> _Node:
    """The node with other fields; its children are shared."""
    own = {name: getattr(node, name, None) for name in node._fields}
    return ast.copy_location(type(node)(**{**own, **fields}), node)


def _other(node: ast.expr, replacement: ast.expr) -> Change:
    return Change(f"`{_clip(replacement)}` for `{_clip(node)}`", replacement)


def _for(other: type[ast.AST], operator: type[ast.AST]) -> str:
    return f"`{_SIGNS[other]}` for `{_SIGNS[operator]}`"


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str | bytes))


def _clip(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"
