"""A finding in a document, and its fix by the light bulb."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.vscode.workbench import Workbench

LONG = 90_000
SPEC = "# Tea\n\n## Requirements\n\n### FR-1 · Brew\n\nBrews.\n\nAcceptance:\n\n- `brew(1)` returns `1`\n"
TASKS = """# Tasks

- [ ] T-1 · Brew
  - Requirements: FR-1
  - Files: `tea.py`
- [ ] T-2 · Pour
  - Requirements: FR-1
  - Files: `tea.py`
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "project"
    made.mkdir()
    (made / "spec.md").write_text(SPEC)
    (made / "tasks.md").write_text(TASKS)
    return made


def test_a_finding_is_fixed_where_it_stands_and_the_fix_undone(workbench: Workbench, folder: Path):
    workbench.open("tasks.md")  # which alone starts the server
    page = workbench.page
    expect(page.locator(".squiggly-warning").first).to_be_visible(timeout=LONG)
    page.locator(".view-line").filter(has_text="T-2").click()
    page.keyboard.press("F8")  # to the finding
    expect(page.locator(".marker-widget")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".marker-widget")).to_have_count(0)
    page.keyboard.press("Control+.")
    page.locator(".action-widget .monaco-list-row").filter(has_text="depend").first.click()
    expect(page.locator(".view-line").filter(has_text="Depends on: T-1")).to_be_visible()
    expect(page.locator(".squiggly-warning")).to_have_count(0)
    page.keyboard.press("Control+S")
    workbench.until(lambda: "Depends on: T-1" in (folder / "tasks.md").read_text())
    page.keyboard.press("Control+Z")
    expect(page.locator(".view-line").filter(has_text="Depends on")).to_have_count(0)
