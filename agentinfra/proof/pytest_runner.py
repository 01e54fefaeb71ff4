"""Run a project's pytest tests in the sandbox, over a copy, and believe only what cannot easily be forged."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from agentinfra.core.interfaces import SandboxCommand, SandboxLimits
from agentinfra.proof.desk import Desk
from agentinfra.proof.runner import CHILDREN, DeskRunner

PYTHON_ENVIRONMENT = {"PYTHONHASHSEED": "0", "PYTHONUNBUFFERED": "1"}
_OWN_INI = "[pytest]\naddopts =\n"
_ARGUMENTS = ("-p", "no:cacheprovider", "--continue-on-collection-errors", "--tb=short", "--color=no", "-v")
_ENVIRONMENT = {**PYTHON_ENVIRONMENT, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


class PytestRunner(DeskRunner):
    """Runs pytest with the folder (and its ``src``, if there is one) on the import path.

    The project's own pytest settings are not read, its conftest files are. A single test is stopped after five seconds
    or a quarter of the wall limit.

    Args:
        sandbox: Where the copy is run; kept as an attribute.
        desks: Folder for the copies; by default the system's for temporary files.
    """

    name = "pytest"

    def _command(self, desk: Desk, root: Path, tests: Sequence[str], limits: SandboxLimits) -> SandboxCommand:
        del root
        settings = desk.folder / "pytest.ini"
        settings.write_text(_OWN_INI, "utf-8")
        desk.write_order(limits, arguments=[*_ARGUMENTS, "-c", str(settings), f"--rootdir={desk.project}", *tests])
        return python_program("pytest_child.py", desk, limits, _ENVIRONMENT)


def python_program(child: str, desk: Desk, limits: SandboxLimits, env: dict[str, str]) -> SandboxCommand:
    """The command that runs one of our Python programs over a desk."""
    argv = ("python", "-P", str(CHILDREN / child), str(desk.order))
    return SandboxCommand(argv, desk.folder, env=env, read_only=(CHILDREN,), limits=limits)
