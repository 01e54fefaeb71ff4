"""How a requirement is accepted: concrete examples and Given/When/Then criteria, as items of a list."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agentinfra.spec.markdown import Token, code, item_tokens, one_line, render_item, words
from agentinfra.spec.requirements import Criterion, Example, Expect, Ground

_VERB = re.compile(r"\b(?P<verb>return|give|raise|print)s?\b|→|->|=>", re.IGNORECASE)
_GROUND = re.compile(r"(?:(?<![_*])[_*]++)?+\((?P<ground>stated|computed|answered|guessed)\)[_*]*", re.IGNORECASE)
_EXPECT: dict[str, Expect] = {"raise": "raises", "print": "prints"}
_STEP = re.compile(r"\s*[*_]*(?P<word>given|when|then|and|but)\b[*_:]*\s*(?P<text>.*)", re.IGNORECASE)
# Commas and bold marks may stand before the keywords of a criterion that is written on one line.
_GIVEN = re.compile(r"[*_]*given\b[*_:]*", re.IGNORECASE)
_WHEN = re.compile(r"(?:^|(?<![\s,;])[\s,;]++)[*_]*+when\b[*_:]*", re.IGNORECASE)
_THEN = re.compile(r"(?<![\s,;])[\s,;]++[*_]*+then\b[*_:]*", re.IGNORECASE)


def render_example(example: Example) -> str:
    """Write an example as a list item."""
    return render_item(_example_tokens(example))


def _example_tokens(example: Example) -> list[Token]:
    setup = [code(statement) for statement in example.setup]
    before = [words("after"), *setup, words("then")] if setup else []
    silent = example.expect == "prints" and not example.value
    value = words("nothing") if silent else code(example.value)
    return [*before, code(example.call), words(example.expect), value, words(f"_({example.ground})_")]


def render_criterion(criterion: Criterion) -> str:
    """Write a criterion as a list item, a step a line."""
    steps = [("Given", criterion.given), ("When", criterion.when), ("Then", criterion.then)]
    lines = [f"{word} {one_line(text)}".rstrip() for word, text in steps if text or word != "Given"]
    return "- " + "\n  ".join(lines)


def read_example(lines: Sequence[str]) -> Example | None:
    """Read an example; one without a ground mark was written by a person and counts as answered.

    Args:
        lines: The item without its bullet; lines after the first still carry their indentation.

    Returns:
        None where the item is no example.
    """
    if not any(map(_VERB.search, lines)):  # soon known, and there may be many
        return None
    before: list[str] = []
    after: list[str] = []
    said = ""
    verb: re.Match[str] | None = None
    for token in item_tokens(lines):
        if token.kind == "code":
            (after if verb else before).append(token.text)
        elif verb:
            said += token.text
        elif verb := _VERB.search(token.text):
            before += [] if before else [token.text[: verb.start()].strip()]
            said = token.text[verb.end() :]
    if verb is None or not any(before):
        return None
    mark = _GROUND.search(said)
    return Example(
        call=before[-1],
        expect=_EXPECT.get((verb["verb"] or "").lower(), "returns"),
        value=after[0] if after else _plain_value(said),
        setup=tuple(before[:-1]),
        ground=Ground(mark["ground"].lower()) if mark else Ground.ANSWERED,
    )


def _plain_value(said: str) -> str:
    value = _GROUND.sub("", said).strip()
    return "" if value.lower() == "nothing" else value


def read_criterion(lines: Sequence[str]) -> Criterion | None:
    """Read a Given/When/Then criterion, written on one line or a step a line; "given" may be left out.

    Args:
        lines: The item without its bullet.

    Returns:
        None where the item is no criterion.
    """
    first = _STEP.fullmatch(lines[0])
    if first is None or first["word"].lower() not in ("given", "when"):
        return None
    steps: dict[str, list[str]] = {}
    current = ""
    for line in lines:
        found = _STEP.fullmatch(line)
        word = found["word"].lower() if found else ""
        current = word if word in ("given", "when", "then") and word not in steps else current
        steps.setdefault(current, []).append(found["text"] if found and word == current else line)
    said = {word: one_line(" ".join(parts)) for word, parts in steps.items()}
    if {"when", "then"} <= said.keys():
        return Criterion(said.get("given", ""), said["when"], said["then"])
    return _sentence(one_line(" ".join(lines)))


def _sentence(text: str) -> Criterion | None:
    given = _GIVEN.match(text)
    when = _WHEN.search(text, given.end()) if given else _WHEN.match(text)
    then = _THEN.search(text, when.end()) if when else None
    if when is None or then is None:
        return None
    before = text[given.end() : when.start()].strip() if given else ""
    return Criterion(before, text[when.end() : then.start()].lstrip(), text[then.end() :].lstrip())
