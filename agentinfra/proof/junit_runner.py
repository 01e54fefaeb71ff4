"""Run any command that writes JUnit XML, in the sandbox, over a copy of the project."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from agentinfra.core.errors import InputError, ProofError
from agentinfra.core.interfaces import Sandbox, SandboxCommand, SandboxLimits
from agentinfra.proof.desk import NOTHING, Desk
from agentinfra.proof.javascript_runners import LIMITS, told_apart
from agentinfra.proof.junit import read_junit
from agentinfra.proof.node_modules import find_modules, link_modules
from agentinfra.proof.pytest_runner import python_program
from agentinfra.proof.report import TestOutcome
from agentinfra.proof.runner import CHILDREN, DeskRunner

REPORT = "{report}"
TESTS = "{tests}"


class JUnitRunner(DeskRunner):
    """Runs a command in the project's folder and reads the JUnit XML that it writes.

    The command is told where to write, so that code which runs in the same process can find that place. What it
    writes there early is caught only if the exit code or the expected number of tests tells otherwise.

    Args:
        sandbox: Where the copy is run; kept as an attribute.
        argv: The command; ``{report}`` in a word becomes the report's path, and the word ``{tests}`` the tests to run.
            "python" as the first word is the sandbox's own Python with pytest.
        env: More environment for it.
        read_only: Host folders that it needs to see.
        desks: Folder for the copies; by default the system's for temporary files.

    Raises:
        InputError: No word of the command has a place for the report.
    """

    name = "junit"
    limits = LIMITS

    def __init__(
        self,
        sandbox: Sandbox,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] = NOTHING,
        read_only: Sequence[Path] = (),
        desks: Path | None = None,
    ) -> None:
        super().__init__(sandbox, desks=desks)
        if not any(REPORT in word for word in argv[1:]):
            raise InputError(
                "The test command does not say where its report goes", next_step=f"Put {REPORT} where the path belongs"
            )
        self._argv = tuple(argv)
        self._env = dict(env)
        self._read_only = tuple(read_only)

    def _command(self, desk: Desk, root: Path, tests: Sequence[str], limits: SandboxLimits) -> SandboxCommand:
        if tests and TESTS not in self._argv:
            raise InputError(
                "Single tests cannot be run by this command", next_step=f"Put the word {TESTS} where they belong"
            )
        modules = find_modules(root)
        if modules is not None:
            link_modules(desk, modules)
        desk.home.mkdir()
        desk.write_order(limits, argv=list(self._words(desk, tests)))
        shown = (CHILDREN, *([modules] if modules else []), *self._read_only)
        program = python_program("command_child.py", desk, limits, {"HOME": str(desk.home), "CI": "true", **self._env})
        return SandboxCommand(program.argv, desk.folder, program.env, shown, limits)

    def _words(self, desk: Desk, tests: Sequence[str]) -> Iterator[str]:
        for word in self._argv:
            if word == TESTS:
                yield from tests
            else:
                yield word.replace(REPORT, str(desk.report))

    def _read(self, desk: Desk, exit_code: int) -> tuple[TestOutcome, ...]:
        tests = tuple(told_apart(read_junit(desk.report)))
        if exit_code >= 128:
            raise ProofError("stopped", why=f"the command was killed (exit code {exit_code})")
        failed = any(test.outcome in ("failed", "error") for test in tests)
        if tests and failed != (exit_code != 0):
            raise ProofError("forged report", why=f"its outcomes do not fit the exit code {exit_code}")
        return tests
