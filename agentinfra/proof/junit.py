"""Read JUnit XML that untrusted code may have written: bounded in size and depth, without entities of its own."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from agentinfra.core.errors import ProofError
from agentinfra.proof.failures import failure_kind
from agentinfra.proof.report import FailureKind, Outcome, TestOutcome

MAX_DEPTH = 64
_MESSAGE_LIMIT = 4000
_CHUNK = 1 << 16
_OUTCOMES: dict[str, Outcome] = {"failure": "failed", "error": "error", "skipped": "skipped"}


def read_junit(path: Path) -> tuple[TestOutcome, ...]:
    """Read every test case of a report.

    The id is made of the case's file, class and name, as far as they are given. A failure is an assertion, as the
    format has it, unless it names another error.

    Raises:
        ProofError: "corrupt report": it is no XML, is cut, brings entities, or is nested too deeply.
    """
    reader = _Reader()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                reader.parser.Parse(chunk, False)
        reader.parser.Parse(b"", True)
    except (expat.ExpatError, LookupError, ValueError) as error:  # the last two for encodings
        raise ProofError("corrupt report", why=f"it is not whole XML: {error}") from error
    if not reader.is_junit:
        raise ProofError("corrupt report", why="it is XML, but has no test suites")
    return tuple(case.outcome() for case in reader.cases)


@dataclass(slots=True)
class _Case:
    """One test case while it is read."""

    attributes: dict[str, str]
    file: str
    how: str = ""
    summary: str = ""
    text: list[str] = field(default_factory=list[str])
    size: int = 0

    def add(self, text: str) -> None:
        """Take text of the failure, as far as it will be shown."""
        if self.size < _MESSAGE_LIMIT:
            self.text.append(text[: _MESSAGE_LIMIT - self.size])
            self.size += len(text)

    def outcome(self) -> TestOutcome:
        """The case as an outcome."""
        names = (self.file, self.attributes.get("classname", ""), self.attributes.get("name", ""))
        message = f"{self.summary}\n{''.join(self.text)}".strip()[:_MESSAGE_LIMIT]
        line = self.attributes.get("line", "")
        return TestOutcome(
            "::".join(filter(None, names)),
            _OUTCOMES.get(self.how, "passed"),
            message,
            _seconds(self.attributes.get("time", "0")),
            self._kind(message),
            f"{self.file}:{line}" if self.file and line else self.file,
        )

    def _kind(self, message: str) -> FailureKind:
        if self.how not in ("failure", "error"):
            return ""
        kind = failure_kind(message, self.file)
        if self.how == "failure":
            named = message.partition(":")[0].endswith(("Error", "Exception"))
            return "assertion" if kind == "broken" and not named else kind
        lines = (line.removeprefix("E").strip() for line in message.splitlines())
        return "missing" if any(failure_kind(line, self.file) == "missing" for line in lines) else kind


class _Reader:
    """Takes the test cases out of a stream of elements; nothing of the rest is kept."""

    def __init__(self) -> None:
        self.cases: list[_Case] = []
        self.is_junit = False
        self._depth = 0
        self._suites: list[str] = []
        self._case: _Case | None = None
        self._telling = False
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text

    def _refuse(self, *_: object) -> None:
        raise ProofError("corrupt report", why="it declares a document type, which could bring entities of its own")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ProofError("corrupt report", why=f"it is nested more than {MAX_DEPTH} deep")
        if name in ("testsuites", "testsuite"):
            self.is_junit = True
            self._suites.append(attributes.get("file", ""))
        elif name == "testcase" and self.is_junit:
            file = attributes.get("file") or next(filter(None, reversed(self._suites)), "")
            self._case = _Case(attributes, file)
            self.cases.append(self._case)
        elif self._case is not None and name in _OUTCOMES:
            self._tell(self._case, name, attributes)

    def _tell(self, case: _Case, name: str, attributes: dict[str, str]) -> None:
        # The worst that is said of a case counts.
        if list(_OUTCOMES).index(name) <= list(_OUTCOMES).index(case.how or "skipped"):
            case.how, case.summary, self._telling = name, _summary(attributes), True

    def _end(self, name: str) -> None:
        self._depth -= 1
        if name in ("testsuites", "testsuite"):
            self._suites.pop()
        elif name == "testcase":
            self._case = None
        elif name in _OUTCOMES:
            self._telling = False

    def _text(self, text: str) -> None:
        if self._case is not None and self._telling:
            self._case.add(text)


def _summary(attributes: dict[str, str]) -> str:
    kind = attributes.get("type", "").rpartition(".")[2]
    message = attributes.get("message", "")
    named = kind.endswith(("Error", "Exception")) and not message.startswith(kind)
    return f"{kind}: {message}" if named else message


def _seconds(text: str) -> float:
    try:
        seconds = float(text.replace(",", ""))
    except ValueError:
        return 0.0
    return seconds if math.isfinite(seconds) else 0.0
