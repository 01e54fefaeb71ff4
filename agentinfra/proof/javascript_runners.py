"""Run a project's JavaScript tests in the sandbox, over a copy: node's own runner, vitest, jest and Playwright.

The tests run in worker processes. The program that starts the workers collects how each test ended and writes the
report under a name that no worker is told.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from agentinfra.core.errors import InputError, ProofError
from agentinfra.core.interfaces import Sandbox, SandboxCommand, SandboxLimits
from agentinfra.proof.desk import TEST_SECONDS, Desk, read_report
from agentinfra.proof.failures import failure_kind
from agentinfra.proof.node_modules import MODULES, find_modules, link_modules, read_package
from agentinfra.proof.report import TestOutcome
from agentinfra.proof.runner import CHILDREN, DeskRunner
from agentinfra.security.sandbox.toolchain import find_node

_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# Every process of node has about ten threads, and each counts.
LIMITS = SandboxLimits(
    wall_seconds=60,
    cpu_seconds=120,
    memory_bytes=2 << 30,
    file_bytes=256 << 20,
    processes=400,
    open_files=4096,
)


class JavaScriptRunner(DeskRunner):
    """What the JavaScript runners share: node, the project's packages, and where settings may stand.

    Settings in files of their own are read; they can be locked. Tasks edit ``package.json``, so that a run over
    settings in there proves nothing. Ids are ``tests/a.test.js::suite::test``; the second test of the same name has
    ``[2]`` at its end.

    Args:
        sandbox: Where the copy is run; kept as an attribute.
        modules: The ``node_modules`` folder for projects that have none, neither beside nor above them.
        desks: Folder for the copies; by default the system's for temporary files.
    """

    child: ClassVar[str]
    package: ClassVar[str] = ""
    settings: ClassVar[tuple[str, ...]] = ()
    shown: ClassVar[tuple[Path, ...]] = ()
    limits = LIMITS
    test_seconds: ClassVar[float] = TEST_SECONDS

    def __init__(self, sandbox: Sandbox, *, modules: Path | None = None, desks: Path | None = None) -> None:
        super().__init__(sandbox, desks=desks)
        self._modules = modules

    def _command(self, desk: Desk, root: Path, tests: Sequence[str], limits: SandboxLimits) -> SandboxCommand:
        self._require_no_settings(desk.project / "package.json")
        modules = self._find_modules(root)
        if modules is not None:
            link_modules(desk, modules)
        node = find_node()
        desk.home.mkdir()
        desk.write_order(limits, self.test_seconds, tests=list(tests), **self._more(limits))
        return SandboxCommand(
            (str(node), str(CHILDREN / self.child), str(desk.order)),
            desk.folder,
            env=self._environment(desk, node),
            read_only=(CHILDREN, *([modules] if modules else []), *_hidden(node), *filter(Path.exists, self.shown)),
            limits=limits,
        )

    def _more(self, limits: SandboxLimits) -> dict[str, Any]:
        """What else the program inside needs to know."""
        del limits
        return {}

    def _environment(self, desk: Desk, node: Path) -> dict[str, str]:
        # CI: tools neither ask nor write new snapshots.
        path = f"{node.parent}:/usr/bin:/bin"
        return {"PATH": path, "HOME": str(desk.home), "CI": "true", "NO_COLOR": "1"}

    def _find_modules(self, root: Path) -> Path | None:
        """The nearest ``node_modules`` that holds the tool.

        Raises:
            InputError: There is none.
        """
        found = find_modules(root, self.package) or self._modules
        if found is not None and (found / self.package).is_dir():
            return found.resolve()
        if not self.package:
            return None
        raise InputError(
            f"{self.package} is not installed for {root}",
            why=f"no {MODULES} folder there or above holds it",
            next_step="Run npm ci in the project",
        )

    def _require_no_settings(self, package: Path) -> None:
        found = [key for key in self.settings if key in read_package(package)]
        if found:
            why = f"package.json, which tasks edit, has settings of the tests ({', '.join(found)})"
            raise ProofError("settings", why=f"{why}; move them to a file of their own, such as {found[0]}.config.json")

    def _read(self, desk: Desk, exit_code: int) -> tuple[TestOutcome, ...]:
        return tuple(told_apart(_with_kind(test) for test in read_report(desk, exit_code)))


class NodeTestRunner(JavaScriptRunner):
    """Runs node's own test runner over the files that ``node --test`` would take, each in a process of its own.

    A file that hangs is stopped after a third of the wall limit, and costs its own tests only.
    """

    name = "node"
    child = "node_child.mjs"

    def _more(self, limits: SandboxLimits) -> dict[str, Any]:
        return {"file_seconds": limits.wall_seconds / 3}


class VitestRunner(JavaScriptRunner):
    """Runs vitest with the project's ``vitest.config`` or ``vite.config``."""

    name = "vitest"
    child = "vitest_child.mjs"
    package = "vitest"


class JestRunner(JavaScriptRunner):
    """Runs jest with the project's ``jest.config``, and without one with jest's own settings."""

    name = "jest"
    child = "jest_child.mjs"
    package = "jest"
    settings = ("jest", "babel")

    def _environment(self, desk: Desk, node: Path) -> dict[str, str]:
        # Without it, jest cannot load ES modules.
        return {**super()._environment(desk, node), "NODE_OPTIONS": "--experimental-vm-modules --no-warnings"}


class PlaywrightRunner(JavaScriptRunner):
    """Runs Playwright's own test runner with the project's ``playwright.config``, in the system's chromium.

    Settings' projects for other browsers are left out: the sandbox has none. The application's server runs beside the
    browser on loopback, started by the tests or by the settings' ``webServer``.
    """

    name = "playwright"
    child = "playwright_child.mjs"
    package = "@playwright/test"
    shown = (Path("/etc/chromium.d"), Path("/etc/fonts"))
    test_seconds = 30.0

    def _more(self, limits: SandboxLimits) -> dict[str, Any]:
        del limits
        return {"browser": next((path for name in _BROWSERS if (path := shutil.which(name))), "")}


def told_apart(tests: Iterable[TestOutcome]) -> Iterator[TestOutcome]:
    """Give tests that have the same id ids of their own: ``a``, ``a[2]``, …."""
    seen: Counter[str] = Counter()
    for test in tests:
        seen[test.id] += 1
        number = seen[test.id]
        yield test if number == 1 else replace(test, id=f"{test.id}[{number}]")


def _with_kind(test: TestOutcome) -> TestOutcome:
    if test.outcome not in ("failed", "error"):
        return test
    return replace(test, kind=failure_kind(test.message, test.id.partition("::")[0]))


def _hidden(node: Path) -> Iterator[Path]:
    """Node itself, where the sandbox does not show it anyway."""
    if not node.is_relative_to("/usr"):
        yield node
