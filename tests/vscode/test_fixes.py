"""A finding in a document, and its fix by the light bulb."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from tests.vscode.workbench import Workbench

SPEC = "# Tea\n\n## Requirements\n\n### FR-1 · Brew\n\nBrews.\n\nAcceptance:\n\n- `brew(1)` returns `1`\n"
TASKS = """# Tasks

- [ ] T-1 · Brew
  - Requirements: FR-1
  - Files: `tea.py`
- [ ] T-2 · Pour
  - Requirements: FR-1
  - Files: `tea.py`
"""


def test_a_finding_is_fixed_where_it_stands_and_the_fix_undone(workbench: Workbench, folder: Path):
    (folder / "spec.md").write_text(SPEC)
    (folder / "tasks.md").write_text(TASKS)
    workbench.open("tasks.md")
    workbench.command("AgentInfra: Restart the server")
    page = workbench.page
    expect(page.locator(".squiggly-warning").first).to_be_visible()
    page.locator(".view-line").filter(has_text="T-2").click()
    page.keyboard.press("F8")  # to the finding
    page.keyboard.press("Escape")
    page.keyboard.press("Control+.")
    page.locator(".action-widget .monaco-list-row").filter(has_text="depend").first.click()
    expect(page.locator(".view-line").filter(has_text="Depends on: T-1")).to_be_visible()
    expect(page.locator(".squiggly-warning")).to_have_count(0)
    page.keyboard.press("Control+S")
    workbench.until(lambda: "Depends on: T-1" in (folder / "tasks.md").read_text())
    page.keyboard.press("Control+Z")
    expect(page.locator(".view-line").filter(has_text="Depends on")).to_have_count(0)
