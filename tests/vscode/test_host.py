"""The suites of vscode-extension/test/host, run by mocha within the editor's own extension host."""

from __future__ import annotations

import json
import shutil
import subprocess
import zipfile
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from scripts.build_extension import EXTENSION, WHEEL
from tests.vscode.workbench import CodeServer, free_port, opened

HOME = Path(__file__).parent
ROOT = HOME.parents[1]
TESTS = EXTENSION / "test" / "host"
BUNDLE = EXTENSION / "dist" / "host" / "index.js"
PORT = free_port()
LIMIT = 100


@pytest.fixture(scope="session")
def bundle() -> Path:
    """The suites in one file, beside which mocha is found."""
    options = ["--bundle", "--platform=node", "--format=cjs", "--external:vscode", "--external:mocha"]
    esbuild = ROOT / "node_modules" / "esbuild" / "bin" / "esbuild"
    command = [WHEEL / "bin" / "node", esbuild, TESTS / "index.ts", *options, f"--outfile={BUNDLE}"]
    subprocess.run(command, check=True, capture_output=True, text=True)
    return BUNDLE


@pytest.fixture
def settings() -> dict[str, Any]:
    return {"agentinfra.model": "client:tests/parrot"}


@pytest.fixture
def environment() -> dict[str, str]:
    return {"HOST_TEST_PORT": str(PORT), "OPENAI_BASE_URL": f"http://127.0.0.1:{PORT}/v1"}


@pytest.fixture
def server(tmp_path: Path, settings: dict[str, Any], environment: dict[str, str]) -> Generator[CodeServer]:
    """An editor with a language model, and without our extension: that is brought as one under development."""
    made = CodeServer(HOME, tmp_path, settings, environment)
    shutil.copytree(TESTS / "provider", tmp_path / "extensions" / "tests.parrot-1.0.0")
    with made.running():
        yield made


def outcomes(server: CodeServer, vsix: Path, bundle: Path, folder: Path, *suites: str) -> dict[str, str | None]:
    """What came of each test: None, or the error."""
    place = folder.parent
    with zipfile.ZipFile(vsix) as package:
        package.extractall(place / "unpacked")
    results = place / "results.json"
    (folder / ".host.json").write_text(json.dumps({"results": str(results), "wanted": suites}))
    at = f"vscode-remote://127.0.0.1:{server.port}"
    ours = ("extensionDevelopmentPath", f"{at}{place}/unpacked/extension")
    with opened(server, folder, [ours, ("extensionTestsPath", f"{at}{bundle}")]) as workbench:
        allow = workbench.page.locator(".monaco-dialog-box .monaco-button", has_text="Allow")

        def is_over() -> bool:
            if allow.is_visible():  # to use another extension's language model
                allow.click()
            return results.exists() and results.read_text().endswith("]")

        try:
            workbench.until(is_over, LIMIT)
        finally:
            workbench.page.screenshot(path=place / "end.png")
    return {one["title"]: one["error"] for one in json.loads(results.read_text())}


@pytest.mark.parametrize("suite", ["commands", "trees", "secrets", "languageModels", "tools"])
def test_all_tests_of_a_suite_pass(server: CodeServer, vsix: Path, bundle: Path, folder: Path, suite: str):
    found = outcomes(server, vsix, bundle, folder, suite)
    assert found
    assert not any(found.values()), found


def test_a_failure_is_seen(server: CodeServer, vsix: Path, bundle: Path, folder: Path):
    (failed,) = outcomes(server, vsix, bundle, folder, "control").values()
    assert "as it must" in (failed or "")
