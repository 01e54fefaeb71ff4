"""Bounds that a text puts on numbers ("a width below 4 raises", "must be above zero"), and calls that break them."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from agentinfra.spec.idea_text import Symbol
from agentinfra.spec.prose import NUMBER_WORDS, called_name

_DEMAND = re.compile(r"\b(?:must|otherwise|needs?|ha(?:s|ve) to|should|only|(?<!anything )else)\b", re.IGNORECASE)
_NUMBER = (
    rf"(-?\d+(?:\.\d+)?|{'|'.join(NUMBER_WORDS)})\b(?!\s*(?:characters?|letters?|digits?|decimals?|words?|items?))"
)

Holds = Callable[[float, Sequence[float]], bool]


@dataclass(frozen=True, slots=True)
class _Condition:
    """Words for a condition on a number; some only make sense as a demand, never as what raises."""

    pattern: str
    holds: Holds
    demand_only: bool = False


class _Bound(NamedTuple):
    """A condition found in a clause: where it stands and which numbers are good."""

    start: int
    end: int
    is_good: Callable[[float], bool]


_CONDITIONS = (
    _Condition(rf"(?:below|under|(?:less|smaller|fewer|lower) than) {_NUMBER}", lambda n, limits: n < limits[0]),
    _Condition(rf"(?:above|over|(?:more|greater|larger|higher) than) {_NUMBER}", lambda n, limits: n > limits[0]),
    _Condition(rf"{_NUMBER} or (?:less|fewer|below|lower|smaller)", lambda n, limits: n <= limits[0]),
    _Condition(rf"{_NUMBER} or (?:more|above|higher|greater|larger)", lambda n, limits: n >= limits[0]),
    _Condition(rf"outside {_NUMBER} (?:to|and) {_NUMBER}", lambda n, limits: not limits[0] <= n <= limits[1]),
    _Condition(r"(?<!non-)(?<!not )negative", lambda n, _: n < 0),
    _Condition(r"(?:non-|not )positive", lambda n, _: n <= 0),
    _Condition(rf"at least {_NUMBER}", lambda n, limits: n >= limits[0], demand_only=True),
    _Condition(rf"(?:at most|up to) {_NUMBER}", lambda n, limits: n <= limits[0], demand_only=True),
    _Condition(
        rf"(?:between|from) {_NUMBER} (?:and|to) {_NUMBER}",
        lambda n, limits: limits[0] <= n <= limits[1],
        demand_only=True,
    ),
    _Condition(r"(?:non-|not )negative", lambda n, _: n >= 0, demand_only=True),
    _Condition(r"(?<!non-)(?<!not )positive", lambda n, _: n > 0, demand_only=True),
)


def breaks_a_bound(call: ast.Call, clause: str, symbols: Sequence[Symbol]) -> bool:
    """Whether a clause that names an error gives a bound which a number in the call breaks.

    Args:
        call: The call that should raise.
        clause: The text, with the name of the error in it.
        symbols: The idea's symbols; their parameter names tell which number a bound speaks of.
    """
    bound = {name: _number(value) for name, value in bind(call, symbols).items()}
    numbers = {name: number for name, number in bound.items() if number is not None}
    limits = _limits_of(clause, _parameters(call, symbols), numbers)
    return any(not limit.is_good(numbers[name]) for limit, name in limits)


def _parameters(call: ast.Call, symbols: Sequence[Symbol]) -> tuple[str, ...]:
    return next((symbol.parameters for symbol in symbols if symbol.name == called_name(call)), ())


def bind(call: ast.Call, symbols: Sequence[Symbol]) -> dict[str, object]:
    """Bind a call's literal arguments to the names of the parameters; arguments that cannot be named are left out."""
    nodes = [*zip(_parameters(call, symbols), call.args, strict=False), *((k.arg, k.value) for k in call.keywords)]
    bound: dict[str, object] = {}
    for parameter, node in nodes:
        try:
            bound[parameter or ""] = ast.literal_eval(node)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            continue
    return bound


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def _limits_of(clause: str, parameters: Sequence[str], numbers: Mapping[str, float]) -> Iterator[tuple[_Bound, str]]:
    """Pair each bound with the parameter that it speaks of: named before or right behind it, or the only number."""
    named = sorted((found.start(), name) for name in parameters for found in _named(name, clause))
    for bound in _bounds(clause):
        before = [name for start, name in named if start < bound.start]
        behind = [name for start, name in named if 0 <= start - bound.end <= 2]
        only = list(numbers) if len(numbers) == 1 else []
        subject = next(iter([*before[-1:], *behind, *only]), "")
        if subject in numbers:
            yield bound, subject


def _named(parameter: str, clause: str) -> Iterator[re.Match[str]]:
    words = re.escape(parameter).replace("_", "[_ ]")
    # A single letter such as "a" is a word of its own unless it is marked as code.
    return re.finditer(rf"`{words}`" if len(parameter) == 1 else rf"\b{words}\b", clause, re.IGNORECASE)


def _bounds(clause: str) -> Iterator[_Bound]:
    demanded = _DEMAND.search(clause) is not None
    for condition in _CONDITIONS:
        for found in re.finditer(rf"\b(?:{condition.pattern})", clause, re.IGNORECASE):
            negated = re.search(r"\bnot(?: be)? $", clause[: found.start()]) is not None
            if demanded or not condition.demand_only:
                yield _Bound(found.start(), found.end(), _good(condition.holds, found.groups(), demanded != negated))


def _good(holds: Holds, limits: Sequence[str | None], wanted: bool) -> Callable[[float], bool]:
    numbers = [_limit(limit) for limit in limits if limit]
    return lambda number: holds(number, numbers) is wanted


def _limit(text: str) -> float:
    return float(NUMBER_WORDS.index(text.lower()) if text.lower() in NUMBER_WORDS else text)
