"""Run a project's pytest tests in the sandbox, over a copy, and believe only what cannot easily be forged."""

from __future__ import annotations

import asyncio
import json
import secrets
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agentinfra.core.errors import InputError, ProofError
from agentinfra.core.interfaces import Sandbox, SandboxCommand, SandboxLimits, SandboxResult
from agentinfra.proof.report import TestOutcome, TestReport, read_outcomes

TEST_SECONDS = 5.0
_CHILD = Path(__file__).with_name("pytest_child.py")
_LEFT_OUT = shutil.ignore_patterns(".git", "__pycache__", ".venv", "node_modules", ".pytest_cache")
_FURNITURE = {"project", "runner.py", "pytest.ini", "order.json"}
_REPORT_LIMIT = 16 << 20
_TAIL = 4000
_NOTHING: Mapping[str, str] = {}
_OWN_INI = "[pytest]\naddopts =\n"
_ARGUMENTS = ("-p", "no:cacheprovider", "--continue-on-collection-errors", "--tb=short", "--color=no", "-v")
_ENVIRONMENT = {"PYTHONHASHSEED": "0", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONUNBUFFERED": "1"}
# pytest: all passed, some failed, nothing collected. Every other code says that the run was ended from inside.
_SOUND_EXITS = (0, 1, 5)


@dataclass(frozen=True, slots=True)
class _Desk:
    """The temporary folder of one run: a copy of the project, the child program, its order and its report."""

    folder: Path
    report: Path

    @property
    def project(self) -> Path:
        return self.folder / "project"

    @property
    def order(self) -> Path:
        return self.folder / "order.json"


class PytestRunner:
    """Runs tests in a fresh copy of a folder, so that a run can change neither the folder nor its tests.

    Args:
        sandbox: Where the copy is run; kept as an attribute.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    async def run(
        self,
        root: Path,
        tests: Sequence[str] = (),
        *,
        expected: int | None = None,
        limits: SandboxLimits | None = None,
        overlay: Mapping[str, str] = _NOTHING,
    ) -> TestReport:
        """Run pytest with the folder (and its ``src``, if there is one) on the import path.

        Args:
            root: Folder of the project; its own pytest settings are not read, its conftest files are.
            tests: Test files or ids, relative to root; all tests when empty.
            expected: How many tests must be reported; any other number makes the report unsound, unless the report
                names a file that could not be collected.
            overlay: Texts of files, by path relative to root, that replace or join those of the folder for this run.
            limits: Bounds of the run; a single test is stopped after five seconds or a quarter of the wall limit.

        Returns:
            The report; where the run proves nothing its ``reason`` says why.

        Raises:
            InputError: The folder cannot be copied, or the overlay leads out of it.
            SandboxError: The sandbox itself does not work.
        """
        bounds = limits or SandboxLimits()
        folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="agentinfra-tests-"))
        desk = _Desk(folder, folder / f"{secrets.token_hex(16)}.json")
        try:
            await asyncio.to_thread(_prepare, desk, root, overlay)
            await asyncio.to_thread(_write_order, desk, tests, bounds)
            command = SandboxCommand(
                ("python", "-P", "runner.py", str(desk.order)), folder, env=_ENVIRONMENT, limits=bounds
            )
            result = await self.sandbox.run(command)
            return await asyncio.to_thread(_judge, desk, result, expected, bounds)
        finally:
            await asyncio.shield(_remove(folder))


async def _remove(folder: Path) -> None:
    # Not shutil.rmtree: code under test can nest folders deeper than Python can recurse.
    process = await asyncio.create_subprocess_exec("rm", "-rf", "--", str(folder), stderr=asyncio.subprocess.DEVNULL)
    await process.wait()


def _prepare(desk: _Desk, root: Path, overlay: Mapping[str, str]) -> None:
    try:
        shutil.copytree(root, desk.project, symlinks=True, ignore=_LEFT_OUT)
    except OSError as error:
        raise InputError(f"{root} cannot be copied for a test run", why=str(error)) from error
    shutil.copyfile(_CHILD, desk.folder / "runner.py")
    (desk.folder / "pytest.ini").write_text(_OWN_INI, "utf-8")
    for path, text in overlay.items():
        target = desk.project / path
        if not target.resolve().is_relative_to(desk.project.resolve()):
            raise InputError(f"{path} leads out of the project", next_step="Use paths relative to the project")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")


def _write_order(desk: _Desk, tests: Sequence[str], limits: SandboxLimits) -> None:
    order = {
        "root": str(desk.project),
        "report": str(desk.report),
        "test_seconds": min(TEST_SECONDS, limits.wall_seconds / 4),
        "arguments": [*_ARGUMENTS, "-c", str(desk.folder / "pytest.ini"), f"--rootdir={desk.project}", *tests],
    }
    desk.order.write_text(json.dumps(order), "utf-8")


def _judge(desk: _Desk, result: SandboxResult, expected: int | None, limits: SandboxLimits) -> TestReport:
    try:
        if result.timed_out:
            raise ProofError("timeout", why=f"no result after {limits.wall_seconds:g} s")
        tests = _read_tests(desk, result.exit_code)
        if expected not in (None, len(tests)) and not _is_incomplete(tests):
            raise ProofError("forged report", why=f"{len(tests)} tests are reported, {expected} were expected")
        return _report(desk, tests, result, "")
    except ProofError as error:
        return _report(desk, (), result, f"{error.what}: {error.why}")


def _is_incomplete(tests: Sequence[TestOutcome]) -> bool:
    """Whether a file could not be collected: its tests are missing, and the report says so."""
    return any(test.outcome == "error" and "::" not in test.id for test in tests)


def _report(desk: _Desk, tests: tuple[TestOutcome, ...], result: SandboxResult, reason: str) -> TestReport:
    stdout, stderr = (_relative(text, desk.project)[-_TAIL:] for text in (result.stdout, result.stderr))
    return TestReport(tests, result.exit_code, result.seconds, stdout, stderr, reason)


def _relative(text: str, project: Path) -> str:
    return text.replace(f"{project}/", "").replace(str(project), ".")


def _read_tests(desk: _Desk, exit_code: int) -> tuple[TestOutcome, ...]:
    data = _load(desk, exit_code)
    try:
        tests = read_outcomes(data["tests"])
        collected, reported_code = [str(name) for name in data["collected"]], data["exit_code"]
    except (TypeError, KeyError) as error:
        raise ProofError("corrupt report", why=f"{type(error).__name__}: {error}") from error
    if exit_code not in _SOUND_EXITS:
        raise ProofError("stopped", why=f"the test run was ended from inside (pytest's exit code {exit_code})")
    if reported_code != exit_code:
        raise ProofError("forged report", why=f"it says exit code {reported_code}, the process ended with {exit_code}")
    _require_consistent(tests, collected, exit_code)
    return tests


def _load(desk: _Desk, exit_code: int) -> dict[str, Any]:
    left = {path.name for path in desk.folder.iterdir()} - _FURNITURE
    if left - {desk.report.name}:
        raise ProofError("forged report", why=f"the run left files beside its report: {', '.join(sorted(left))}")
    if not left or desk.report.is_symlink() or not desk.report.is_file():
        raise ProofError("no report", why=f"the process ended before its tests did (exit code {exit_code})")
    if desk.report.stat().st_size > _REPORT_LIMIT:
        raise ProofError("corrupt report", why=f"it is larger than {_REPORT_LIMIT} bytes")
    try:
        return json.loads(desk.report.read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        raise ProofError("corrupt report", why=str(error)) from error


def _require_consistent(tests: Sequence[TestOutcome], collected: Sequence[str], exit_code: int) -> None:
    missing = set(collected) - {test.id for test in tests}
    if missing:
        raise ProofError("stopped", why=f"{len(missing)} collected tests were not run, {min(missing)} among them")
    failed = any(test.outcome in ("failed", "error") for test in tests)
    if failed != (exit_code == 1) or (exit_code == 5 and any(test.outcome == "passed" for test in tests)):
        raise ProofError("forged report", why=f"its outcomes do not fit pytest's exit code {exit_code}")
