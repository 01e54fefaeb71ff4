"""The desk of one test run: a fresh copy of the project, the order for the program inside, and the report it leaves.

Nothing but the report may lie there afterwards that did not lie there before, and its random name is known only to
whoever reads the order before project code is loaded.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import shutil
import tempfile
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agentinfra.core.errors import InputError, ProofError
from agentinfra.core.interfaces import SandboxLimits
from agentinfra.proof.report import TestOutcome, read_outcomes

NOTHING: Mapping[str, str] = {}
TEST_SECONDS = 5.0
REPORT_LIMIT = 16 << 20
_LEFT_OUT = shutil.ignore_patterns(".git", "__pycache__", ".venv", "node_modules", ".pytest_cache")
# All passed, some failed, nothing collected. Every other code says that the run was ended from inside.
_SOUND_EXITS = (0, 1, 5)


@dataclass(frozen=True, slots=True)
class Desk:
    """The temporary folder of one run.

    Attributes:
        folder: All of it; the one place that the run may write to.
        report: Where the report will lie.
    """

    folder: Path
    report: Path

    @property
    def project(self) -> Path:
        """The copy of the project."""
        return self.folder / "project"

    @property
    def order(self) -> Path:
        """What the program inside is to do; it deletes the file before it loads project code."""
        return self.folder / "order.json"

    @property
    def home(self) -> Path:
        """Home folder for tools that want to write there; not made unless a runner does."""
        return self.folder / "home"

    def names(self) -> frozenset[str]:
        """What lies on the desk."""
        return frozenset(path.name for path in self.folder.iterdir())

    def write_order(self, limits: SandboxLimits, test_seconds: float = TEST_SECONDS, **more: Any) -> None:
        """Write the order.

        Args:
            limits: Bounds of the whole run.
            test_seconds: After these a single test is stopped, or after a quarter of the wall limit.
            more: What else the program needs to know.
        """
        seconds = min(test_seconds, limits.wall_seconds / 4)
        order = {"root": str(self.project), "report": str(self.report), "test_seconds": seconds, **more}
        self.order.write_text(json.dumps(order), "utf-8")

    def require_report(self, furniture: frozenset[str], exit_code: int) -> None:
        """Make sure that the run left one file, and that it is the report.

        Raises:
            ProofError: "no report", or "forged report" where other files are there.
        """
        left = self.names() - furniture - {self.order.name}
        if left - {self.report.name}:
            names = ", ".join(sorted(left - {self.report.name}))
            raise ProofError("forged report", why=f"the run left files beside its report: {names}")
        if not left or self.report.is_symlink() or not self.report.is_file():
            raise ProofError("no report", why=f"the process ended before its tests did (exit code {exit_code})")
        if self.report.stat().st_size > REPORT_LIMIT:
            raise ProofError("corrupt report", why=f"it is larger than {REPORT_LIMIT} bytes")


@asynccontextmanager
async def open_desk(
    root: Path, overlay: Mapping[str, str] = NOTHING, place: Path | None = None
) -> AsyncGenerator[Desk]:
    """Copy a project onto a fresh desk, and clear it away at the end.

    Args:
        root: The project.
        overlay: Texts of files, by path relative to root, that replace or join those of the project.
        place: Folder in which the desk is made; None for the system's temporary folder.

    Raises:
        InputError: The folder cannot be copied, or the overlay leads out of it.
    """
    folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="agentinfra-tests-", dir=place))
    desk = Desk(folder, folder / f"{secrets.token_hex(16)}.report")
    try:
        await asyncio.to_thread(_copy, desk, root, overlay)
        yield desk
    finally:
        await asyncio.shield(_remove(folder))


def _copy(desk: Desk, root: Path, overlay: Mapping[str, str]) -> None:
    try:
        shutil.copytree(root, desk.project, symlinks=True, ignore=_LEFT_OUT)
    except OSError as error:
        raise InputError(f"{root} cannot be copied for a test run", why=str(error)) from error
    for path, text in overlay.items():
        target = desk.project / path
        if not target.resolve().is_relative_to(desk.project.resolve()):
            raise InputError(f"{path} leads out of the project", next_step="Use paths relative to the project")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")


async def _remove(folder: Path) -> None:
    # Not shutil.rmtree: code under test can nest folders deeper than Python can recurse.
    process = await asyncio.create_subprocess_exec("rm", "-rf", "--", str(folder), stderr=asyncio.subprocess.DEVNULL)
    await process.wait()


def relative(text: str, project: Path) -> str:
    """The text with paths relative to the project."""
    return text.replace(f"{project}/", "").replace(str(project), ".")


def read_report(desk: Desk, exit_code: int) -> tuple[TestOutcome, ...]:
    """Read the report of one of our own programs: what it collected, how each test ended, and its exit code.

    Raises:
        ProofError: "corrupt report", "forged report" or "stopped".
    """
    try:
        data = json.loads(desk.report.read_text("utf-8"))
        tests = read_outcomes(data["tests"])
        collected, reported_code = [str(name) for name in data["collected"]], data["exit_code"]
        forged = str(data.get("forged", ""))
    except (ValueError, RecursionError) as error:
        raise ProofError("corrupt report", why=str(error)) from error
    except (TypeError, KeyError, AttributeError) as error:
        raise ProofError("corrupt report", why=f"{type(error).__name__}: {error}") from error
    if forged:
        raise ProofError("forged report", why=forged)
    if exit_code not in _SOUND_EXITS:
        raise ProofError("stopped", why=f"the test run was ended from inside (exit code {exit_code})")
    if reported_code != exit_code:
        raise ProofError("forged report", why=f"it says exit code {reported_code}, the process ended with {exit_code}")
    require_consistent(tests, collected, exit_code)
    return tests


def require_consistent(tests: Sequence[TestOutcome], collected: Sequence[str], exit_code: int) -> None:
    """Hold the outcomes against what was collected and against the exit code of the process.

    Raises:
        ProofError: "stopped" where collected tests are missing, "forged report" where the exit code tells otherwise.
    """
    missing = set(collected) - {test.id for test in tests}
    if missing:
        raise ProofError("stopped", why=f"{len(missing)} collected tests were not run, {min(missing)} among them")
    failed = any(test.outcome in ("failed", "error") for test in tests)
    if failed != (exit_code == 1) or (exit_code == 5 and any(test.outcome == "passed" for test in tests)):
        raise ProofError("forged report", why=f"its outcomes do not fit the exit code {exit_code}")
