"""The editor's own client of the Model Context Protocol starts the server that the extension offers."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.vscode.workbench import TRIES, Workbench

NAME = "AgentInfra: project"


@pytest.fixture
def settings() -> dict[str, Any]:
    return {"agentinfra.mcp": True}


def test_it_is_listed_and_runs(workbench: Workbench):
    workbench.show("AgentInfra")  # before, the editor knows of no server
    assert listed(workbench, NAME)
    rows = workbench.page.locator(".quick-input-widget .monaco-list-row")
    rows.filter(has_text=NAME).click()
    rows.filter(has_text="Start Server").click()
    assert listed(workbench, "Running")
    expect(rows.filter(has_text=NAME)).to_contain_text("Running")


def listed(workbench: Workbench, text: str) -> bool:
    """Whether the editor's list of servers comes to show a text."""
    for _ in range(TRIES):
        workbench.command("MCP: List Servers")
        rows = workbench.page.locator(".quick-input-widget .monaco-list-row")
        expect(rows.first).to_be_visible()
        workbench.page.wait_for_timeout(500)
        if rows.filter(has_text=text).count():
            return True
        workbench.page.keyboard.press("Escape")
    return False
