"""Numbers that two sentences state differently for the same thing.

A wrong alarm costs more trust than a missed contradiction is worth, so that two sentences are compared only where they
say the same but for the number: the same words (a, the, must, be and the like left out), the same kind of bound, the
same unit. What depends on a condition is compared with the condition's words; a clause with two numbers is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from agentinfra.spec.checks.finding import Diagnostic, Documents, Related
from agentinfra.spec.checks.sentences import NAMED, Prose, sentences, without_names
from agentinfra.spec.source import Span

_NUMBER = re.compile(
    r"(?P<number>\d(?<![\w.,:/#$€£-]\d)(?:\d{0,2}(?:,\d{3}){1,5}|\d{0,15}(?:\.\d{1,15})?))(?:\s?(?P<unit>%|[A-Za-zµ]+(?:/[A-Za-z]+)?))?(?![\w:/-]|[.,]\d)"
)
_SYMBOL = re.compile(r"`[A-Za-z_]\w*`")
_PARAMETER = re.compile(r"[A-Za-z_]\w*(?=\s*[,)=:])")
_CLAUSE = re.compile(r"[,;:()—–](?=\s|\Z)|\b(?:and|but|or|so)\b", re.IGNORECASE)
_STOP = re.compile(r"[,;:()—–]")
_JOINTS = frozenset(("and", "but", "or", "so"))
_WORD = re.compile(r"[^\W\d][\w'’-]*")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# What is said after these is the case that something else depends on.
_CASES = _words("if when whenever while where unless until given case")
# What is said with these holds in some case alone, or is a part of a sum.
_CONDITIONS = _CASES | _words(
    "for per each every during with without except after before"
    " otherwise else only first from plus minus times example instance on"
)
_AT_MOST = _words("most maximum max within under below less fewer limited restricted up")
_AT_LEAST = _words("least minimum min more longer greater over above exceed exceeds")
_NOT = _words("no not never cannot")
_PRONOUNS = _words("it its they their them this that these those he his she her there which who whose")
_FILLERS = _words(
    "a an the our your is are be been was were has have had having must shall should may can could will would do does"
    " to of in by as at than what contain contains hold holds allow allowed exactly always about take takes"
)
_EMPTY = _AT_MOST | _AT_LEAST | _NOT | _PRONOUNS | _FILLERS | _JOINTS
# Words that stand for something said before; with nothing else beside them nobody knows what has the number.
_POINTERS = _words("answer result value output number one total rest sum amount")
_NO_UNIT = _words("and but or so is are be to of in on at as if for from with when then than gives give by was")
_UNITS: dict[str, tuple[str, Decimal]] = {
    **dict.fromkeys(("ms", "millisecond", "msec"), ("s", Decimal("0.001"))),
    **dict.fromkeys(("s", "sec", "second"), ("s", Decimal(1))),
    **dict.fromkeys(("min", "minute"), ("s", Decimal(60))),
    **dict.fromkeys(("h", "hr", "hour"), ("s", Decimal(3600))),
    "day": ("s", Decimal(86_400)),
    "week": ("s", Decimal(604_800)),
    "kb": ("byte", Decimal(1000)),
    "mb": ("byte", Decimal(1000**2)),
    "gb": ("byte", Decimal(1000**3)),
    "percent": ("%", Decimal(1)),
    "char": ("character", Decimal(1)),
}


class _Number(NamedTuple):
    """What a sentence says: whose number (with its kind of bound and its unit), which, and where in the text."""

    about: tuple[object, ...]
    value: Decimal
    words: frozenset[str]
    span: Span


class _Claim(NamedTuple):
    """The same of a requirement, and where in the document."""

    value: Decimal
    requirement: str
    span: Span


def number_conflicts(documents: Documents) -> Iterator[Diagnostic]:
    """Sentences that state another number than an earlier one for the same thing."""
    first: dict[tuple[object, ...], _Claim] = {}
    for one in documents.statements:
        # The numbers of a criterion are those of one case; another case has others.
        for number in () if one.is_criterion else _numbers(one.text):
            span = Span(one.start + number.span.start, one.start + number.span.end)
            claim = _Claim(number.value, one.requirement.id.name, span)
            earlier = first.setdefault((number.about, _scope(one, number.words)), claim)
            if earlier.value != claim.value:
                yield _conflict(documents.spec.text, earlier, claim)


def _conflict(text: str, earlier: _Claim, claim: _Claim) -> Diagnostic:
    said, before = text[slice(*claim.span)], text[slice(*earlier.span)]
    return Diagnostic(
        "number-conflict",
        claim.requirement,
        f"This says {said}, but {earlier.requirement} says {before} for the same; leave one of them",
        "spec",
        claim.span,
        (Related("spec", earlier.span, f"{earlier.requirement} says {before}"),),
    )


@lru_cache(maxsize=4096)  # while somebody types, most of the texts stay as they are
def _numbers(text: str) -> tuple[_Number, ...]:
    if not _NUMBER.search(text):
        return ()
    said = without_names(text)
    found: list[_Number] = []
    for sentence in sentences(said):
        numbers = list(_NUMBER.finditer(said, *sentence))
        # Without a unit only a name in backquotes says whose number it is.
        if any(_unit(one["unit"]) for one in numbers) or (numbers and _SYMBOL.search(text, *sentence)):
            found.extend(_in_sentence(text, said, sentence, numbers))
    return tuple(found)


def _in_sentence(text: str, said: str, sentence: Span, numbers: list[re.Match[str]]) -> Iterator[_Number]:
    words = _said(said, sentence)
    is_bound = not _CONDITIONS.isdisjoint(words)
    is_one = _JOINTS.isdisjoint(words) and not _STOP.search(said, *sentence)
    for clause in [sentence] if is_one else _clauses(said, sentence):
        inside = [found for found in numbers if clause.start <= found.start() < clause.end]
        if len(inside) != 1 or (is_bound and len(numbers) > 1) or _is_condition(said, clause, inside[0]):
            continue
        number = _number(text, said, sentence if is_bound else clause, inside[0])
        if number:
            yield number


def _said(said: str, part: Span) -> set[str]:
    return set(_WORD.findall(said[part.start : part.end].lower()))


def _clauses(said: str, sentence: Span) -> Iterator[Span]:
    start = sentence.start
    for found in _CLAUSE.finditer(said, *sentence):
        yield Span(start, found.start())
        start = found.end()
    yield Span(start, sentence.end)


def _is_condition(said: str, clause: Span, number: re.Match[str]) -> bool:
    """Whether the number is one that something depends on, as in "when a list has 3 entries"."""
    return not _CASES.isdisjoint(_said(said, Span(clause.start, number.start())))


def _number(text: str, said: str, part: Span, number: re.Match[str]) -> _Number | None:
    unit = _unit(number["unit"])
    end = number.end() if unit else number.end("number")
    around = f"{said[part.start : number.start()]} {said[end : part.end]}"
    words = _said(around, Span(0, len(around)))
    names = frozenset(NAMED.findall(text, *part)) if "\0" in around else frozenset[str]()
    about = frozenset([_single(word) for word in words - _EMPTY]) | names
    is_symbol = len(about) == 1 and any(_SYMBOL.fullmatch(name) for name in names)
    if about <= _POINTERS or not (unit or is_symbol):
        return None
    base, factor = _UNITS.get(unit, (unit, Decimal(1)))
    value = Decimal(number["number"].replace(",", "")) * factor
    named = words.union(name.strip("`") for name in names)
    return _Number((_bound(words), base, about), value, frozenset(named), Span(number.start(), end))


@lru_cache(maxsize=1024)
def _unit(word: str | None) -> str:
    """The unit in the singular; "" where the word behind the number is none."""
    single = _single((word or "").lower())
    return "" if single in _NO_UNIT else single


def _bound(words: set[str]) -> str:
    """The kind of bound: "not more than" and "up to" are one, "no less than" is the other."""
    is_most, is_least = not _AT_MOST.isdisjoint(words), not _AT_LEAST.isdisjoint(words)
    if is_most == is_least:
        return "both" if is_most else ""
    return "at most" if is_most == _NOT.isdisjoint(words) else "at least"


def _scope(one: Prose, words: frozenset[str]) -> str:
    """What is said of a parameter, or by a pronoun, means something else in each requirement: it counts there alone."""
    parameters = {name for symbol in one.requirement.symbols for name in _PARAMETER.findall(symbol.name)}
    return "" if parameters.isdisjoint(words) and _PRONOUNS.isdisjoint(words) else one.requirement.id.name


@lru_cache(maxsize=4096)
def _single(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    return word[:-1] if word.endswith("s") and len(word) > 3 and not word.endswith(("ss", "us", "is")) else word
