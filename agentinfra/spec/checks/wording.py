"""Words that everybody takes for something else, where no number says what is meant."""

from __future__ import annotations

import re
from collections.abc import Iterator

from agentinfra.spec.checks.finding import Diagnostic, Documents
from agentinfra.spec.checks.sentences import Prose, sentences, without_names
from agentinfra.spec.source import Span

# The part of each word that all its forms have; a text without any of these parts is not looked at word by word.
_FORMS = {
    "fast": "fast|faster",
    "quick": "quick|quickly|quicker",
    "rapid": "rapid|rapidly",
    "speedy": "speedy",
    "slow": "slow|slowly",
    "soon": "soon",
    "timely": "timely",
    "prompt": "promptly",
    "instantly": "instantly",
    "easy": "easy",
    "easi": "easily|easier",
    "effortless": "effortless|effortlessly",
    "friendly": "user[- ]friendly",
    "intuitive": "intuitive|intuitively",
    "convenient": "convenient|conveniently",
    "robust": "robust|robustly",
    "reliabl": "reliable|reliably",
    "resilient": "resilient",
    "scalable": "scalable",
    "performant": "performant",
    "efficient": "efficient|efficiently",
    "responsive": "responsive",
    "flexibl": "flexible|flexibly",
    "seamless": "seamless|seamlessly",
    "modern": "modern",
    "the art": "state of the art",
    "-art": "state-of-the-art",
    "appropriate": "appropriate|appropriately",
    "adequate": "adequate|adequately",
    "reasonabl": "reasonable|reasonably",
    "optimal": "optimal|optimally",
    "lightweight": "lightweight",
    "attractive": "attractive",
    "beautiful": "beautiful|beautifully",
    "elegant": "elegant|elegantly",
    "quality": "high[- ]quality",
    "as possible": "as (?:far|much|well) as possible",
    "where possible": "where possible",
}
_VAGUE = re.compile(rf"\b(?:{'|'.join(_FORMS.values())})\b(?!-)", re.IGNORECASE)
_NUMBER = re.compile(
    r"(?<![\w-])\d|\b(?:two|three|four|five|six|seven|eight|nine|ten|twelve|twenty|thirty|sixty|hundred|thousand|half)\b",
    re.IGNORECASE,
)
_ORDER = re.compile(r"\bas\s+$", re.IGNORECASE)
_AT_ALL = re.compile(r"\s+as\s+possible\b", re.IGNORECASE)


def vague_words(documents: Documents) -> Iterator[Diagnostic]:
    """Vague words in statements and criteria, unless their sentence holds a number."""
    whole = "\n".join(one.text for one in documents.statements).lower()
    parts = [part for part in _FORMS if part in whole]
    for one in documents.statements if parts else ():
        text = one.text.lower()
        if any(part in text for part in parts):
            yield from _findings(one)


def _findings(one: Prose) -> Iterator[Diagnostic]:
    said = without_names(one.text)
    for sentence in sentences(said):
        for found in _vague(said, sentence):
            message = f"“{said[slice(*found)]}” says nothing that can be tested; say how much, in numbers"
            span = Span(one.start + found.start, one.start + found.end)
            yield Diagnostic("vague-word", one.requirement.id.name, message, "spec", span)


def _vague(said: str, sentence: Span) -> Iterator[Span]:
    if _NUMBER.search(said, sentence.start, sentence.end):
        return
    for found in _VAGUE.finditer(said, sentence.start, sentence.end):
        # "As soon as the file is closed" is an order of events, "as soon as possible" is none.
        if not (_ORDER.search(said, sentence.start, found.start()) and not _AT_ALL.match(said, found.end())):
            yield Span(*found.span())
