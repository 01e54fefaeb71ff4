"""Count how many acceptance tests a delivered tree passes: plain ``pytest acceptance_test.py`` inside the sandbox."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from pathlib import Path
from xml.etree import ElementTree

from idea_cases import TEST, Case

from agentinfra.core.errors import InputError
from agentinfra.core.interfaces import Sandbox, SandboxCommand, SandboxLimits, SandboxResult

REPORT = ".acceptance-report.xml"
COLLECT_SECONDS = 60.0


class Judge:
    """Runs the acceptance tests of cases.

    Args:
        sandbox: Where they run; it must have a loopback network of its own.
        whole_seconds: Limit of one run over all tests of a case.
        item_seconds: Limit of a single test, where the tests have to run one by one.
    """

    def __init__(self, sandbox: Sandbox, *, whole_seconds: float = 120.0, item_seconds: float = 20.0) -> None:
        self._sandbox = sandbox
        self._whole_seconds = whole_seconds
        self._item_seconds = item_seconds
        self._items: dict[Path, tuple[str, ...]] = {}

    async def items(self, case: Case) -> tuple[str, ...]:
        """Ids of all tests of a case, found without any delivered code.

        Raises:
            InputError: pytest finds none.
            SandboxError: The sandbox does not work.
        """
        if case.test not in self._items:
            with tempfile.TemporaryDirectory(prefix="agentinfra-collect-") as folder:
                result = await self._pytest(case, Path(folder), "--collect-only", "-q", seconds=COLLECT_SECONDS)
            found = tuple(line for line in result.stdout.splitlines() if line.startswith(f"{TEST}::"))
            if not found or result.exit_code:
                raise InputError(f"{case.test} has no tests that can be collected", why=result.stdout[-2000:])
            self._items[case.test] = found
        return self._items[case.test]

    async def passed(self, case: Case, tree: Path) -> int:
        """Number of tests that the tree passes; a test that fails, errors or does not start counts nothing.

        Where one test never ends, each runs alone, so that it costs only itself; together they get three times the
        limit of a whole run.

        Args:
            case: The case.
            tree: What was delivered; the tests are copied into it.

        Raises:
            SandboxError: The sandbox does not work.
        """
        items = await self.items(case)
        passed, ended = await self._count(case, tree, seconds=self._whole_seconds)
        if not ended:
            passed = await self._one_by_one(case, tree, items)
        return min(passed, len(items))

    async def _one_by_one(self, case: Case, tree: Path, items: tuple[str, ...]) -> int:
        passed, end = 0, time.monotonic() + 3 * self._whole_seconds
        for item in items:
            seconds = min(self._item_seconds, end - time.monotonic())
            passed += (await self._count(case, tree, item, seconds=seconds))[0] if seconds > 0 else 0
        return passed

    async def _count(self, case: Case, tree: Path, *items: str, seconds: float) -> tuple[int, bool]:
        """How many passed, and whether the run came to its end."""
        report = tree / REPORT
        await asyncio.to_thread(report.unlink, missing_ok=True)
        result = await self._pytest(case, tree, f"--junitxml={REPORT}", items=items, seconds=seconds)
        return await asyncio.to_thread(count_passed, report), not result.timed_out

    async def _pytest(
        self, case: Case, tree: Path, *options: str, items: tuple[str, ...] = (), seconds: float
    ) -> SandboxResult:
        await asyncio.to_thread(shutil.copyfile, case.test, tree / TEST)
        argv = ("python", "-m", "pytest", "-p", "no:cacheprovider", *options, *(items or (TEST,)))
        limits = SandboxLimits(wall_seconds=seconds, cpu_seconds=int(seconds) + 1)
        return await self._sandbox.run(SandboxCommand(argv, tree, limits=limits))


def count_passed(report: Path) -> int:
    """Tests of a JUnit report that passed; none where there is no report, since then the run was ended from inside."""
    try:
        root = ElementTree.parse(report).getroot()
    except (OSError, ElementTree.ParseError):
        return 0
    bad: set[tuple[str | None, str | None]] = set()
    names: set[tuple[str | None, str | None]] = set()
    for test in root.iter("testcase"):
        name = (test.get("classname"), test.get("name"))
        names.add(name)
        # A teardown that fails is a second entry for a test that may have passed.
        if any(test.find(outcome) is not None for outcome in ("failure", "error", "skipped")):
            bad.add(name)
    return len(names - bad)
