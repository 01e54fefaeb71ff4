"""The journey without a mouse."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Locator, expect

from tests.vscode.test_journey import git
from tests.vscode.workbench import Workbench

LONG = 90_000
POINTED = "window.pointed = 0; addEventListener('pointerdown', () => window.pointed++, true)"


def walk(workbench: Workbench, view: str, text: str) -> Locator:
    """Go down the tree that has the focus until a row says something."""
    tree = workbench.page.locator(f'.pane:has(.pane-header[aria-label*="{view}"]) .monaco-list')
    expect(tree).to_be_focused()
    row = tree.locator(".monaco-list-row.focused")
    for _ in range(30):
        if row.count() and text in row.inner_text():
            return row
        workbench.page.keyboard.press("ArrowDown")
        workbench.page.wait_for_timeout(50)
    raise AssertionError(f"no row of {view} says {text!r}")


def test_everything_from_the_demo_to_the_merge_is_reached_by_keys(workbench: Workbench, folder: Path):
    page = workbench.page
    page.evaluate(POINTED)
    workbench.command("AgentInfra: Try the demo offline", "Enter")
    expect(page.locator('.monaco-editor.focused[data-uri$="spec.md"]')).to_be_visible(timeout=LONG)
    workbench.command("AgentInfra: Focus on Needs You View", "Enter")
    walk(workbench, "Needs You", "Read the specification")
    page.keyboard.press("Enter")  # shows the specification again
    expect(page.locator('.monaco-editor.focused[data-uri$="spec.md"]')).to_be_visible()
    page.keyboard.press("Control+End")
    page.keyboard.type("\n## Notes\n\nA word of mine.\n")
    workbench.command("AgentInfra: Approve & build", "Enter")
    expect(workbench.rows("Tasks").filter(has_text="done · 4/4")).to_be_visible(timeout=LONG)

    workbench.command("AgentInfra: Focus on Tasks View", "Enter")
    task = walk(workbench, "Tasks", "T-1")
    expect(task).to_contain_text("done")

    workbench.command("AgentInfra: Focus on Changes View", "Enter")
    walk(workbench, "Changes", "T-1")
    page.keyboard.press("Shift+F10")
    expect(page.locator(".monaco-menu")).to_contain_text("Undo this task")
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowRight")
    walk(workbench, "Changes", "pace.py")
    page.keyboard.press("Enter")
    expect(page.locator(".monaco-diff-editor .view-line").first).to_be_visible()

    workbench.command("AgentInfra: Accept: merge the run's work", "Enter")
    workbench.until((folder / "pace.py").exists)
    assert "A word of mine." in (folder / "spec.md").read_text()  # saved, then approved
    assert git(folder, "branch", "--show-current").strip() == "main"
    assert page.evaluate("window.pointed") == 0
