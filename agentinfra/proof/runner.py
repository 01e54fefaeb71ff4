"""What every test runner is: run the tests of a folder in the sandbox, over a copy, and say how each of them ended."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from copy import copy
from pathlib import Path
from typing import ClassVar, Protocol, Self

from agentinfra.core.errors import ProofError
from agentinfra.core.interfaces import Sandbox, SandboxCommand, SandboxLimits, SandboxResult
from agentinfra.proof.desk import NOTHING, Desk, open_desk, read_report, relative
from agentinfra.proof.report import TestOutcome, TestReport

CHILDREN = Path(__file__).with_name("children")
_TAIL = 4000
_NOT_RUN = SandboxResult(exit_code=2, stdout="", stderr="", seconds=0.0)


class TestRunner(Protocol):
    """Runs tests in a fresh copy of a folder, so that a run can change neither the folder nor its tests."""

    __test__ = False

    @property
    def name(self) -> str:
        """What people call it, such as "pytest"."""
        ...

    @property
    def sandbox(self) -> Sandbox:
        """Where the copy is run."""
        ...

    def moved(self, sandbox: Sandbox, desks: Path) -> TestRunner:
        """The same runner in another sandbox, with its copies in another folder."""
        ...

    async def run(
        self,
        root: Path,
        tests: Sequence[str] = (),
        *,
        expected: int | None = None,
        limits: SandboxLimits | None = None,
        overlay: Mapping[str, str] = NOTHING,
    ) -> TestReport:
        """Run tests and judge what the run left behind.

        Args:
            root: Folder of the project.
            tests: Test files, folders or ids, relative to root; all tests when empty.
            expected: How many tests must be reported; any other number makes the report unsound, unless the report
                names a file that could not be collected.
            limits: Bounds of the run; by default the runner's own.
            overlay: Texts of files, by path relative to root, that replace or join those of the folder for this run.

        Returns:
            The report; where the run proves nothing its ``reason`` says why.

        Raises:
            InputError: The folder cannot be copied, or the overlay leads out of it.
            SandboxError: The sandbox or the tool itself does not work here.
        """
        ...


class DeskRunner(ABC):
    """A :class:`TestRunner` whose runs differ in one command, and in how its report is read.

    Args:
        sandbox: Where the copy is run; kept as an attribute.
        desks: Folder in which the copies are made; None for the system's temporary folder.
    """

    name: str = ""
    limits: ClassVar[SandboxLimits] = SandboxLimits()

    def __init__(self, sandbox: Sandbox, desks: Path | None = None) -> None:
        self.sandbox = sandbox
        self._desks = desks

    def moved(self, sandbox: Sandbox, desks: Path) -> Self:
        """The same runner in another sandbox, with its copies in another folder."""
        twin = copy(self)
        twin.sandbox, twin._desks = sandbox, desks
        return twin

    async def run(
        self,
        root: Path,
        tests: Sequence[str] = (),
        *,
        expected: int | None = None,
        limits: SandboxLimits | None = None,
        overlay: Mapping[str, str] = NOTHING,
    ) -> TestReport:
        """Run tests and judge what the run left behind; see :meth:`TestRunner.run`."""
        bounds = limits or self.limits
        async with open_desk(root, overlay, self._desks) as desk:
            try:
                command = await asyncio.to_thread(self._command, desk, root, tests, bounds)
            except ProofError as error:
                return _report(desk, (), _NOT_RUN, f"{error.what}: {error.why}")
            furniture = await asyncio.to_thread(desk.names)
            result = await self.sandbox.run(command)
            return await asyncio.to_thread(self._judge, desk, furniture, result, expected, bounds)

    @abstractmethod
    def _command(self, desk: Desk, root: Path, tests: Sequence[str], limits: SandboxLimits) -> SandboxCommand:
        """Lay out on the desk what the run needs, and name the command that leaves the report.

        Raises:
            ProofError: No run over this project would prove anything.
        """

    def _read(self, desk: Desk, exit_code: int) -> tuple[TestOutcome, ...]:
        """Read the report that the command left.

        Raises:
            ProofError: It proves nothing: "corrupt report", "forged report", "stopped".
        """
        return read_report(desk, exit_code)

    def _judge(
        self, desk: Desk, furniture: frozenset[str], result: SandboxResult, expected: int | None, limits: SandboxLimits
    ) -> TestReport:
        try:
            if result.timed_out:
                raise ProofError("timeout", why=f"no result after {limits.wall_seconds:g} s")
            desk.require_report(furniture, result.exit_code)
            tests = self._read(desk, result.exit_code)
            if expected not in (None, len(tests)) and not _is_incomplete(tests):
                raise ProofError("forged report", why=f"{len(tests)} tests are reported, {expected} were expected")
            return _report(desk, tests, result, "")
        except ProofError as error:
            return _report(desk, (), result, f"{error.what}: {error.why}")


def _is_incomplete(tests: Sequence[TestOutcome]) -> bool:
    """Whether a file could not be collected: its tests are missing, and the report says so."""
    return any(test.outcome == "error" and "::" not in test.id for test in tests)


def _report(desk: Desk, tests: tuple[TestOutcome, ...], result: SandboxResult, reason: str) -> TestReport:
    stdout, stderr = (relative(text, desk.project)[-_TAIL:] for text in (result.stdout, result.stderr))
    return TestReport(tests, result.exit_code, result.seconds, stdout, stderr, reason)
