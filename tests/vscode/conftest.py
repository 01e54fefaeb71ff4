"""The extension as it is shipped, in an editor of the test's own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from tests.vscode.workbench import CodeServer, Workbench, opened

HOME = Path(__file__).parent
ROOT = HOME.parents[1]


@pytest.fixture(scope="session")
def vsix() -> Path:
    """The package, built anew."""
    command = [sys.executable, ROOT / "scripts" / "build_extension.py"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return Path(done.stdout.strip())


@pytest.fixture(scope="session")
def extensions(tmp_path_factory: pytest.TempPathFactory, vsix: Path) -> Path:
    """Where the package is installed, once for all tests."""
    place = tmp_path_factory.mktemp("installed")
    CodeServer(HOME, place).install(vsix)
    return place / "extensions"


@pytest.fixture
def settings() -> dict[str, Any]:
    """What a test sets beside the settings that keep the editor quiet."""
    return {}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder to work in."""
    made = tmp_path / "project"
    made.mkdir()
    return made


@pytest.fixture
def environment() -> dict[str, str]:
    """Variables for the server of a test."""
    return {}


@pytest.fixture
def server(
    tmp_path: Path, extensions: Path, settings: dict[str, Any], environment: dict[str, str]
) -> Generator[CodeServer]:
    """The running editor with the extension."""
    made = CodeServer(HOME, tmp_path, settings, environment, extensions)
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
