"""What is to be remembered, before it has a place and a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

MemoryKind = Literal["fact", "decision", "convention", "lesson", "rule"]
"""A rule is an instruction, written by a person or the planner; all others are data, whatever they say."""

PERSON, PLANNER, ENGINE = "person", "planner", "engine"
"""Authors that mean something: who may write rules, and the engine, which writes down what it has seen."""


@dataclass(frozen=True, slots=True)
class Statement:
    """Something to be remembered.

    Attributes:
        kind: What it is.
        text: What is said, in a sentence or two.
        subject: What it is about; of two statements on one subject the newer one counts. "" stands beside all others.
        why: Why it is so: the cause of a failure and what mended it, the reason of a decision.
        source: Where it is from, such as ``run 261122-101500-ab12`` or ``src/app.py:12``.
        author: "person", "planner", "engine", or an agent's name.
        confidence: How sure its author is, from 0 to 1.
        tainted: Whether text of strangers (a web page, another repository, a tool's answer) went into it.
        data: What was stored, where it was more than a text; JSON.
    """

    kind: MemoryKind
    text: str
    subject: str = ""
    why: str = ""
    source: str = ""
    author: str = PERSON
    confidence: float = 1.0
    tainted: bool = False
    data: Any = None
