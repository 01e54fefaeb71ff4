"""What is asked of the person before it happens."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.vscode.workbench import Workbench

LONG = 90_000


@pytest.fixture
def letter(folder: Path) -> Path:
    """Something of the person's in a folder that is no repository."""
    file = folder / "letter.txt"
    file.write_text("Dear all")
    return file


def test_a_permission_is_denied_and_then_allowed(letter: Path, workbench: Workbench, folder: Path):
    workbench.command("AgentInfra: Try the demo offline")
    asked = workbench.quick_input("Planner: make project a Git repository?")
    expect(asked.locator("input.input")).to_have_attribute(
        "placeholder", f"git init -b main in {folder}, which holds 1 file. Work arrives there as commits."
    )
    workbench.page.keyboard.press("Escape")  # closed, it waits in the view
    workbench.show("AgentInfra")
    waiting = workbench.rows("Needs You").filter(has_text="Planner: make project a Git repository?")
    expect(waiting).to_have_count(1)
    waiting.click()
    workbench.quick_input("Planner: make project").locator('.monaco-list-row[aria-label*="Deny"]').click()
    expect(
        workbench.page.locator(".notification-toast").filter(has_text="was not made a Git repository")
    ).to_be_visible()
    expect(workbench.rows("Needs You")).to_have_count(0)
    assert not (folder / ".git").exists()

    workbench.command("AgentInfra: Try the demo offline")
    workbench.quick_input("Planner: make project").locator('.monaco-list-row[aria-label*="Allow"]').click()
    expect(workbench.tab("spec.md")).to_be_visible(timeout=LONG)
    workbench.command("AgentInfra: Approve & build")
    expect(workbench.rows("Tasks").filter(has_text="done · 4/4")).to_be_visible(timeout=LONG)
    assert letter.read_text() == "Dear all"
