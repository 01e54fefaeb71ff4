"""The records that make a task DONE, and the rules by which a test run earns them. Pure functions, no model asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from agentinfra.core.errors import ProofError
from agentinfra.proof.report import TestOutcome, TestReport


@dataclass(frozen=True, slots=True)
class RedRecord:
    """The new tests failed, each for the right reason, before the code existed.

    Attributes:
        required: Ids of the new tests.
        tests: Ids of all tests of that run.
        exit_code: Of the run.
        tests_sha: Hash of the locked test files.
        tree: Hash of the tree that was run.
    """

    required: tuple[str, ...]
    tests: tuple[str, ...]
    exit_code: int
    tests_sha: str = ""
    tree: str = ""

    def to_json(self) -> dict[str, Any]:
        """The record as a JSON object."""
        return asdict(self) | {"required": list(self.required), "tests": list(self.tests)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> RedRecord:
        """Read what :meth:`to_json` wrote.

        Raises:
            ProofError: It is something else.
        """
        try:
            return cls(**_with_tuples(data, "required", "tests"))
        except (KeyError, TypeError) as error:
            raise ProofError("A stored RED record cannot be read", why=str(error)) from error


@dataclass(frozen=True, slots=True)
class GreenRecord:
    """The same tests passed with the code; the attributes are those of :class:`RedRecord`."""

    tests: tuple[str, ...]
    passed: int
    exit_code: int
    tests_sha: str = ""
    tree: str = ""

    def to_json(self) -> dict[str, Any]:
        """The record as a JSON object."""
        return asdict(self) | {"tests": list(self.tests)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> GreenRecord:
        """Read what :meth:`to_json` wrote.

        Raises:
            ProofError: It is something else.
        """
        try:
            return cls(**_with_tuples(data, "tests"))
        except (KeyError, TypeError) as error:
            raise ProofError("A stored GREEN record cannot be read", why=str(error)) from error


def _with_tuples(data: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {**data, **{name: tuple(data[name]) for name in names}}


@dataclass(frozen=True, slots=True)
class RedVerdict:
    """The record, or None and the reasons why there is none."""

    record: RedRecord | None
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GreenVerdict:
    """The record, or None and the reasons why there is none."""

    record: GreenRecord | None
    reasons: tuple[str, ...] = ()


def judge_red(report: TestReport, required: Sequence[str], *, tests_sha: str = "", tree: str = "") -> RedVerdict:
    """Decide whether a run shows that the new tests fail because the code is missing.

    Args:
        report: The run without the code.
        required: Ids of the new tests; one also stands for its parameters (``a.py::test_b`` for ``a.py::test_b[1]``).
        tests_sha: Goes into the record.
        tree: Goes into the record.
    """
    reasons = tuple(_red_reasons(report, required))
    if not reasons and report.exit_code == 0:
        reasons = ("the test run ended with exit code 0",)
    if reasons:
        return RedVerdict(None, reasons)
    tests = tuple(test.id for test in report.tests)
    return RedVerdict(RedRecord(tuple(required), tests, report.exit_code, tests_sha, tree))


def _red_reasons(report: TestReport, required: Sequence[str]) -> Iterator[str]:
    if report.reason:
        yield report.reason
        return
    if not required:
        yield "no new test was named"
    for name in required:
        found = _results(name, report)
        if not found:
            yield f"{name} was not run"
        yield from (problem for test in found if (problem := _red_problem(test)))


def _red_problem(test: TestOutcome) -> str:
    if test.outcome == "passed":
        return f"{test.id} passes without the code"
    if test.outcome in ("skipped", "xfailed"):
        return f"{test.id} was {test.outcome}"
    if test.kind == "broken":
        return f"{test.id} is broken: {test.message.partition(chr(10))[0]}"
    return ""


def judge_green(
    red: RedRecord, report: TestReport, violations: Iterable[str] = (), *, tests_sha: str = "", tree: str = ""
) -> GreenVerdict:
    """Decide whether a run shows that the code makes the tests pass that were RED.

    Args:
        red: The record of the same tests.
        report: The run with the code.
        violations: What :func:`agentinfra.proof.locks.verify` found.
        tests_sha: Goes into the record; where both are known it must be the one of the RED record.
        tree: Goes into the record.
    """
    reasons = (*violations, *_green_reasons(red, report))
    if tests_sha and red.tests_sha and tests_sha != red.tests_sha:
        reasons = ("the tests are not those that were RED", *reasons)
    if reasons:
        return GreenVerdict(None, reasons)
    tests = tuple(test.id for test in report.tests)
    return GreenVerdict(GreenRecord(tests, report.passed, report.exit_code, tests_sha or red.tests_sha, tree))


def _green_reasons(red: RedRecord, report: TestReport) -> Iterator[str]:
    if report.reason:
        yield report.reason
        return
    for name in dict.fromkeys((*red.required, *red.tests)):
        if not _results(name, report):
            yield f"{name} was RED but was not run" if name in red.required else f"{name} is gone"
    for test in report.tests:
        if not _is_known(test.id, red):
            yield f"{test.id} was not among the tests that were RED"
        if test.outcome != "passed":
            yield f"{test.id} {test.outcome if test.outcome == 'failed' else f'was {test.outcome}'}"
    if report.exit_code != 0:
        yield f"the test run ended with exit code {report.exit_code}"


def _is_known(test_id: str, red: RedRecord) -> bool:
    """Whether a test was in the RED run: itself, the test whose parameters it is, or its file as a whole."""
    names = (*red.required, *red.tests)
    return any(test_id == name or test_id.startswith((f"{name}[", f"{name}::")) for name in names)


def _results(name: str, report: TestReport) -> list[TestOutcome]:
    """Outcomes of a test and its parameters, of a file's or class's tests, or of the file that was not collected."""
    parts = (name, f"{name}[", f"{name}::")
    found = [test for test in report.tests if test.id == name or test.id.startswith(parts[1:])]
    file = name.partition("::")[0]
    return found or [test for test in report.tests if test.id == file and test.outcome == "error"]
