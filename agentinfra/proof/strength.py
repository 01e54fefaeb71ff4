"""Test strength before there is code: tests that a thoughtless implementation passes prove nothing."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from agentinfra.core.errors import InputError
from agentinfra.patching.splice import splice
from agentinfra.proof.pytest_runner import PytestRunner

MAX_CONSTANTS = 3
_Function = ast.FunctionDef | ast.AsyncFunctionDef


def empty(stub: str) -> str:
    """Build the implementation whose every body returns None."""
    return _implement(stub, lambda _: ast.Constant(None))


def constant(stub: str, value: str) -> str:
    """Build the implementation whose every body returns the same value.

    Args:
        stub: Signatures, as Python source.
        value: The value, as Python source.

    Raises:
        InputError: The stub or the value is not Python.
    """
    expression = _parse_value(value)
    return _implement(stub, lambda _: expression)


def identity(stub: str) -> str:
    """Build the implementation whose every body returns its first argument, ``self`` aside."""
    return _implement(stub, _first_argument)


def raising(stub: str, error: str) -> str:
    """Build the implementation whose every body raises the exception of that name."""
    module = _parse(stub)
    for node in ast.walk(module):
        if isinstance(node, _Function) and node.name != "__init__":
            node.body = [ast.Raise(ast.Call(ast.Name(error, ast.Load()), [], []))]
    return ast.unparse(ast.fix_missing_locations(module)) + "\n"


def trivial_implementations(stub: str, constants: Sequence[str], errors: Sequence[str] = ()) -> list[tuple[str, str]]:
    """Build all the thoughtless implementations of a stub.

    Args:
        stub: Signatures of functions and classes, as Python source; the bodies do not matter.
        constants: Values that the tests expect, as Python source, repeated as often as they are expected.
        errors: Names of the exceptions that the tests expect.

    Returns:
        Pairs of name and module source: "empty", "identity", "constant …" for the three most frequent values, and
        "raising …" for each exception.

    Raises:
        InputError: The stub or a constant is not Python.
    """
    common = [value for value, _ in Counter(constants).most_common(MAX_CONSTANTS)]
    named = [("empty", empty(stub)), ("identity", identity(stub))]
    named += [(f"raising {error}", raising(stub, error)) for error in dict.fromkeys(errors) if error.isidentifier()]
    return named + [(f"constant {value}", constant(stub, value)) for value in common]


async def survivors(
    runner: PytestRunner,
    root: Path,
    file: str,
    stub: str,
    *,
    constants: Sequence[str],
    tests: Sequence[str],
    errors: Sequence[str] = (),
) -> list[str]:
    """Name the thoughtless implementations that pass all the tests.

    Args:
        runner: Runs the tests.
        root: The project; it is not changed.
        file: Where the stub's functions and classes belong, relative to root; whatever else it holds stays.
        stub: Signatures of what the tests test, as Python source.
        constants: See :func:`trivial_implementations`.
        tests: Test files or ids.
        errors: Names of the exceptions that the tests expect.

    Raises:
        InputError: The stub or a constant is not Python.
        PatchError: The file is not Python.
        SandboxError: The sandbox does not work.
    """
    path = root / file
    there = path.read_text("utf-8") if path.is_file() else ""
    names = [node.name for node in _parse(stub).body if isinstance(node, _Function | ast.ClassDef)]
    alive: list[str] = []
    for name, source in trivial_implementations(stub, constants, errors):
        report = await runner.run(root, tests, overlay={file: splice(there, source, names)})
        if report.all_passed:
            alive.append(name)
    return alive


def _implement(stub: str, value_of: Callable[[_Function], ast.expr]) -> str:
    module = _parse(stub)
    for node in ast.walk(module):
        if isinstance(node, _Function):
            returned = ast.Constant(None) if node.name == "__init__" else value_of(node)
            node.body = [ast.Return(returned)]
    return ast.unparse(ast.fix_missing_locations(module)) + "\n"


def _first_argument(function: _Function) -> ast.expr:
    arguments = [*function.args.posonlyargs, *function.args.args]
    own = [argument.arg for argument in arguments if argument.arg not in ("self", "cls")]
    return ast.Name(own[0], ast.Load()) if own else ast.Constant(None)


def _parse(stub: str) -> ast.Module:
    try:
        return ast.parse(stub)
    except (SyntaxError, ValueError) as error:
        raise InputError("The signatures are not Python", why=str(error)) from error


def _parse_value(value: str) -> ast.expr:
    try:
        return ast.parse(value.strip(), mode="eval").body
    except (SyntaxError, ValueError) as error:
        raise InputError(f"The constant {value} is not Python", why=str(error)) from error
