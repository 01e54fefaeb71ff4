"""Why a test failed, read from what a test tool writes about it: an assertion, a missing thing, or a broken test."""

from __future__ import annotations

import re
from typing import NamedTuple

from agentinfra.proof.report import FailureKind


class _Rule(NamedTuple):
    kind: FailureKind
    pattern: re.Pattern[str]


def _rule(kind: FailureKind, *patterns: str) -> _Rule:
    return _Rule(kind, re.compile("|".join(patterns), re.IGNORECASE))


# The first that fits the first line decides.
_RULES = (
    _rule(
        "assertion",
        r"^\w*Assertion(Failed)?Error\b",
        r"\bERR_ASSERTION\b",
        r"^(\w+: )?expect\(",
        r"^(\w+: )?expect\.\w+",
        r"^Failed: DID NOT RAISE",
        r"^assert\b",
    ),
    _rule(
        "missing",
        r"\bERR_MODULE_NOT_FOUND\b",
        r"\bMODULE_NOT_FOUND\b",
        r"\bCannot find (module|package)\b",
        r"\bFailed to (resolve import|load url)\b",
        r"\bdoes not provide an export named\b",
        r"\bnot implemented\b",
        r"^(ModuleNotFoundError|ImportError|NotImplementedError)\b",
        r"^AttributeError: (module|type object|'\w+' object) .*has no attribute",
        r"\bERR_CONNECTION_REFUSED\b",
        r"^TimeoutError: (locator|page|frame|elementHandle)\.",
    ),
)
# Missing only where the test asks for it (a value) or only where the code does (a name).
_ASKED = re.compile(
    r"is not a (function|constructor)|Cannot read propert(y|ies) of (undefined|null)"
    r"|(undefined|null|object) is not iterable|'NoneType' object",
    re.IGNORECASE,
)
_NAME = re.compile(r"^ReferenceError: .* is not defined|^NameError: name ")
_FRAME = re.compile(
    r"^\s+at (?:.*\()?(?:file://)?([^():\s]+):\d+:\d+\)?$|^\s*File \"([^\"]+)\", line \d+|^([^\s:]+\.py):\d+: ", re.M
)
_FOREIGN = ("node:", "node_modules/", "internal/", "<")


def failure_kind(text: str, test_file: str) -> FailureKind:
    """Say why a test failed.

    Args:
        text: What the tool says about the failure; its first line names the error, a stack may follow.
        test_file: The file that the test is in, relative to the project.

    Returns:
        "assertion" where the code gave a wrong result; "missing" where the thing under test, or a part of it, does not
        exist yet; "broken" for everything else.
    """
    first = text.partition("\n")[0]
    for rule in _RULES:
        if rule.pattern.search(first):
            return rule.kind
    in_test = _raised_in(text) in ("", test_file)
    if _ASKED.search(first):
        return "missing" if in_test else "broken"
    if _NAME.search(first):
        return "broken" if in_test else "missing"
    return "broken"


def _raised_in(text: str) -> str:
    """The project's file at the top of a JavaScript stack, "" where there is none."""
    for found in _FRAME.finditer(text):
        file = next(group for group in found.groups() if group)
        if not any(part in file for part in _FOREIGN):
            return file
    return ""
