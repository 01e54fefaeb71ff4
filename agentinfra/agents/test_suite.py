"""Acceptance examples as a pytest file: what an engineer's tests are made of.

A test here is data (a call and what it must do), not free code: it can be bounded, checked for its ground, dropped
when it is shown to be wrong, and written the same way whatever model proposed it.
"""

from __future__ import annotations

import ast
import builtins
import re
import shlex
import textwrap
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from agentinfra.patching.names import bound_name
from agentinfra.spec.requirements import Example

_KNOWN_IMPORTS = {
    "Fraction": "from fractions import Fraction",
    "Decimal": "from decimal import Decimal",
    "date": "from datetime import date",
    "datetime": "from datetime import datetime",
    "timedelta": "from datetime import timedelta",
    "time": "from datetime import time",
    "Path": "from pathlib import Path",
    "math": "import math",
    "json": "import json",
    "csv": "import csv",
    "os": "import os",
}
_BUILTINS = frozenset(dir(builtins))
_FIXTURES = ("tmp_path", "capsys")
# Beside == these would be read as a part of the comparison.
_LOOSE = (ast.Compare, ast.BoolOp, ast.IfExp, ast.Lambda, ast.NamedExpr, ast.UnaryOp)


@dataclass(frozen=True, slots=True)
class Case:
    """One test function: the example that it checks, under a name of its own."""

    name: str
    requirement: str
    example: Example


@dataclass(frozen=True, slots=True)
class Suite:
    """The test file of one task.

    Attributes:
        path: Where it goes, relative to the repository.
        module: Dotted name of the module under test.
        cases: The tests, in file order.
        symbols: Names that the module must offer.
        neighbours: Names of other modules that tests may use, by dotted module name.
    """

    path: str
    module: str
    cases: tuple[Case, ...]
    symbols: tuple[str, ...]
    neighbours: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def test_id(self, case: Case) -> str:
        """The id under which pytest reports the case."""
        return f"{self.path}::{case.name}"

    def without(self, names: Iterable[str]) -> Suite:
        """The suite less the cases of these names."""
        dropped = set(names)
        return replace(self, cases=tuple(case for case in self.cases if case.name not in dropped))

    def amended(self, values: Mapping[str, str]) -> Suite:
        """The suite with other results for the cases of these names."""
        cases = (
            replace(case, example=replace(case.example, value=values[case.name])) if case.name in values else case
            for case in self.cases
        )
        return replace(self, cases=tuple(cases))

    def source(self) -> str:
        """The test file's text."""
        body = "\n\n\n".join(_test_function(case) for case in self.cases)
        return f"{self._imports()}\n\n\n{body}\n"

    def _imports(self) -> str:
        used = {name for case in self.cases for name in _names_of(case.example)}
        lines = [line for name, line in _KNOWN_IMPORTS.items() if name in used and name not in self.symbols]
        if any(case.example.expect == "prints" for case in self.cases):
            lines += ["import os", "import subprocess", "import sys"]
        needs_pytest = any(case.example.expect == "raises" or _is_float(case.example) for case in self.cases)
        third_party = ["import pytest"] if needs_pytest else []
        groups = [sorted(set(lines)), third_party, self._own_imports(used)]
        return "\n\n".join("\n".join(group) for group in groups if group)

    def _own_imports(self, used: set[str]) -> list[str]:
        """Imports of the project's modules; where two offer a name, the module under test gives it."""
        lines: list[str] = []
        left = set(used)
        for module, names in ((self.module, self.symbols), *self.neighbours):
            if wanted := left & set(names):
                lines.append(f"from {module} import {', '.join(sorted(wanted))}")
                left -= wanted
        return lines


def module_name(file: str) -> str:
    """The dotted name of a Python file: ``shop/stock.py`` is ``shop.stock``, ``src/shop/__init__.py`` is ``shop``.

    Tests run with the project's folder and its ``src`` on the import path.
    """
    name = ".".join(PurePosixPath(file).with_suffix("").parts)
    return name.removeprefix("src.").removesuffix(".__init__")


def symbol_name(signature: str) -> str:
    """The top-level name in a signature: ``Bag`` for ``class Bag(size)`` and ``Bag.add(x)``, ``f`` for ``f(a)``."""
    match = re.match(r"\s*(?:class\s+|exception\s+|def\s+|async\s+def\s+)?([A-Za-z_]\w*)", signature)
    return match.group(1) if match else ""


def build_suite(
    path: str,
    file: str,
    symbols: Sequence[str],
    examples: Iterable[tuple[str, Example]],
    neighbours: Sequence[tuple[str, tuple[str, ...]]] = (),
) -> Suite:
    """Make the suite of a task from (requirement id, example) pairs.

    Doubled examples and those that cannot become a test (they do not parse, use unknown names, or do not touch
    the module under test) are left out.
    """
    names = tuple(dict.fromkeys(name for signature in symbols if (name := symbol_name(signature))))
    known = {*names, *(name for _, offered in neighbours for name in offered)}
    cases: list[Case] = []
    seen: set[str] = set()
    for requirement, example in examples:
        # The same question asked twice with two answers cannot both hold; the first, better grounded one stays.
        asked = "\n".join((*example.setup, normal(example.call)))
        if asked in seen or not is_testable(example, known, names, file):
            continue
        seen.add(asked)
        cases.append(Case(_case_name(example, len(cases) + 1), requirement, example))
    return Suite(path, module_name(file), tuple(cases), names, tuple(neighbours))


def is_testable(example: Example, known: set[str], under_test: Sequence[str], file: str = "") -> bool:
    """Whether the example parses, uses only names that exist, and exercises something under test.

    Args:
        example: The example.
        known: Names that the test module imports.
        under_test: Those of them that the task writes; a page or program has none and is reached by its file.
        file: The file under test.
    """
    if not _compiles(example) or (example.expect == "raises" and not _is_exception(example.value)):
        return False
    strangers = _names_of(example) - known - _bound(example) - _BUILTINS - set(_KNOWN_IMPORTS) - set(_FIXTURES)
    if strangers or example.expect == "prints":
        return not strangers and (not file or _runs(example.call, file))
    code = "\n".join((*example.setup, example.call.strip()))
    return bool(_load_names(code) & set(under_test)) or (not under_test and bool(file) and file in code)


def _compiles(example: Example) -> bool:
    """Whether all its parts are what they have to be, alone (no return, no await) and as a test."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for line in example.setup:
                compile(line, "setup", "exec", dont_inherit=True)
            if example.expect == "prints":
                return example.call.strip().startswith("python ") and len(shlex.split(example.call)) > 1
            compile(example.call.strip(), "call", "eval", dont_inherit=True)
            compile(example.value.strip(), "value", "eval", dont_inherit=True)
            compile(_test_function(Case("test", "", example)), "test", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _runs(command: str, file: str) -> bool:
    """Whether a command line runs the file, or another program of its package."""
    flag, *words = _module_argv(command)
    return flag == "-m" and bool(words) and words[0].split(".")[0] == module_name(file).split(".")[0]


def _is_exception(value: str) -> bool:
    """Whether the value names what can be raised, as far as that can be known here."""
    builtin = getattr(builtins, value, Exception)
    named = isinstance(ast.parse(value.strip(), mode="eval").body, ast.Name | ast.Attribute)
    return named and isinstance(builtin, type) and issubclass(builtin, BaseException)


def _case_name(example: Example, number: int) -> str:
    words = re.findall(r"[a-z0-9]+", example.call.split("(")[0].split(".")[-1].lower())
    return "_".join(["test", *words[:4], str(number)])


def _test_function(case: Case) -> str:
    example = case.example
    fixtures = ", ".join(
        name for name in _FIXTURES if name in _names_of(example) or (name == "tmp_path" and example.expect == "prints")
    )
    lines = [f"def {case.name}({fixtures}):", f"    # {case.requirement}, {example.ground.value}"]
    lines += [textwrap.indent(_statement(line), "    ") for line in example.setup]
    return "\n".join([*lines, *_check_lines(example)])


def _check_lines(example: Example) -> list[str]:
    if example.expect == "raises":
        return [f"    with pytest.raises({example.value.strip()}):", f"        {_operand(example.call)}"]
    if example.expect == "prints":
        argv = ", ".join(["sys.executable", *(repr(word) for word in _module_argv(example.call))])
        return [
            "    environment = dict(os.environ, PYTHONPATH=os.getcwd())",
            f"    command = [{argv}]",
            "    done = subprocess.run(",
            "        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=20, check=False",
            "    )",
            f"    assert done.stdout.strip() == {example.value.strip()!r}, done.stderr",
        ]
    call, value = _operand(example.call), _operand(example.value)
    if value in ("True", "False", "None"):
        return [f"    assert {call} is {value}"]
    if _is_float(example):
        return [f"    assert {call} == pytest.approx({value})"]
    return [f"    assert {call} == {value}"]


def _operand(expression: str) -> str:
    """The expression as it can stand in a comparison: without a comment, in parentheses where it needs them."""
    text = expression.strip()
    tree = ast.parse(text, mode="eval").body
    if "#" in text or "\n" in text or isinstance(tree, ast.Tuple):
        text = ast.unparse(tree)
    return f"({text})" if isinstance(tree, _LOOSE) and not _is_number(tree) else text


def _is_number(tree: ast.expr) -> bool:
    return isinstance(tree, ast.UnaryOp) and isinstance(tree.operand, ast.Constant)


def _statement(code: str) -> str:
    """The statement as it can be indented: no string in it goes over several lines."""
    return ast.unparse(ast.parse(code)) if "\n" in code else code


def _module_argv(command: str) -> list[str]:
    words = shlex.split(command)[1:]
    if words and words[0].endswith(".py"):
        return ["-m", module_name(words[0]), *words[1:]]
    return words


def _is_float(example: Example) -> bool:
    try:
        return isinstance(ast.literal_eval(example.value), float)
    except (ValueError, SyntaxError):
        return False


def normal(expression: str) -> str:
    """The expression in Python's own spelling, so that quotes and blanks make no difference."""
    try:
        return ast.unparse(ast.parse(expression, mode="eval"))
    except (SyntaxError, ValueError):
        return expression


def _load_names(code: str) -> set[str]:
    return {
        node.id for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }


def _codes(example: Example) -> tuple[str, ...]:
    """The parts of an example that are Python."""
    return (
        example.setup if example.expect == "prints" else (*example.setup, example.call.strip(), example.value.strip())
    )


def _names_of(example: Example) -> set[str]:
    return {name for code in _codes(example) for name in _load_names(code)}


def _bound(example: Example) -> set[str]:
    """Names that the example itself makes: variables, functions, imports, parameters of a lambda."""
    nodes = [node for code in _codes(example) for node in ast.walk(ast.parse(code))]
    names = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    names |= {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    names |= {bound_name(node) for node in nodes if isinstance(node, ast.alias)}
    return names | {node.arg for node in nodes if isinstance(node, ast.arg)}
