"""Debug information: a document that tells what runs, and no secret."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.vscode.workbench import Workbench

KEY = "tiger-77-lily"


@pytest.fixture
def environment() -> dict[str, str]:
    return {"OPENAI_API_KEY": KEY}


@pytest.fixture
def settings() -> dict[str, Any]:
    return {"agentinfra.model": f"openai:{KEY}"}


def spaced(text: str) -> str:
    """As the editor draws it."""
    return text.replace(" ", "\u00a0")


def test_it_tells_what_runs_and_no_key(workbench: Workbench):
    text = workbench.page.locator(".editor-instance .view-lines")
    workbench.command("AgentInfra: Print debug information")
    expect(text).to_contain_text(spaced("Command: not started yet"))
    workbench.command("Revert and Close Editor")

    workbench.command("AgentInfra: Restart the server")
    workbench.until(lambda: _asked(workbench, text, spaced(", ready")), 120)
    expect(text).to_contain_text(spaced("Python: Python 3."))
    expect(text).to_contain_text("agentinfra-server")
    expect(text).to_contain_text(spaced('"agentinfra.model": "openai:(hidden)"'))
    assert KEY not in text.inner_text()
    workbench.page.keyboard.press("Control+End")
    expect(text).to_contain_text("~~~~")


def _asked(workbench: Workbench, text: Locator, told: str) -> bool:
    """Whether a new document, which tells how it is now, tells this."""
    workbench.command("Revert and Close Editor")
    workbench.command("AgentInfra: Print debug information")
    expect(text).to_contain_text("Command:")
    return told in text.inner_text()
