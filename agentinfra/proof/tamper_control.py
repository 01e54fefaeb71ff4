"""The control run: the same tests with wrong expectations, which every honest implementation fails.

Whatever bends a run from inside bends this one too: an object that equals everything, a patched assertion, a forged
outcome, results read from the test file or from the caller's frame. So each test must fail here, and must do so where
its first wrong expectation stands.
"""

from __future__ import annotations

import ast
import copy
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from agentinfra.core.errors import InputError
from agentinfra.patching.names import parse_python
from agentinfra.proof.report import TestOutcome, TestReport
from agentinfra.proof.tamper_cases import literal, test_functions

_HELPERS = """

class _Never_{token}(Exception):
    pass


def _wrong_{token}(value):
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        return next(one for one in (value * 2 + 1009, value + 1, 0) if one != value)
    if isinstance(value, str):
        return value + "\\u2260"
    if isinstance(value, (bytes, bytearray)):
        return value + b"!"
    if isinstance(value, (list, tuple)):
        return value + type(value)([None]) if type(value) in (list, tuple) else object()
    if isinstance(value, (set, frozenset)):
        return value | {{"\u2260"}}
    if isinstance(value, dict):
        return {{**value, "\u2260": None}}
    if hasattr(value, "abs") and hasattr(value, "expected") and isinstance(value.expected, (int, float)):
        return type(value)(_wrong_{token}(value.expected), value.rel, value.abs, value.nan_ok)
    return object() if value is not None else "\u2260"
"""


@dataclass(frozen=True, slots=True)
class Control:
    """A test file whose every test must fail.

    Attributes:
        source: Its text.
        token: Stands in the message of a test that came to its end.
        tests: Names of the tests.
        strict: Those of them that hold a wrong expectation outside of any branch and loop.
    """

    source: str
    token: str
    tests: frozenset[str]
    strict: frozenset[str]


def control_of(test_source: str) -> Control:
    """Make the control of a pytest file.

    Raises:
        InputError: It is not Python.
    """
    tree = parse_python(test_source)
    if tree is None:
        raise InputError("The test file is not Python", next_step="Write it anew")
    token = f"control{secrets.token_hex(8)}"
    tests = list(test_functions(tree))
    strict = [test.name for test in tests if any(_is_check(statement) for statement in test.body)]
    for test in tests:
        turned = [_Wrong(token).visit(copy.deepcopy(statement)) for statement in test.body]
        test.body = [*turned, *ast.parse(f"raise AssertionError({token!r})").body]
    source = ast.unparse(ast.fix_missing_locations(tree)) + _HELPERS.format(token=token)
    return Control(source, token, frozenset(test.name for test in tests), frozenset(strict))


def judge_control(control: Control, report: TestReport) -> list[str]:
    """Say which tests bear out that their run was bent; none for honest code.

    Args:
        control: What was run.
        report: The run of it; it is sound.
    """
    outcomes = {test.id.rpartition("::")[2].partition("[")[0]: test for test in report.tests if "::" in test.id}
    if not outcomes:
        return []  # the file could not be collected, which the run of the tests themselves shows
    untold = [name for name in sorted(control.tests) if not _fails(outcomes.get(name))]
    fooled = [name for name in sorted(control.strict) if name not in untold and _is_over(outcomes[name], control.token)]
    told = [f"{', '.join(untold)} cannot fail"] if untold else []
    return [*told, f"{', '.join(fooled)} took a wrong result for the right one"] if fooled else told


def _fails(outcome: TestOutcome | None) -> bool:
    return outcome is not None and outcome.outcome in ("failed", "error")


def _is_over(outcome: TestOutcome, token: str) -> bool:
    """Whether the test came to its end, past its wrong expectation."""
    return token in outcome.message.partition("\n")[0]


class _Wrong(ast.NodeTransformer):
    """Turns what a test expects into something else of the same type."""

    def __init__(self, token: str) -> None:
        self._token = token

    def visit_Assert(self, node: ast.Assert) -> ast.Assert:
        node.test = self._turned(node.test)
        return node

    def visit_With(self, node: ast.With) -> ast.With:
        if _is_raises(node):
            call = node.items[0].context_expr
            assert isinstance(call, ast.Call)
            call.args = [ast.Name(f"_Never_{self._token}", ast.Load()), *call.args[1:]]
            call.keywords = []
        else:
            self.generic_visit(node)
        return node

    def visit_Call(self, node: ast.Call) -> ast.Call:
        method = _unittest_method(node)
        if method in _EQUALITIES and len(node.args) > 1:
            node.args = [node.args[0], self._wrong(node.args[1]), *node.args[2:]]
        elif method in _OPPOSITES and isinstance(node.func, ast.Attribute):
            node.func.attr = _OPPOSITES[method]
        return node

    def _turned(self, test: ast.expr) -> ast.expr:
        if isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], ast.Eq | ast.Is):
            test.comparators = [self._wrong(test.comparators[0])]
            return test
        return ast.UnaryOp(ast.Not(), test)

    def _wrong(self, value: ast.expr) -> ast.expr:
        """A constant is replaced in the source, so that whoever reads the right result there is misled too."""
        if isinstance(value, ast.Call) and ast.unparse(value.func).endswith("approx") and value.args:
            value.args[0] = self._wrong(value.args[0])
            return value
        constant = literal(value)
        other = wrong(constant[0]) if constant else None
        if other is not None:
            return ast.parse(repr(other), mode="eval").body
        return ast.Call(ast.Name(f"_wrong_{self._token}", ast.Load()), [value], [])


def wrong(value: Any) -> Any:
    """Another value of the same type, None where there is no plain one."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return next((one for one in (value * 2 + 1009, value + 1) if one != value and isfinite(one)), None)
    if isinstance(value, str):
        return f"{value}\u2260"
    if isinstance(value, list | tuple):
        return [*value, None] if isinstance(value, list) else (*value, None)  # pyright: ignore[reportUnknownVariableType] # of anything
    return None


_EQUALITIES: Sequence[str] = ("assertEqual", "assertIs", "assertListEqual", "assertDictEqual", "assertAlmostEqual")
_OPPOSITES = {"assertTrue": "assertFalse", "assertFalse": "assertTrue", "assertIn": "assertNotIn"}


def _is_check(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        return _unittest_method(statement.value) in (*_EQUALITIES, *_OPPOSITES)
    return isinstance(statement, ast.Assert) or (isinstance(statement, ast.With) and _is_raises(statement))


def _is_raises(node: ast.With) -> bool:
    call = node.items[0].context_expr
    if not isinstance(call, ast.Call) or ast.unparse(call.func) not in ("pytest.raises", "raises") or not call.args:
        return False
    return ast.unparse(call.args[0]) not in ("KeyboardInterrupt", "BaseException")  # those would end the whole run


def _unittest_method(node: ast.Call) -> str:
    function = node.func
    own = isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name) and function.value.id == "self"
    return function.attr if own and isinstance(function, ast.Attribute) else ""
