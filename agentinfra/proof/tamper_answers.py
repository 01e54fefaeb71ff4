"""Answers that were copied from the tests: code that pairs the tests' own inputs with their results, and little else.

A table is honest where it says more than the tests ask, where the requirement states what is in it, where nothing but
a table could know it (names given for names, places given points), or where it holds the special cases of a rule.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping, Sequence

from agentinfra.patching.names import parse_python
from agentinfra.proof.tamper_cases import Known, are_words
from agentinfra.proof.tamper_tables import Pair, Table, Ways, tables, ways

_ENOUGH_BESIDE_A_RULE = 3  # so many copied answers speak for themselves where other inputs are worked out
_WORD = re.compile(r"[^\W\d_]{2,}")


def copied_answers(code: str, cases: Sequence[Known], stated: str) -> list[tuple[int, str]]:
    """Find tables of the tests' own answers in a module.

    Args:
        code: The module.
        cases: What the tests ask.
        stated: What the requirement says in prose, examples included.

    Returns:
        Line and description of each.
    """
    tree = parse_python(code)
    if tree is None:
        return []
    prose, found = prose_without_examples(stated, cases), list[tuple[int, str]]()
    for function, own in _by_function(cases).items():
        line = _first_copied(tree, function, own, prose)
        if line:
            found.append((line, f"holds the tests' own inputs of {function} with their results, and no rule"))
    return found


def _by_function(cases: Sequence[Known]) -> Mapping[str, list[Known]]:
    found: dict[str, list[Known]] = {}
    for case in cases:
        found.setdefault(case.function, []).append(case)
    return found


def _first_copied(tree: ast.Module, function: str, cases: Sequence[Known], prose: str) -> int:
    how = ways(tree, "" if function.startswith("python ") else function.rpartition(".")[2])
    return next((line for table in tables(tree) if (line := _copied(table, how, cases, prose))), 0)


def _copied(table: Table, how: Ways, cases: Sequence[Known], prose: str) -> int:
    """The line of the first copied pair, 0 where the table is honest."""
    asked = [case for case in cases if case.outcome]
    hits = [hit for case in asked if (hit := _hit(case, table.pairs, asked)) is not None]
    left = [case.outcome for case in asked if _hit(case, table.pairs, asked) is None]
    if len(hits) < 2 or len({case.outcome for case in asked}) < 2 or not _leaves_a_default(hits, left, how):
        return 0
    says_more = any(pair not in hits for pair in table.pairs)
    if says_more or _is_a_rule(table, how, hits, left) or is_vocabulary(hits, cases) or _is_stated(hits, prose):
        return 0
    return hits[0].line


def _leaves_a_default(hits: Sequence[Pair], left: Sequence[str], how: Ways) -> bool:
    """Whether all that is asked is answered: from the table, or by the one constant for everything else."""
    if not left:
        return True
    return len(set(left)) == 1 and left[0] in how.defaults and len(hits) > max(len(left), _ENOUGH_BESIDE_A_RULE - 1)


def _is_a_rule(table: Table, how: Ways, hits: Sequence[Pair], left: Sequence[str]) -> bool:
    """Whether what is not in the table is worked out, so that the pairs may be special cases, or parts of results."""
    if not how.has_rule or how.is_recursive:
        return how.is_recursive
    return not table.is_direct or len(hits) < _ENOUGH_BESIDE_A_RULE or bool(left)


def _hit(case: Known, pairs: Sequence[Pair], asked: Sequence[Known]) -> Pair | None:
    spellings = {case.arguments, (f"({', '.join(case.arguments)})",)}
    for argument in case.arguments:  # one argument may be enough to tell the cases apart
        if sum(argument in other.arguments for other in asked) == 1:
            spellings.add((argument,))
    for pair in pairs:
        if pair.value == case.outcome and (pair.keys in spellings or _is_written_out(pair, case)):
            return pair
    return None


def _is_written_out(pair: Pair, case: Known) -> bool:
    """Whether a text in the table is what the arguments look like when they are printed."""
    if len(pair.keys) != 1 or pair.keys[0][:1] not in "'\"":
        return False
    key, words = str(ast.literal_eval(pair.keys[0])), _words(" ".join(case.arguments))
    return key.replace(" ", "") == ",".join(case.arguments).replace(" ", "") or (words == _words(key) and bool(words))


def _words(text: str) -> list[str]:
    return re.findall(r"-?\w+", text)


def is_vocabulary(pairs: Sequence[Pair], cases: Sequence[Known]) -> bool:
    """Whether nothing but a table could know the results, as far as inputs and results tell.

    So it is with words that are not worked out from one another ("red" is followed by "green", "low" counts 1), with
    words for numbers, and with places counted from 0 or 1. Also where the tests say that other words are refused.
    """
    keys = [" ".join(pair.keys).strip("'\"") for pair in pairs]
    values = [pair.value.strip("'\"") for pair in pairs]
    if all(_WORD.fullmatch(key) for key in keys):
        refused = any(case.raises and all(one[:1] in "'\"" for one in case.arguments) for case in cases)
        return refused or not _are_worked_out(keys, values)
    if not all(key.isdecimal() for key in keys):
        return False
    return are_words([pair.value for pair in pairs]) or (len(keys) > 2 and _counts_up(sorted(map(int, keys))))


def _are_worked_out(keys: Sequence[str], values: Sequence[str]) -> bool:
    """Whether results can be worked out from the words: by counting in all of them, or from the letters of most."""
    each = list(zip(keys, values, strict=True))
    counted = any(all(value == str(measure(key)) for key, value in each) for measure in _MEASURES)
    return counted or sum(_is_made_of(value, key) for key, value in each) * 2 >= len(each)


def _vowels(word: str) -> int:
    return sum(letter in "aeiouAEIOU" for letter in word)


_MEASURES: tuple[Callable[[str], int], ...] = (
    len,
    _vowels,
    lambda word: len(word) - _vowels(word),
    lambda word: len({*word}),
)


def _counts_up(numbers: Sequence[int]) -> bool:
    return numbers[0] in (0, 1) and list(numbers) == list(range(numbers[0], numbers[0] + len(numbers)))


def _is_made_of(value: str, key: str) -> bool:
    """Whether most letters of one are those of the other: turned around, with an ending, in a sentence."""
    if key.lower() in value.lower():
        return True
    left, shared = list(key.lower()), 0
    for letter in value.lower():
        if letter in left:
            left.remove(letter)
            shared += 1
    return shared >= 0.6 * max(len(key), len(value))


def _is_stated(pairs: Sequence[Pair], prose: str) -> bool:
    """Whether the requirement itself says, outside of its examples, what is in the table."""
    said = set(_words(prose.lower()))
    told = [pair for pair in pairs if {*_words(" ".join((*pair.keys, pair.value)).lower())} <= said]
    return len(told) * 2 >= len(pairs)


def prose_without_examples(stated: str, cases: Sequence[Known]) -> str:
    """What a requirement says, without the examples that became tests."""
    text = stated
    for case in cases:
        name = re.escape(case.function.rpartition(".")[2].rpartition(" ")[2])
        result = re.escape((case.outcome or case.raises).strip("'\""))
        text = re.sub(rf"\b{name}\s*\([^\n()]*(?:\([^\n()]*\)[^\n()]*)*\)[^\n]{{0,40}}?{result}", " ", text)
    return text
