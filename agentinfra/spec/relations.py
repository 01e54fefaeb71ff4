"""Whether a clause joins the values of a call to one result: "1 and 2 give 3", "0 when empty"."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from agentinfra.spec.prose import Block, Clause, Mention, Value

_RELATION = re.compile(
    r"→|->|=>|⇒|=|\b(?:is|are|gives?|becomes?|returns?|yields?|makes?|means?|produces?|results?|turns?|comes?|stays?"
    r"|remains?|equals?|costs?|has|answers?|shows?|prints?|evaluates?|maps?|goes|written|formatted|rendered|shown"
    r"|ergibt|wird|ist|liefert|donne|devient|est|renvoie|da|es|devuelve|diventa)\b",
    re.IGNORECASE,
)
_CONDITION = re.compile(r"\b(?:for|from|when|if|on|of|given|after|with)\b|←", re.IGNORECASE)
_NO_RELATION = re.compile(
    r"n't\b|\b(?:not|never|no|unlike|than|least|most|until|between|over|under|above|below|to|but|except|other|otherwise"
    r"|else|more|less|fewer)\b",
    re.IGNORECASE,
)
# Words that make of the value behind them a bound, a part or a kind of values.
_BOUNDED = re.compile(
    r"\b(?:below|above|under|over|least|most|than|up to|leading|trailing|first|last|every|each|only|contains?|without"
    r"|between|from|through|beyond|until|any|not|no)\s*[(\"'“‘`]?\s*$",
    re.IGNORECASE,
)
_SEPARATORS = re.compile(r"(?:[\s,/()\[\]\"'“”`]|\band\b|\bor\b)*", re.IGNORECASE)
_NEAR = 80


def mentions_of(value: Value, clause: Clause, block: Block) -> list[Mention]:
    """Where a clause mentions a value itself, not a bound; texts of three characters or more may lack quotes."""
    found = [mention for mention in clause.mentions if value.is_in(mention)]
    text = str(value.value)
    if value.kind == "text" and len(text) >= 3:
        pattern = re.compile(rf"(?<![\w.\"'“-]){re.escape(text)}(?![\w\"'”-])")
        bare = pattern.finditer(block.text, clause.start, clause.end)
        found += [Mention("text", text, match.start(), match.end()) for match in bare]
    return [hit for hit in found if not _BOUNDED.search(block.text, max(clause.start, hit.start - 20), hit.start)]


def is_said_to_be(call: ast.Call, values: Sequence[Value], result: Value, clause: Clause, block: Block) -> bool:
    """Whether the clause says that the call with these values gives the result."""
    written = [mention for mention in clause.mentions if mention[:2] == ("call", ast.dump(call))]
    arguments = [written] if written else [mentions_of(value, clause, block) for value in values]
    return all(arguments) and any(
        _is_joined(side, hit, clause, block)
        for hit in mentions_of(result, clause, block)
        for side in (_nearest(arguments, hit, before=True), _nearest(arguments, hit, before=False))
        if side
    )


def _nearest(arguments: Sequence[Sequence[Mention]], hit: Mention, *, before: bool) -> list[Mention]:
    """For each argument its mention nearest to the result on one side; empty where one has none there."""
    chosen: list[Mention] = []
    for mentions in arguments:
        side = [m for m in mentions if (m.end <= hit.start if before else m.start >= hit.end)]
        if not side:
            return []
        chosen.append(side[-1] if before else side[0])
    return chosen


def _is_joined(chosen: Sequence[Mention], hit: Mention, clause: Clause, block: Block) -> bool:
    start, end = min(m.start for m in chosen), max(m.end for m in chosen)
    before = end <= hit.start
    window = (start, hit.start) if before else (hit.end, end)
    between = [m for m in clause.mentions if window[0] <= m.start and m.end <= window[1]]
    listed = _listed_with(chosen, between, block.text)
    if listed is None:
        return False
    gap = block.text[max(listed, end) : hit.start] if before else block.text[hit.end : start]
    relation = _RELATION if before else _CONDITION
    if len(gap) > _NEAR or _NO_RELATION.search(gap) or not relation.search(gap):
        return False
    return is_stated_alone(hit, clause, block)


def _listed_with(chosen: Sequence[Mention], others: Sequence[Mention], text: str) -> int | None:
    """Where the list of alternatives around the chosen mentions ends; None where a value of another kind intervenes."""
    end = min(m.end for m in chosen)
    for mention in sorted({*chosen, *others}, key=lambda m: m.start):
        if mention.start >= end and mention not in chosen and not _SEPARATORS.fullmatch(text, end, mention.start):
            return None
        end = max(end, mention.end)
    return end


def is_stated_alone(hit: Mention, clause: Clause, block: Block) -> bool:
    """Whether a result is not listed with others ("x" or "y"), where the text would not say which one is meant."""
    listed = hit
    for mention in clause.mentions:
        if mention.start >= listed.end and _SEPARATORS.fullmatch(block.text, listed.end, mention.start):
            listed = mention
    if listed is hit:
        return True
    # In "1 gives 2, 3 gives 4" what follows the result begins the next pair.
    follows = any(mention.start >= listed.end for mention in clause.mentions)
    return follows and _RELATION.search(block.text, listed.end, min(clause.end, listed.end + _NEAR)) is not None
