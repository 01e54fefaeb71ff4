"""Arithmetic that an idea states ("miles are kilometres divided by 1.609344"), checked by calculating it."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping
from typing import Any

from agentinfra.core.errors import InputError
from agentinfra.spec.bounds import bind
from agentinfra.spec.idea_text import read_symbols
from agentinfra.spec.prose import parse_call, parse_expression, read_prose
from agentinfra.spec.requirements import Example

Number = int | float

_OPERATORS: dict[type[ast.operator], Callable[[Number, Number], Number]] = {
    ast.Add: lambda left, right: left + right,
    ast.Sub: lambda left, right: left - right,
    ast.Mult: lambda left, right: left * right,
    ast.Div: lambda left, right: left / right,
    ast.FloorDiv: lambda left, right: left // right,
    ast.Mod: lambda left, right: left % right,
    ast.Pow: lambda left, right: left**right,
}
_FUNCTIONS: dict[str, Callable[..., Any]] = {f.__name__: f for f in (round, min, max, abs, int, float, len)}
_LARGEST = 10**15
_SIZE = 500


def computed(example: Example, formula: str, idea: str) -> bool:
    """Whether an example follows from a formula whose constants all stand in the idea.

    Args:
        example: An example that returns a number.
        formula: Arithmetic over the parameters of the called function, such as ``round(kilometres / 1.609344, 2)``.
        idea: The request, verbatim; it also states the function's parameters.

    Returns:
        True if the formula can be calculated and gives the expected value.
    """
    tree = parse_expression(formula) if len(formula) <= _SIZE else None
    call, value = parse_call(example.call), parse_expression(example.value)
    if tree is None or call is None or value is None or example.expect != "returns" or example.setup:
        return False
    try:
        expected = ast.literal_eval(value)
        actual = evaluate(tree, bind(call, read_symbols(idea)))
    except (InputError, ValueError, TypeError, SyntaxError, ArithmeticError, RecursionError):
        return False
    return _constants_stand_in(tree, idea) and _equal(actual, expected)


def evaluate(node: ast.expr, names: Mapping[str, object]) -> Any:
    """Calculate an expression of numbers, the four operations, //, %, ** and a few functions.

    Args:
        node: The expression.
        names: Values of its names; texts and lists are good for ``len`` only.

    Raises:
        InputError: The expression holds anything else, or its numbers grow beyond 10**15.
        ArithmeticError: It divides by zero or overflows.
    """
    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            return _bounded(value)
        case ast.Name(id=name) if name in names:
            return names[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_bounded(evaluate(operand, names))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return _calculate(op, evaluate(left, names), evaluate(right, names))
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in _FUNCTIONS:
            return _FUNCTIONS[name](*(evaluate(argument, names) for argument in arguments))
        case _:
            raise InputError(f"'{ast.unparse(node)}' is not arithmetic", next_step="Use numbers, + - * / // % ** only")


def _calculate(op: ast.operator, left: object, right: object) -> Any:
    left, right = _bounded(left), _bounded(right)
    if isinstance(op, ast.Pow) and abs(right) > 64:
        raise InputError(f"the exponent {right} is too large", next_step="Keep exponents within 64")
    return _bounded(_OPERATORS[type(op)](left, right))


def _bounded(value: object) -> Number:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= _LARGEST:
        raise InputError(f"a value of type {type(value).__name__} is not a number that can be calculated with here")
    return value


def _constants_stand_in(tree: ast.expr, idea: str) -> bool:
    stated = {
        mention.value
        for block in read_prose(idea)
        for clause in block.clauses
        for mention in clause.mentions
        if mention.kind == "number"
    }
    return all(node.value in stated for node in ast.walk(tree) if isinstance(node, ast.Constant))


def _equal(actual: object, expected: object) -> bool:
    if isinstance(actual, bool) or isinstance(expected, bool):
        return False
    if not isinstance(actual, int | float) or not isinstance(expected, int | float):
        return False
    # An expected value is often written with fewer digits than a float carries, but never with a wrong one.
    return type(actual) is type(expected) and math.isclose(actual, expected, rel_tol=1e-9, abs_tol=1e-12)
