"""What stands behind each requirement, and which requirement stands behind each line. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from agentinfra.core.errors import InputError

_REQUIREMENT = re.compile(r"N?FR-\d+")
_TASK = re.compile(r"T-\d+")
_COMMIT = re.compile(r"[0-9a-f]{7,64}")
_LINE = re.compile(r"(?P<path>.+):(?P<line>[1-9]\d*)")


@dataclass(frozen=True, slots=True)
class Place:
    """Lines of a file, from the first to the last, counted from 1."""

    path: str
    first: int
    last: int

    def __str__(self) -> str:
        return f"{self.path}:{self.first}" + (f"-{self.last}" if self.last > self.first else "")


@dataclass(frozen=True, slots=True)
class Link:
    """One task's part in one requirement.

    Attributes:
        requirement: ``FR-1``.
        title: The requirement's title; "" where the specification no longer has it.
        task: ``T-1``.
        run: The run that did it.
        commit: The commit that brought it.
        tests: Its tests that failed before it and pass with it, by the engine's record.
        proven: Whether that record bears the task out.
        places: The lines of it that still stand.
        why: Why it is not proven; "" where it is.
    """

    requirement: str
    title: str
    task: str = ""
    run: str = ""
    commit: str = ""
    tests: tuple[str, ...] = ()
    proven: bool = False
    places: tuple[Place, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True)
class Trace:
    """All links, in the order of the specification.

    Attributes:
        links: At least one for each requirement of the specification.
        blamed: The commit of each line, by file; what is not here was not looked at.
    """

    links: tuple[Link, ...]
    blamed: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])

    @property
    def coverage(self) -> tuple[int, int]:
        """How many requirements have a proven link, and how many there are; those that were dropped do not count."""
        asked = {link.requirement for link in self.links if link.title}
        proven = {link.requirement for link in self.links if link.proven}
        return len(asked & proven), len(asked)

    def of(self, name: str) -> tuple[Link, ...]:
        """The links that a name stands for.

        Args:
            name: A requirement, a task, a test, a commit (7 digits or more), ``file:line`` or a file.

        Raises:
            InputError: It is none of these, or there is nothing of that name.
        """
        found = tuple(link for link in self.links if self._is_meant(link, name))
        if not found:
            raise InputError(
                f"Nothing is traced to {name}",
                why=_why_not(name),
                next_step="`agentinfra spec trace` lists the requirements, tasks, tests, commits and lines there are",
            )
        return found

    def _is_meant(self, link: Link, name: str) -> bool:
        if _REQUIREMENT.fullmatch(name):
            return link.requirement == name
        if _TASK.fullmatch(name):
            return link.task == name
        if "::" in name:
            return any(test == name or test.startswith(f"{name}[") for test in link.tests)
        at = _LINE.fullmatch(name)
        if at is not None:
            return any(one.path == at["path"] and one.first <= int(at["line"]) <= one.last for one in link.places)
        if any(one.path == name for one in link.places):
            return True
        return bool(_COMMIT.fullmatch(name)) and link.commit.startswith(name)


def places(path: str, blamed: Sequence[str], commit: str) -> tuple[Place, ...]:
    """The lines of a file that a commit brought, neighbours joined.

    Args:
        path: The file.
        blamed: The commit of each of its lines.
        commit: The commit.
    """
    found: list[Place] = []
    for number, sha in enumerate(blamed, 1):
        if sha != commit:
            continue
        if found and found[-1].last == number - 1:
            found[-1] = Place(path, found[-1].first, number)
        else:
            found.append(Place(path, number, number))
    return tuple(found)


def kind_of(name: str) -> Literal["requirement", "task", "test", "line", "other"]:
    """What a name looks like."""
    if _REQUIREMENT.fullmatch(name):
        return "requirement"
    if _TASK.fullmatch(name):
        return "task"
    if "::" in name:
        return "test"
    return "line" if _LINE.fullmatch(name) else "other"


def _why_not(name: str) -> str:
    reasons = {
        "requirement": "Neither the specification nor a commit names it",
        "task": "No commit that is part of this history was made for it",
        "test": "No task's record has it among the tests that went from red to green",
        "line": "No run wrote that line, or it is not in that file",
        "other": "It is no file that a run wrote, and no commit of one",
    }
    return reasons[kind_of(name)]
