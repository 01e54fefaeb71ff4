"""The tamper guard's view of a change: what it writes, where, and with which means code gets at its own tests.

What a run can see for itself is not looked for here: skipped tests, an early exit, a missing or forged report. Here
stand the means that have no place in code under test: reaching into the runner, the caller's frames, other modules.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from agentinfra.patching.names import parse_python
from agentinfra.proof.locks import is_guarded, is_test_file
from agentinfra.proof.tamper_rules import Suspicion, suspicions

# Modules that the runner loads after the project is on the import path.
_RUNNERS_OWN = frozenset({"pytest", "_pytest", "pluggy", "iniconfig", "packaging", "pygments", "child_record"})


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that speaks against a change.

    Attributes:
        rule: Short stable name, such as "frames" or "answers".
        path: The file, relative to the project.
        line: Line from 1; 0 for the whole file.
        message: What it does, as a clause after the place.
    """

    rule: str
    path: str
    line: int
    message: str

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}" if self.line else self.path
        return f"{place} {self.message}"


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be judged.

    Attributes:
        files: Texts that the change writes, by path relative to the project.
        test_path: The locked test file.
        test_source: Its text.
        before: Texts of the same files before the change; what stood there already is held against nobody.
        claimed: Paths that the task may write.
        stated: What the requirement says in prose. It may ask for what otherwise has no place in code.
    """

    files: Mapping[str, str]
    test_path: str
    test_source: str
    before: Mapping[str, str] = field(default_factory=dict[str, str])
    claimed: Sequence[str] = ()
    stated: str = ""


def find_tampering(change: Change) -> list[Finding]:
    """Find what no honest implementation does: files where they do not belong, and code that reaches for its tests.

    Args:
        change: The change; nothing of it is run.

    Returns:
        The findings, each once, in order of path and line.
    """
    found: list[Finding] = []
    for path, text in sorted(change.files.items()):
        found += _of_path(change, path)
        if path.endswith(".py"):
            found += sorted(set(_of_code(change, path, text)), key=lambda finding: (finding.line, finding.message))
    return found


def _of_path(change: Change, path: str) -> Iterator[Finding]:
    if change.files[path] == (change.test_source if path == change.test_path else change.before.get(path)):
        return
    place = PurePosixPath(path)
    if is_guarded(place):
        yield Finding("configuration", path, 0, "bends the test runner; it is not part of the task")
    elif path in change.claimed and path != change.test_path:
        return
    elif is_test_file(place):
        yield Finding("locked", path, 0, "is written among the tests; they are locked")
    elif place.suffix == ".py" and len([part for part in place.parts if part != "src"]) == 1 and _shadows(place.stem):
        yield Finding("shadowing", path, 0, f"stands in the way of Python's own {place.stem}")


def _shadows(name: str) -> bool:
    return name in sys.stdlib_module_names or name in _RUNNERS_OWN


def _of_code(change: Change, path: str, text: str) -> Iterator[Finding]:
    test_module = PurePosixPath(change.test_path).stem
    earlier = {one.message for one in _suspicions(change.before.get(path, ""), test_module)}
    for one in _suspicions(text, test_module):
        if one.message not in earlier and not _is_stated(one, change.stated):
            yield Finding(one.rule, path, one.line, one.message)


def _suspicions(text: str, test_module: str) -> list[Suspicion]:
    tree = parse_python(text)
    return list(suspicions(tree, test_module)) if tree is not None else []


def _is_stated(one: Suspicion, stated: str) -> bool:
    return bool(one.waived_by) and re.search(rf"\b(?:{one.waived_by})", stated, re.IGNORECASE) is not None
