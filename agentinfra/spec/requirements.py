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
    """

    id: str
    title: str
    statement: str
    file: str = ""
    symbols: tuple[str, ...] = ()
    examples: tuple[Example, ...] = ()
    area: Area = "backend"


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
    """What is to be built, as agreed between a person and the planner; ``idea`` is the request, verbatim."""

    title: str
    idea: str
    goal: str
    requirements: tuple[Requirement, ...] = ()
    questions: tuple[Question, ...] = ()
    out_of_scope: tuple[str, ...] = ()
    status: Status = "draft"
    id: str = ""
