"""The extension and its server in German, in an editor whose language is German."""

from __future__ import annotations

import json
from collections.abc import Generator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.vscode.workbench import CodeServer, Workbench, opened


def speak_german(place: Path) -> None:
    """Give the editor a language pack of no words: it stays English itself, and its language is German."""
    words = place / "words.json"
    words.write_text(json.dumps({"version": "1.0.0", "contents": {}}))
    pack = {
        "hash": "none",
        "extensions": [{"extensionIdentifier": {"id": "tests.german"}, "version": "1.0.0"}],
        "translations": {"vscode": str(words)},
        "label": "Deutsch",
    }
    (place / "config.yaml").write_text("auth: none\nlocale: de\n")
    (place / "user-data" / "languagepacks.json").write_text(json.dumps({"de": pack}))


@pytest.fixture
def workbench(tmp_path: Path, extensions: Path, folder: Path) -> Generator[Workbench]:
    server = CodeServer(Path(__file__).parent, tmp_path, extensions=extensions)
    speak_german(tmp_path)
    with server.running(), opened(server, folder) as shown:
        yield shown
        shown.page.screenshot(path=tmp_path / "german.png")


def test_what_the_extension_and_the_server_say_is_german(workbench: Workbench, folder: Path):
    (folder / "brief.txt").write_text("Liebe alle")
    workbench.command("AgentInfra: Vorführung ohne Netz ansehen")
    asked = workbench.quick_input("Planer: project zu einem Git-Repository machen?")  # the server's
    expect(asked.locator(".monaco-list-row").first).to_contain_text("Verweigern")  # the extension's
    asked.locator(".monaco-list-row", has_text="Verweigern").click()
    said = workbench.page.locator(".notification-toast")
    expect(said.filter(has_text="Der Ordner wurde nicht zu einem Git-Repository gemacht")).to_be_visible()
