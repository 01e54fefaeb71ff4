"""The cases of the idea benchmark: folders ``NN-slug/`` with a request and the tests that judge the result."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from agentinfra.core.errors import InputError
from agentinfra.spec.front_matter import read_front_matter, split

IDEA, TEST = "idea.md", "acceptance_test.py"


@dataclass(frozen=True, slots=True)
class Case:
    """One idea.

    Attributes:
        name: Name of its folder, such as ``01-shift-hours``.
        step: Its difficulty, from 1.
        idea: The request as a user types it.
        test: File of the acceptance tests, which no side ever sees.
        digest: Tells this wording and these tests from others.
    """

    name: str
    step: int
    idea: str
    test: Path
    digest: str


def load_cases(folder: Path, only: Sequence[str] = ()) -> list[Case]:
    """Read the cases of a folder, in order of their names.

    Args:
        folder: Where the folders of the cases lie.
        only: Beginnings of names, such as ``01``; all cases without any.

    Raises:
        InputError: There is none, one of ``only`` is not among them, or a file of one cannot be used.
    """
    found = sorted(file.parent for file in folder.glob(f"*/{IDEA}"))
    unknown = [start for start in only if not any(case.name.startswith(start) for case in found)]
    if unknown or not found:
        raise InputError(
            f"{folder} has no case {', '.join(unknown)}".rstrip(),
            why=f"A case is a folder with {IDEA} and {TEST}; there are {len(found)}",
            next_step="Correct --ideas or --only",
        )
    return [read_case(case) for case in found if not only or case.name.startswith(tuple(only))]


def read_case(folder: Path) -> Case:
    """Read one case.

    Raises:
        InputError: A file is missing, or the request does not say its step.
    """
    try:
        text, tests = (folder / IDEA).read_text("utf-8"), (folder / TEST).read_bytes()
        step = int(read_front_matter(text)["step"])
    except (OSError, ValueError, KeyError) as error:
        raise InputError(
            f"{folder} is no case",
            why=f"{type(error).__name__}: {error}",
            next_step=f"It needs {TEST}, and {IDEA} with `step: N` in its front matter",
        ) from error
    idea = split(text).body.strip()
    digest = hashlib.sha256(idea.encode() + b"\0" + tests).hexdigest()[:12]
    return Case(folder.name, step, idea + "\n", folder / TEST, digest)
