"""The first start, where there is no server yet."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.vscode.workbench import Workbench

LONG = 300_000


@pytest.mark.parametrize("settings", [{"agentinfra.server.command": []}])
def test_the_server_is_installed_with_consent_into_the_editors_own_folder(workbench: Workbench, server, tmp_path):
    workbench.command("AgentInfra: Try the demo offline")
    asked = workbench.page.locator(".notification-list-item").filter(has_text="is not installed yet")
    asked.locator("a.monaco-button", has_text="Install").click()
    made = workbench.page.locator(".notification-list-item").filter(has_text="Installing AgentInfra's server")
    expect(made).to_be_visible()
    expect(workbench.tab("spec.md")).to_be_visible(timeout=LONG)
    (complete,) = (tmp_path / "user-data").glob("User/globalStorage/*/server/*/complete")
    assert (complete.parent / "bin" / "python").exists()


@pytest.mark.parametrize("settings", [{"agentinfra.server.command": []}])
def test_who_does_not_want_it_is_left_alone(workbench: Workbench, server, tmp_path):
    workbench.command("AgentInfra: Try the demo offline")
    asked = workbench.page.locator(".notification-list-item").filter(has_text="is not installed yet")
    asked.hover()
    asked.locator(".codicon-notifications-clear").click()
    expect(workbench.page.locator(".notification-list-item").filter(has_text="is not installed.")).to_be_visible()
    assert not list((tmp_path / "user-data").glob("User/globalStorage/*/server/*"))
