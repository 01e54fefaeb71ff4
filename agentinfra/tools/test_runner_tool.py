"""TestRunnerTool: runs a folder's tests in the sandbox and says how they ended."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agentinfra.core.interfaces import Sandbox
from agentinfra.proof.registry import runner_for
from agentinfra.proof.report import TestReport
from agentinfra.proof.runner import TestRunner
from agentinfra.security.clean import clean_text
from agentinfra.tools.base_tool import BaseTool

_MESSAGE_CHARS = 800
_PARAMETERS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "tests": {
            "type": "array",
            "items": {"type": "string"},
            "description": "Test files or ids, such as tests/test_a.py::test_b; all tests when left out",
        }
    },
}


class TestRunnerTool(BaseTool):
    """Runs tests over a copy of a folder; the folder itself is not changed.

    Args:
        root: The folder.
        sandbox: Where the tests run.
        runner: What runs them; by default what the folder's files speak for, looked at before every run.
    """

    __test__ = False

    def __init__(self, root: str | Path, sandbox: Sandbox, runner: TestRunner | None = None) -> None:
        super().__init__("run_tests", "Run the project's tests and report the failures.", _PARAMETERS)
        self.root = Path(root)
        self._sandbox = sandbox
        self._runner = runner

    async def arun(self, tests: Sequence[str] = ()) -> str:
        """Run the tests and describe the outcome: a line of counts, then each failure with its message.

        Raises:
            InputError: The project's test tool is not installed; nothing was run.
            SandboxError: The sandbox does not work; nothing was run.
        """
        root = self.root.resolve()
        runner = self._runner or await asyncio.to_thread(runner_for, root, self._sandbox)
        return _described(await runner.run(root, tests))


def _described(report: TestReport) -> str:
    if report.reason:
        return f"The run proves nothing: {report.reason}\n{clean_text(report.stdout_tail, _MESSAGE_CHARS)}"
    if not report.tests:
        return "No tests were found."
    counts = f"{report.passed} of {len(report.tests)} tests passed in {report.seconds:.1f} s."
    failures = [f"{test.id}: {test.outcome}\n{clean_text(test.message, _MESSAGE_CHARS)}" for test in report.failures]
    return "\n\n".join([counts, *failures])
