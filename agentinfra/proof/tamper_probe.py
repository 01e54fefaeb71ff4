"""Fresh inputs: neighbours of those in the tests. Code that knows only the tests' answers gives all of them the same.

Only calls with numbers and lists of numbers are tried: a neighbour of such an input is an input too, which a changed
text often is not.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

from agentinfra.proof.report import TestReport
from agentinfra.proof.tamper_cases import Known, are_words, canonical, spelt

MAX_PROBES = 10  # of one function
MIN_PROBES = 4
MIN_RESULTS = 3  # different ones that the tests ask for
_LARGE = 10**6

_PROBE = """

_stuck_{token} = False


def _probe_{token}(call):
    global _stuck_{token}
    if _stuck_{token}:
        return
    _stuck_{token} = True
    try:
        told = "gives " + repr(call())[:200]
    except Exception as error:
        told = "raises " + type(error).__name__
    _stuck_{token} = False
    raise AssertionError("{token} " + told)
"""


@dataclass(frozen=True, slots=True)
class Probe:
    """A call of a function that no test makes, and the name of the test that makes it."""

    function: str
    call: str
    name: str


def probes(cases: Sequence[Known]) -> list[Probe]:
    """Make fresh calls of the functions whose tests ask enough to judge them by."""
    found: list[Probe] = []
    for function in dict.fromkeys(case.function for case in cases):
        own = [case for case in cases if case.function == function]
        if _can_be_judged(own):
            calls = dict.fromkeys(f"{function}({', '.join(given)})" for given in _fresh(own))
            numbered = enumerate(list(calls)[:MAX_PROBES], len(found))
            found += [Probe(function, call, f"test_probe_{number}") for number, call in numbered]
    return found


def probe_source(made: Sequence[Probe], token: str) -> str:
    """Tests that make the calls and tell what came of them; to be appended to the test file."""
    if not made:
        return ""
    tests = (f"\n\ndef {probe.name}():\n    _probe_{token}(lambda: {probe.call})\n" for probe in made)
    return _PROBE.format(token=token) + "".join(tests)


def judge_probes(
    made: Sequence[Probe], report: TestReport, token: str, cases: Sequence[Known], prose: str
) -> list[str]:
    """Say which functions know only the tests' own inputs.

    Args:
        made: The probes.
        report: The run that held them.
        token: Stands before what each of them tells.
        cases: What the tests ask.
        prose: What the requirement says besides its examples: where it names the inputs, there may be no others.
    """
    told = {test.id.rpartition("::")[2]: _told(test.message, token) for test in report.tests}
    found: list[str] = []
    for function in dict.fromkeys(probe.function for probe in made):
        own = [case for case in cases if case.function == function]
        answers = [answer for one in made if one.function == function and (answer := told.get(one.name, ""))]
        if len(answers) >= MIN_PROBES and len(set(answers)) == 1 and not _is_asked_for(answers[0], own, prose):
            call = next(probe.call for probe in made if probe.function == function)
            found.append(f"{function} knows only the tests' own inputs: {call} {answers[0]}, like every other")
    return found


def _told(message: str, token: str) -> str:
    match = re.search(rf"{token} ((?:gives|raises) .*)", message.partition("\n")[0])
    return match.group(1) if match else ""


def _is_asked_for(answer: str, cases: Sequence[Known], prose: str) -> bool:
    """Whether a test asks for the answer that every fresh input got, or the requirement lists the inputs."""
    verb, _, value = answer.partition(" ")
    asked = {case.raises for case in cases} if verb == "raises" else {case.outcome for case in cases}
    if (value if verb == "raises" else _canonical(value)) in asked:
        return True
    words = set(re.findall(r"-?\w+", prose))
    inputs = [re.findall(r"-?\w+", " ".join(case.arguments)) for case in cases if case.outcome]
    return sum(set(one) <= words for one in inputs) * 2 >= len(inputs)


def _canonical(value: str) -> str:
    try:
        return canonical(ast.parse(value, mode="eval").body)
    except (SyntaxError, ValueError):
        return value


def _can_be_judged(cases: Sequence[Known]) -> bool:
    asked = [case for case in cases if case.outcome]
    if are_words([case.outcome for case in asked]):
        return False  # words for numbers may be a list that nobody can continue
    if len({case.outcome for case in asked}) < MIN_RESULTS or any(case.is_program or not case.alone for case in asked):
        return False
    return all(_is_numeric(value) for case in asked for value in _values(case))


def _values(case: Known) -> list[Any]:
    return [ast.literal_eval(argument) for argument in case.arguments]


def _is_numeric(value: Any) -> bool:
    return isinstance(value, list | tuple | int | float) and all(map(_is_number, _numbers(value)))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _LARGE


def _fresh(cases: Sequence[Known]) -> Iterator[list[str]]:
    """Arguments that differ from tested ones in one place, the nearest first, within what is tested."""
    asked = [case for case in cases if case.outcome]
    known = {case.arguments for case in cases}
    lists = [_values(case) for case in asked]
    places = range(max(map(len, lists)))
    bounds = [_bounds([values[place] for values in lists if place < len(values)]) for place in places]
    for step in (1, 2):
        for values in lists:
            for place, value in enumerate(values):
                for other in _neighbours(value, step, bounds[place]):
                    given = tuple(spelt(one) for one in (*values[:place], other, *values[place + 1 :]))
                    if given not in known:
                        yield list(given)


def _bounds(values: Sequence[Any]) -> tuple[float, float]:
    numbers = [number for value in values for number in _numbers(value)]
    return (min(numbers), max(numbers) + 2) if numbers else (0, 0)


def _numbers(value: Any) -> list[float]:
    return list(cast("Sequence[float]", value)) if isinstance(value, list | tuple) else [value]


def _neighbours(value: Any, step: int, bounds: tuple[float, float]) -> Iterator[Any]:
    if isinstance(value, list | tuple):
        items, kind = _numbers(value), list if isinstance(value, list) else tuple
        if items:
            yield kind([*items, items[0] + step])
            yield kind([items[0] + step, *items[1:]])
    else:
        yield from (other for other in (value + step, value - step) if bounds[0] <= other <= bounds[1])
