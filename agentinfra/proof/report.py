"""The result of one test run, the same for every runner, and plain JSON for the engine's records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from agentinfra.core.errors import ProofError

Outcome = Literal["passed", "failed", "error", "skipped", "xfailed"]
FailureKind = Literal["", "assertion", "missing", "broken"]
_OUTCOMES: tuple[str, ...] = get_args(Outcome)
_KINDS: tuple[str, ...] = get_args(FailureKind)


@dataclass(frozen=True, slots=True)
class TestOutcome:
    """How one test ended.

    Attributes:
        id: ``tests/test_a.py::TestB::test_c[1]``; the path alone where the file could not be collected.
        outcome: "failed" in the test itself, "error" around it (collection, fixtures).
        message: The failure for people and models, short traceback included; "" when passed.
        seconds: Duration.
        kind: Why it failed: "assertion" is what a test is for, "missing" means that the thing under test (or a part
            of it) does not exist yet, "broken" is everything else: a test that cannot judge.
        location: Where the test stands, ``tests/test_a.py:12``, relative to the project; "" when it is not known.
    """

    __test__ = False

    id: str
    outcome: Outcome
    message: str = ""
    seconds: float = 0.0
    kind: FailureKind = ""
    location: str = ""


@dataclass(frozen=True, slots=True)
class TestReport:
    """A whole test run.

    Attributes:
        tests: Every test that was collected, in order of running, and every file that could not be.
        exit_code: Of the runner's process; 128 + n for signal n.
        seconds: Duration of the run.
        stdout_tail: End of what it printed.
        stderr_tail: End of what it complained.
        reason: Why the run proves nothing ("timeout: …", "no report: …", "forged report: …"); "" when it does.
    """

    __test__ = False

    tests: tuple[TestOutcome, ...]
    exit_code: int
    seconds: float
    stdout_tail: str = ""
    stderr_tail: str = ""
    reason: str = ""

    def count(self, outcome: Outcome) -> int:
        """Number of tests that ended so."""
        return sum(test.outcome == outcome for test in self.tests)

    @property
    def passed(self) -> int:
        """Number of tests that passed."""
        return self.count("passed")

    @property
    def failures(self) -> tuple[TestOutcome, ...]:
        """The tests that failed, errors included."""
        return tuple(test for test in self.tests if test.outcome in ("failed", "error"))

    @property
    def all_passed(self) -> bool:
        """Whether the run is sound, ran something, and every test passed; skipped ones did not."""
        return not self.reason and self.exit_code == 0 and 0 < len(self.tests) == self.passed

    def to_json(self) -> dict[str, Any]:
        """The report as a JSON object."""
        return asdict(self) | {"tests": [asdict(test) for test in self.tests]}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> TestReport:
        """Read what :meth:`to_json` wrote.

        Raises:
            ProofError: It is something else.
        """
        fields: dict[str, Any] = {**data}
        try:
            return cls(read_outcomes(fields.pop("tests")), **fields)
        except (TypeError, KeyError) as error:
            raise ProofError("A stored test report cannot be read", why=str(error)) from error


def read_outcomes(items: Sequence[Mapping[str, Any]]) -> tuple[TestOutcome, ...]:
    """Read test outcomes from plain JSON.

    Raises:
        ProofError: One of them is not an outcome.
    """
    return tuple(_read_outcome(item) for item in items)


def _read_outcome(item: Mapping[str, Any]) -> TestOutcome:
    try:
        test = TestOutcome(**item)
        known = test.outcome in _OUTCOMES and test.kind in _KINDS
        texts = all(isinstance(text, str) for text in (test.id, test.message, test.location))  # pyright: ignore[reportUnnecessaryIsInstance] # read from a file
        typed = texts and isinstance(test.seconds, (int, float))  # pyright: ignore[reportUnnecessaryIsInstance] # as above
    except TypeError as error:
        raise ProofError("corrupt report", why=str(error)) from error
    if not (known and typed):
        raise ProofError("corrupt report", why=f"{item!r:.200} is not the outcome of a test")
    return test
