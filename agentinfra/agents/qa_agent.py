"""QAAgent: looks at the merged tree as a whole, after everything that could be built is built."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from agentinfra.agents.base_agent import BaseAgent
from agentinfra.agents.conventions import is_test_file
from agentinfra.agents.project import AgentPath, Project
from agentinfra.agents.static_review import Finding, Severity, review
from agentinfra.core.interfaces import ChatModel
from agentinfra.proof.report import TestOutcome, TestReport
from agentinfra.proof.triage import WHOLE_RUN, Cause

_SINCE: Mapping[str, str] = {"pre-existing": ", as it did before the run", "flaky": ", but not every time"}


@dataclass(frozen=True, slots=True)
class MergedTree:
    """What the QA agent looks at.

    Attributes:
        files: The sources by path.
        report: What the whole test suite said about them.
        triage: Of tests that did not pass, whether that is "new"; otherwise they are not the run's fault.
    """

    files: Mapping[str, str]
    report: TestReport
    triage: Mapping[str, Cause] = field(default_factory=dict[str, Cause])


class QAAgent(BaseAgent):
    """Reviews the merged tree: the whole suite's result, and a static review of the sources."""

    def __init__(
        self,
        name: str = "QA",
        model: ChatModel | None = None,
        tools: Sequence[Any] | None = None,
        **seats: Any,
    ) -> None:
        super().__init__(name, model, tools, **seats)

    @property
    def path(self) -> AgentPath:
        """Where the agent stands in the hierarchy, for events."""
        return ("planner", self.name)

    async def adecide(self) -> list[Finding]:
        """Find what a person should look at in the tree that was perceived."""
        tree: MergedTree = self.perceived
        reviewed = await asyncio.to_thread(review, _sources(tree.files))
        return [*_test_findings(tree), *reviewed]

    async def aact(self) -> list[Finding]:
        """Put the findings on the run's record."""
        project: Project | None = self.environment
        for number, finding in enumerate(self.decision, start=1):
            if project is not None:
                await project.emit("qa_finding", {"id": f"QA-{number}", **asdict(finding)}, self.path)
        return self.decision


def _test_findings(tree: MergedTree) -> list[Finding]:
    report, triage = tree.report, tree.triage
    findings = [
        Finding(
            "test-failure" if test in report.failures else "test-skipped",
            *_place(test),
            _severity(test, triage.get(test.id, "new")),
            f"{test.id} {test.outcome}{_SINCE.get(triage.get(test.id, 'new'), '')}: {test.message[:200]}",
        )
        for test in report.tests
        if test.outcome != "passed"
    ]
    # Where nothing could be built there are no tests either, and the tasks say why.
    if report.reason or (not report.tests and any(is_test_file(path) for path in tree.files)):
        severity: Severity = "error" if triage.get(WHOLE_RUN, "new") == "new" else "warning"
        told = f"The suite did not pass: {report.reason or 'no tests ran'}"
        findings.append(Finding("test-run", "", 0, severity, told))
    return findings


def _place(test: TestOutcome) -> tuple[str, int]:
    """The test's file, and its line where the runner told it."""
    path, _, line = test.location.rpartition(":")
    return (path, int(line)) if path and line.isdecimal() else (test.id.partition("::")[0], 0)


def _severity(test: TestOutcome, cause: Cause) -> Severity:
    if test.outcome not in ("failed", "error"):
        return "info"
    return "error" if cause == "new" else "warning"


def _sources(files: Mapping[str, str]) -> dict[str, str]:
    return {path: text for path, text in files.items() if not is_test_file(path)}
