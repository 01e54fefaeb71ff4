"""Run a project's unittest tests in the sandbox, over a copy."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from agentinfra.core.interfaces import SandboxCommand, SandboxLimits
from agentinfra.proof.desk import Desk
from agentinfra.proof.pytest_runner import PYTHON_ENVIRONMENT, python_program
from agentinfra.proof.runner import DeskRunner


class UnittestRunner(DeskRunner):
    """Runs the files that ``python -m unittest discover`` would find, with the folder on the import path.

    Ids are those that pytest would give: ``tests/test_a.py::TestB::test_c``. Failing subtests count for their test. A
    single test is stopped after five seconds or a quarter of the wall limit.

    Args:
        sandbox: Where the copy is run; kept as an attribute.
        desks: Folder for the copies; by default the system's for temporary files.
    """

    name = "unittest"

    def _command(self, desk: Desk, root: Path, tests: Sequence[str], limits: SandboxLimits) -> SandboxCommand:
        del root
        desk.write_order(limits, tests=list(tests))
        return python_program("unittest_child.py", desk, limits, PYTHON_ENVIRONMENT)
