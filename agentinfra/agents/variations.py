"""Other inputs of the kind that the tests use: where a right and a wrong implementation may differ."""

from __future__ import annotations

import ast
import copy
import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import cast

from agentinfra.spec.requirements import Example

MAX_VARIATIONS = 16
MAX_NUMBERS = 6
_MISSING = "'no such value'"


def variations(examples: Sequence[Example], source: str = "", *, limit: int = MAX_VARIATIONS) -> list[Example]:
    """Change one value in the call or the setup of each example; what the new calls give is not known.

    Args:
        examples: What to begin from; those that run a program are passed over.
        source: Code whose numbers are tried too, and their neighbours: that is where boundaries are.
        limit: How many at most.

    Returns:
        New examples, each with a result that nothing gives, in an order that takes one of each before a second.
    """
    numbers = _numbers(source)
    asked = {_key(example) for example in examples}
    found: list[Example] = []
    for example in _in_turn([_varied(one, numbers) for one in examples if one.expect != "prints"]):
        if len(found) == limit:
            break
        if _key(example) not in asked:
            asked.add(_key(example))
            found.append(example)
    return found


def _key(example: Example) -> tuple[str, ...]:
    return (*example.setup, example.call)


def _in_turn(sources: Sequence[Iterator[Example]]) -> Iterator[Example]:
    rounds = itertools.zip_longest(*sources)
    return (example for one in rounds for example in one if example is not None)


def _numbers(source: str) -> list[int]:
    """Whole numbers of the code."""
    values = [node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant)]
    whole = [value for value in values if isinstance(value, int) and not isinstance(value, bool)]
    return list(dict.fromkeys(whole))[:MAX_NUMBERS]


def _varied(example: Example, numbers: Sequence[int]) -> Iterator[Example]:
    unknown = replace(example, expect="returns", value=_MISSING)
    for call in _changed(example.call.strip(), "eval", numbers):
        yield replace(unknown, call=call)
    for index, line in enumerate(example.setup):
        for other in _changed(line, "exec", numbers):
            yield replace(unknown, setup=(*example.setup[:index], other, *example.setup[index + 1 :]))


def _changed(code: str, mode: str, numbers: Sequence[int]) -> Iterator[str]:
    tree = ast.parse(code, mode=mode)
    literals = [(node, value) for node in _expressions(tree) for value in _literal(node)]
    choices = [[(node, other) for other in _others(value, numbers)] for node, value in literals]
    for one in itertools.chain.from_iterable(itertools.zip_longest(*choices)):
        if one is not None:
            node, other = one
            # What deepcopy finds in its memo it takes as the copy.
            yield ast.unparse(copy.deepcopy(tree, {id(node): ast.parse(repr(other), mode="eval").body}))


def _expressions(tree: ast.AST) -> Iterator[ast.expr]:
    """The outermost literals; what they hold is varied with them."""
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.expr) and any(True for _ in _literal(child)):
            yield child
        elif not isinstance(child, ast.JoinedStr):
            yield from _expressions(child)


def _literal(node: ast.expr) -> Iterator[object]:
    try:
        yield ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return


def _others(value: object, numbers: Sequence[int]) -> list[object]:
    others: Iterable[object] = ()
    known: object = value
    match value:
        case bool():
            others = [not value]
        case int() | float():
            near = [other for number in numbers for other in (number, number + 1, number - 1)]
            others = [value + 1, value - 1, 0, -value, *near, value * 2]
        case str():
            others = ["", value + value, value[:1], value[::-1], value.swapcase(), f" {value}"]
        case list():
            items = cast("list[object]", value)
            others = [[], items + items, items[::-1], items[:1], *_with_other(items, numbers)]
        case tuple():
            items = list(cast("tuple[object, ...]", value))
            others = [tuple(cast("list[object]", other)) for other in _others(items, numbers)]
        case dict():
            others = [{}, dict(list(cast("dict[object, object]", value).items())[:1])]
        case _:
            pass
    return _different(known, others)


def _different(value: object, others: Iterable[object]) -> list[object]:
    unique = {repr(other): other for other in others}
    unique.pop(repr(value), None)
    return list(unique.values())


def _with_other(items: list[object], numbers: Sequence[int]) -> Iterator[list[object]]:
    """The list with another value in one of its places."""
    for index, item in enumerate(items):
        for other in itertools.islice(_others(item, numbers), 2):
            yield [*items[:index], other, *items[index + 1 :]]
