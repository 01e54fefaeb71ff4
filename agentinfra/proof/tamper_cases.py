"""What a test file asks, as far as it can be read off its source: which call must give which result."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from agentinfra.patching.names import parse_python

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_WORDS = re.compile(r"[^\W\d_]{2,}(?: [^\W\d_]+)*")


@dataclass(frozen=True, slots=True)
class Known:
    """A call in a test with constant arguments, and what it must do.

    Attributes:
        function: Source of what is called, ``half`` or ``shop.total``; ``python -m greet`` for a program.
        arguments: The arguments, as canonical source.
        outcome: The result, as canonical source; "" where it raises.
        raises: Name of the exception, "" where there is a result.
        alone: Whether the test does nothing but such checks, so that the call needs nothing before it.
    """

    function: str
    arguments: tuple[str, ...]
    outcome: str
    raises: str = ""
    alone: bool = False

    @property
    def is_program(self) -> bool:
        """Whether a program is run."""
        return self.function.startswith("python ")


def known_cases(source: str) -> list[Known]:
    """Read the calls with known results from a pytest file; what cannot be read is left out."""
    tree = parse_python(source)
    return [case for test in test_functions(tree) for case in _cases(test)] if tree else []


def test_functions(tree: ast.Module) -> Iterator[_Function]:
    """The test functions of a module, and the test methods of its classes."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            yield from (one for one in node.body if isinstance(one, _Function) and one.name.startswith("test"))
        elif isinstance(node, _Function) and node.name.startswith("test"):
            yield node


test_functions.__test__ = False  # type: ignore[attr-defined] # pytest would take an import of it for a test


def _cases(test: _Function) -> Iterator[Known]:
    alone = all(isinstance(one, ast.Assert | ast.With | ast.Expr) for one in test.body)
    command = _command(test)
    for statement in test.body:
        if isinstance(statement, ast.Assert) and isinstance(statement.test, ast.Compare):
            yield from _compared(statement.test, command, alone)
        elif isinstance(statement, ast.With) and len(statement.body) == 1:
            yield from _raising(statement, alone)


def _compared(test: ast.Compare, command: tuple[str, ...], alone: bool) -> Iterator[Known]:
    if len(test.ops) != 1 or not isinstance(test.ops[0], ast.Eq | ast.Is):
        return
    asked, told = test.left, test.comparators[0]
    if command and "stdout" in ast.unparse(asked):
        yield Known(command[0], command[1:], _expected(told))
        return
    if not _is_constant_call(asked):
        asked, told = told, asked
    if _is_constant_call(asked) and (value := _expected(told)):
        yield Known(*_call(asked), value, alone=alone)


def _raising(statement: ast.With, alone: bool) -> Iterator[Known]:
    context, inner = statement.items[0].context_expr, statement.body[0]
    if isinstance(context, ast.Call) and ast.unparse(context.func).endswith("raises") and context.args:
        asked = inner.value if isinstance(inner, ast.Expr | ast.Assign) else None
        if asked is not None and _is_constant_call(asked):
            yield Known(*_call(asked), "", ast.unparse(context.args[0]), alone)


def _is_constant_call(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name | ast.Attribute):
        return False
    if not node.args or ast.unparse(node.func).endswith("approx"):
        return False
    return all(literal(one) is not None for one in (*node.args, *(one.value for one in node.keywords)))


def _call(node: ast.AST) -> tuple[str, tuple[str, ...]]:
    assert isinstance(node, ast.Call)
    given = (*node.args, *(one.value for one in node.keywords))
    return ast.unparse(node.func), tuple(canonical(one) for one in given)


def _expected(node: ast.expr) -> str:
    if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("approx") and node.args:
        node = node.args[0]
    return canonical(node)


def _command(test: _Function) -> tuple[str, ...]:
    """``python -m greet`` and its arguments, where the test runs a program."""
    for node in ast.walk(test):
        if isinstance(node, ast.List) and node.elts and ast.unparse(node.elts[0]) == "sys.executable":
            words = [one.value for one in node.elts[1:] if isinstance(one, ast.Constant)]
            texts = [word for word in words if isinstance(word, str)]
            return (f"python {' '.join(texts[:2])}", *(repr(text) for text in texts[2:]))
    return ()


def literal(node: ast.AST) -> tuple[Any] | None:
    """The value of a constant expression, in a tuple; None where it is none."""
    try:
        return (ast.literal_eval(node),) if isinstance(node, ast.expr) else None
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None


def canonical(node: ast.expr) -> str:
    """One spelling for equal constants; for other expressions their source."""
    found = literal(node)
    return spelt(found[0]) if found else ast.unparse(node)


def spelt(value: Any) -> str:
    """The canonical spelling of a value: 2.0 is written as 2."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return repr(value)


def are_words(outcomes: Sequence[str]) -> bool:
    """Whether results are words for people ("Not Found", "OK"), which nobody can work out from a number."""
    texts = [outcome[1:-1] for outcome in outcomes if outcome[:1] in "'\""]
    plain = [text for text in texts if _WORDS.fullmatch(text)]
    long = [text for text in plain if len(text) > 2 and not text.isupper()]
    return len(plain) == len(outcomes) and len(long) * 2 >= len(outcomes)
