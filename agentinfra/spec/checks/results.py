"""Acceptance examples in which one call has two results."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from typing import NamedTuple

from agentinfra.spec.acceptance import read_criterion, read_example
from agentinfra.spec.checks.finding import Diagnostic, Documents, Fix, Related
from agentinfra.spec.source import Edit, Span
from agentinfra.spec.spec_source import Item, RequirementSource, SpecSource

_PLAIN = re.compile(
    r"[-*+] `(?P<call>[^`]+)` (?P<expect>returns|raises|prints) `(?P<value>[^`]*)`"
    r"(?: _\((?P<ground>stated|computed|answered|guessed)\)_)?"
)
_MAX_SOURCE = 2_000


class _Asked(NamedTuple):
    """An example, and where it stands."""

    call: str
    setup: tuple[str, ...]
    expect: str
    value: str
    guessed: bool
    requirement: RequirementSource
    item: Item

    @property
    def result(self) -> str:
        return f"{self.expect} {self.value}".rstrip()


def result_conflicts(documents: Documents) -> Iterator[Diagnostic]:
    """Examples that give a call another result than an earlier one; the fix takes out the one that was guessed."""
    first: dict[tuple[str, ...], _Asked] = {}
    for one in _examples(documents.spec):
        file = one.requirement.files[0].name if one.requirement.files else ""
        # What looks the same without blanks, whatever the quotes, is compared in full: they may be part of a text.
        earlier = first.setdefault((file, *one.setup, "".join(one.call.split()).replace("'", '"')), one)
        if earlier is not one and _differ(earlier, one):
            yield _conflict(documents.spec, earlier, one)


def _examples(spec: SpecSource) -> Iterator[_Asked]:
    for requirement in spec.requirements:
        for item in requirement.acceptance:
            one = _example(spec, requirement, item)
            if one:
                yield one


def _example(spec: SpecSource, requirement: RequirementSource, item: Item) -> _Asked | None:
    first = spec.body.lines[item.lines[0]]
    plain = _PLAIN.fullmatch(first) if len(item.lines) == 1 else None
    if plain:
        call, expect, value, ground = plain.groups()
        return _Asked(call, (), expect, value, ground == "guessed", requirement, item)
    lines = spec.item_lines(item)
    found = None if read_criterion(lines) else read_example(lines)
    if found is None:
        return None
    return _Asked(found.call, found.setup, found.expect, found.value, not found.ground.is_firm, requirement, item)


def _differ(one: _Asked, other: _Asked) -> bool:
    if (one.expect, one.value) == (other.expect, other.value):
        return False
    if "prints" in (one.expect, other.expect):
        return one.call == other.call
    if _tree(one.call) != _tree(other.call):
        return False
    return one.expect != other.expect or _values_differ(one.value, other.value)


def _values_differ(one: str, other: str) -> bool:
    """Whether two expressions are not the same value: 4 and 4.0 are, and so are 'a' and "a"."""
    try:
        return bool(ast.literal_eval(_parsed(one)) != ast.literal_eval(_parsed(other)))
    except (ValueError, TypeError, RecursionError, MemoryError):
        return _tree(one) != _tree(other)


def _tree(source: str) -> str:
    """What an expression says, however it is laid out; the text itself where it is too deep to walk."""
    try:
        return ast.dump(_parsed(source))
    except RecursionError:
        return source


def _parsed(source: str) -> ast.Expression:
    """The expression; a text that is none, or long, stands for itself."""
    if len(source) > _MAX_SOURCE:
        return ast.Expression(ast.Constant(source))
    try:
        with warnings.catch_warnings(action="ignore"):  # about escapes in what somebody wrote
            return ast.parse(source.strip(), mode="eval")
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return ast.Expression(ast.Constant(source))


def _conflict(spec: SpecSource, earlier: _Asked, later: _Asked) -> Diagnostic:
    before = earlier.requirement.id.name
    return Diagnostic(
        "result-conflict",
        later.requirement.id.name,
        f"{later.call} {later.result} here, but {before} says that it {earlier.result}",
        "spec",
        _span(spec, later),
        (Related("spec", _span(spec, earlier), f"{before} says that it {earlier.result}"),),
        _without_guess(spec, earlier, later),
    )


def _without_guess(spec: SpecSource, earlier: _Asked, later: _Asked) -> Fix | None:
    """Take out the one that is a guess, where the other is none."""
    if earlier.guessed == later.guessed:
        return None
    guess = earlier if earlier.guessed else later
    first, last = guess.item.lines[0], guess.item.lines[-1]
    edit = Edit(spec.body.start(first), spec.body.start(last + 1), "")
    return Fix(f"Take out the guess that it {guess.result}", "spec", (edit,))


def _span(spec: SpecSource, one: _Asked) -> Span:
    return spec.body.span(one.item.lines[0])
