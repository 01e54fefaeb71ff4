"""How much a memory counts, and what a new statement does to older ones on its subject. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from agentinfra.core.errors import InputError
from agentinfra.memory.records import MemoryRecord
from agentinfra.memory.statement import PERSON, PLANNER, MemoryKind, Statement

HALF_LIFE_DAYS: dict[MemoryKind, float] = {
    "lesson": 60.0,
    "fact": 120.0,
    "convention": 180.0,
    "decision": 365.0,
    "rule": math.inf,
}
CLOSE = 0.15  # confidences nearer than this are no reason to believe one of two
_DAY = 86_400.0
_RANKS = {PERSON: 2, PLANNER: 1}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a new record and of older ones on its subject.

    Attributes:
        records: All that have to be written: the new one, unless an old one says the same, and what changes for others.
        id: Id of the record that now holds what was said.
        disputed: Ids of records that contradict it and are believed nearly as much: a person should be asked.
    """

    records: tuple[MemoryRecord, ...]
    id: str
    disputed: tuple[str, ...] = ()


def check_author(statement: Statement) -> None:
    """Refuse rules by others than a person or the planner, and rules that strangers had a hand in.

    Raises:
        InputError: The author may not write it, or what is said cannot be kept.
    """
    if not statement.text.strip():
        raise InputError("There is nothing to remember", why="The text is empty")
    if not 0.0 <= statement.confidence <= 1.0:
        raise InputError(f"{statement.confidence} is no confidence", next_step="Give a number from 0 to 1")
    if statement.kind == "rule" and (statement.author not in _RANKS or statement.tainted):
        why = "text of strangers went into it" if statement.tainted else f"{statement.author} is neither"
        raise InputError(
            "Rules are written by a person or the planner alone",
            why=why,
            next_step="Remember it as a lesson or a fact, or have a person add the rule",
        )


def strength(record: MemoryRecord, now: float) -> float:
    """How much a record counts now, from 0 to 1: its confidence, halved whenever it was not of use for long.

    Every use begins its half-life anew and makes it longer. A clock that was set back makes nothing older.
    """
    half_life = HALF_LIFE_DAYS[record.kind] * (1.0 + math.log2(1.0 + record.uses))
    age = max(0.0, now - max(record.used, record.created)) / _DAY
    return record.confidence * 0.5 ** (age / half_life)


def judge(new: MemoryRecord, others: Sequence[MemoryRecord], now: float) -> Verdict:
    """Set a new record beside the ones that hold now.

    One that says the same is made surer. On the same subject the newer one counts, unless it comes from someone who is
    believed less, or is believed nearly as much: then both stay and are marked as disputed. What no longer holds stays
    on record.

    Args:
        new: What was said just now.
        others: All records; those of other scopes, kinds and subjects do not matter.
        now: Unix seconds.
    """
    related = [one for one in others if (one.kind, one.scope) == (new.kind, new.scope)]
    related = [one for one in related if _words(one.subject) == _words(new.subject)]
    equal = [one for one in related if _words(one.text) == _words(new.text)]
    told = next((one for one in equal if new.source and one.source == new.source), None)
    if told is not None:  # the same source says nothing new by saying it twice, not even what holds no more
        return Verdict((), told.id)
    same = next((one for one in equal if one.holds), None)
    if same is not None:
        return Verdict((_confirmed(same, new, now),), same.id, (same.disputed_by,) if same.disputed_by else ())
    return _contest(new, [one for one in related if new.subject and one.holds], now)


def nearest(records: Sequence[MemoryRecord], scopes: Sequence[str]) -> list[MemoryRecord]:
    """The records without those that a nearer scope repeats, or says otherwise and is believed as much.

    What a run found out counts more than what the project knew, and that more than what the user does everywhere. A
    person's word is not overruled by what agents say nearer by, nor any by what strangers had a hand in.

    Args:
        records: Those that hold, of all the scopes.
        scopes: Who sees what, nearest first.
    """
    places = {scope: place for place, scope in enumerate(scopes)}
    left: list[MemoryRecord] = []
    said: dict[tuple[str, str, str], list[MemoryRecord]] = {}
    for one in sorted(records, key=lambda record: places[record.scope]):
        keys = [(one.kind, name, _words(text)) for name, text in (("subject", one.subject), ("text", one.text)) if text]
        nearer = [near for key in keys for near in said.get(key, ()) if near.scope != one.scope]
        if not any(_rank(near) >= _rank(one) for near in nearer):
            left.append(one)
            for key in keys:
                said.setdefault(key, []).append(one)
    return left


def _contest(new: MemoryRecord, rivals: Sequence[MemoryRecord], now: float) -> Verdict:
    changed: list[MemoryRecord] = []
    disputed: list[str] = []
    for old in rivals:
        outcome = _compare(new, strength(old, now), old)
        if outcome == "newer":
            changed.append(replace(old, superseded_by=new.id, disputed_by=""))
        elif outcome == "older":
            new = replace(new, superseded_by=old.id)
        else:
            disputed.append(old.id)
            changed.append(replace(old, disputed_by=new.id))
    if disputed and not new.superseded_by:
        new = replace(new, disputed_by=disputed[-1])
    return Verdict((new, *changed), new.id, tuple(disputed))


def _compare(new: MemoryRecord, old_strength: float, old: MemoryRecord) -> str:
    """Which of two holds: "newer", "older", or "disputed"."""
    ranks = _rank(new), _rank(old)
    if ranks[0] != ranks[1]:
        return "newer" if ranks[0] > ranks[1] else "disputed"
    if new.author == PERSON or new.confidence - old_strength >= CLOSE:
        return "newer"
    return "older" if old_strength - new.confidence >= CLOSE else "disputed"


def _rank(record: MemoryRecord) -> int:
    """A person before the planner before all others; what strangers had a hand in comes last."""
    return -1 if record.tainted else _RANKS.get(record.author, 0)


def _confirmed(old: MemoryRecord, new: MemoryRecord, now: float) -> MemoryRecord:
    """The old one, said again: surer than each of the two; clean if one of the two is."""
    surer = 1.0 - (1.0 - old.confidence) * (1.0 - new.confidence)
    best = max(old, new, key=_rank)
    return replace(
        old,
        confidence=surer,
        used=max(now, old.used),
        uses=old.uses + 1,
        tainted=old.tainted and new.tainted,
        author=best.author,
        why=new.why or old.why,
    )


def _words(text: str) -> str:
    return " ".join(text.casefold().split()).rstrip(".!")
