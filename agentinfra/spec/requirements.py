"""What a specification says, as values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, get_args

Area = Literal["backend", "frontend"]
Status = Literal["draft", "approved", "building", "done"]
Expect = Literal["returns", "raises", "prints"]
AREAS: tuple[Area, ...] = get_args(Area)
STATUSES: tuple[Status, ...] = get_args(Status)


class Ground(StrEnum):
    """What an example rests on; everything but a guess is put into the tests as it stands."""

    STATED = "stated"
    COMPUTED = "computed"
    ANSWERED = "answered"
    GUESSED = "guessed"

    @property
    def is_firm(self) -> bool:
        """Whether the example may decide against code."""
        return self is not Ground.GUESSED


@dataclass(frozen=True, slots=True)
class Example:
    """One acceptance example.

    Attributes:
        call: A Python expression, or a command line where a program prints.
        expect: What the call does.
        value: A Python expression, the name of an exception, or the exact standard output.
        setup: Python statements that run before the call, in order.
        ground: What the example rests on.
    """

    call: str
    expect: Expect
    value: str
    setup: tuple[str, ...] = ()
    ground: Ground = Ground.GUESSED


@dataclass(frozen=True, slots=True)
class Criterion:
    """An acceptance criterion in words; ``given`` is "" where any state will do."""

    given: str
    when: str
    then: str


@dataclass(frozen=True, slots=True)
class Requirement:
    """One thing that the product must do.

    Attributes:
        id: ``FR-1`` or ``NFR-1``.
        title: One line.
        statement: What is required, in prose.
        file: The file it lives in, relative to the repository, forward slashes.
        symbols: Signatures, such as ``brew(kind, cups)``, ``class Kettle(litres)`` or
            ``Kettle.fill(cups=1)``.
        examples: How it is accepted.
        area: Which engineer it belongs to.
        criteria: How it is accepted, in words that people check; the engine's tests come from the examples.
    """

    id: str
    title: str
    statement: str
    file: str = ""
    symbols: tuple[str, ...] = ()
    examples: tuple[Example, ...] = ()
    area: Area = "backend"
    criteria: tuple[Criterion, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """A question to a person; ``answer`` is None until there is one, ``recommended`` is what ``--yes`` takes."""

    id: str
    text: str
    why: str = ""
    options: tuple[str, ...] = ()
    recommended: str = ""
    answer: str | None = None


@dataclass(frozen=True, slots=True)
class Spec:
    """What is to be built, as agreed between a person and the planner.

    Attributes:
        title: One line.
        idea: The request, verbatim.
        goal: What it is for, in prose.
        requirements: What it must do.
        questions: What a person was, or is to be, asked.
        out_of_scope: What it will not do, an item a line.
        status: How far it is, as the document says.
        id: The run it belongs to.
        stories: Who wants what, and why, an item a line.
        interface: Files, functions, commands and endpoints that others rely on, an item a line.
    """

    title: str
    idea: str
    goal: str
    requirements: tuple[Requirement, ...] = ()
    questions: tuple[Question, ...] = ()
    out_of_scope: tuple[str, ...] = ()
    status: Status = "draft"
    id: str = ""
    stories: tuple[str, ...] = ()
    interface: tuple[str, ...] = ()
