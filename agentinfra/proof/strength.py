"""Test strength: which wrong implementations pass the tests, thoughtless ones before there is code, mutants after."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from agentinfra.core.errors import InputError
from agentinfra.core.interfaces import SandboxLimits
from agentinfra.patching.splice import splice
from agentinfra.proof.batch import run_each
from agentinfra.proof.mutants import Mutant
from agentinfra.proof.report import TestReport
from agentinfra.proof.runner import TestRunner

MAX_CONSTANTS = 3
MUTANT_LIMITS = SandboxLimits(wall_seconds=2.0)  # a mutant may loop for ever
MUTANTS_SECONDS = 15.0
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


def with_implementation(module: str, implementation: str) -> str:
    """The module with other bodies of the functions and classes that the implementation holds; the rest stays.

    Raises:
        InputError: The implementation is not Python.
        PatchError: The module is not Python.
    """
    names = [node.name for node in _parse(implementation).body if isinstance(node, _Function | ast.ClassDef)]
    return splice(module, implementation, names)


async def survivors(
    runner: TestRunner, root: Path, tests: Sequence[str], overlays: Sequence[Mapping[str, str]]
) -> list[int]:
    """Find the wrong implementations that pass all the tests.

    Args:
        runner: Runs the tests.
        root: The project; it is not changed.
        tests: Test files or ids.
        overlays: For each implementation its files, by path relative to root.

    Returns:
        Their places among the overlays.

    Raises:
        SandboxError: The sandbox does not work.
    """
    reports = await run_each(runner, root, tests, overlays)
    return [index for index, report in enumerate(reports) if report.all_passed]


@dataclass(frozen=True, slots=True)
class MutantRuns:
    """What the tests said to mutants of an implementation that passes them.

    Attributes:
        killed: The mutants for which a test failed or did not end.
        survivors: The mutants that pass all the tests.
        reason: Why nothing is known of the mutants; "" when it is.
    """

    killed: tuple[Mutant, ...] = ()
    survivors: tuple[Mutant, ...] = ()
    reason: str = ""


async def try_mutants(
    runner: TestRunner,
    root: Path,
    file: str,
    reference: str,
    mutants: Sequence[Mutant],
    *,
    tests: Sequence[str],
    limits: SandboxLimits = MUTANT_LIMITS,
) -> MutantRuns:
    """Run the tests against mutants, and against the reference once more as a control.

    Args:
        runner: Runs the tests.
        root: The project with the tests; it is not changed.
        file: Where the mutated module is, relative to root.
        reference: The module as it passes the tests.
        mutants: Its mutants.
        tests: Test files or ids.
        limits: Bounds of the run of each mutant.

    Returns:
        The mutants that were judged; one whose run proves nothing is neither killed nor a survivor.

    Raises:
        SandboxError: The sandbox does not work.
    """
    overlays = [{file: source} for source in (reference, *(mutant.source for mutant in mutants))]
    control, *reports = await run_each(runner, root, tests, overlays, limits=limits, seconds=MUTANTS_SECONDS)
    if not control.all_passed:
        return MutantRuns(reason=f"The reference itself does not pass: {control.reason or 'a test fails'}")
    judged = list(zip(mutants, reports, strict=True))
    killed = tuple(mutant for mutant, report in judged if _is_killed(report))
    return MutantRuns(killed, tuple(mutant for mutant, report in judged if report.all_passed))


def _is_killed(report: TestReport) -> bool:
    return bool(report.failures) or report.reason.startswith("timeout")


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
