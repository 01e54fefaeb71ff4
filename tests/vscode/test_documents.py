"""Documents that are open: the server starts for them by itself, and only where that asks nothing of anybody."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.vscode.test_fixes import SPEC, TASKS
from tests.vscode.test_trouble import servers
from tests.vscode.workbench import Workbench

LONG = 90_000


@pytest.fixture
def place() -> str:
    return "deep"  # where nothing begins because of what lies there


@pytest.fixture
def folder(tmp_path: Path, place: str) -> Path:
    made = tmp_path / "project"
    (made / place).mkdir(parents=True)
    (made / place / "spec.md").write_text(SPEC)
    (made / place / "tasks.md").write_text(TASKS)
    (made / place / "notes.md").write_text("# Notes\n")
    return made


def lens(workbench: Workbench) -> Locator:
    """What the server says above a requirement of spec.md."""
    lenses = workbench.page.locator('.monaco-editor[data-uri$="spec.md"] .codelens-decoration')
    return lenses.filter(has_text="T-1, T-2")


def activated(workbench: Workbench) -> None:
    """See that the extension is at work: it has shown its log."""
    workbench.command("AgentInfra: Show the server's log")
    expect(workbench.page.locator(".output-view-container, [id='workbench.panel.output']").first).to_be_visible()


def test_a_document_is_looked_at_when_it_is_opened(workbench: Workbench, tmp_path: Path):
    workbench.open("notes.md")
    activated(workbench)
    assert servers(tmp_path) == []
    workbench.open("spec.md")
    expect(lens(workbench)).to_be_visible(timeout=LONG)
    expect(workbench.rows("Tasks")).to_have_count(0)  # the panel was never shown


def test_a_document_that_was_open_before_the_extension_began_is_looked_at(workbench: Workbench, tmp_path: Path):
    workbench.open("spec.md")
    assert servers(tmp_path) == []
    activated(workbench)
    expect(lens(workbench)).to_be_visible(timeout=LONG)


@pytest.mark.parametrize("place", ["."])
@pytest.mark.parametrize("settings", [{"agentinfra.server.command": []}])
def test_an_open_document_installs_nothing_and_asks_for_nothing(workbench: Workbench, tmp_path: Path):
    workbench.open("spec.md")
    activated(workbench)
    workbench.open("tasks.md")
    workbench.page.wait_for_timeout(2000)  # long enough for what must not begin
    expect(workbench.page.locator(".notification-list-item")).to_have_count(0)
    assert servers(tmp_path) == []
    assert not list((tmp_path / "user-data").glob("User/globalStorage/agentinfra.agentinfra/server/*"))
