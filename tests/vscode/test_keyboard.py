"""The journey without a mouse."""

from __future__ import annotations

import json
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.e2e.provider import SHORT, Provider
from tests.vscode.test_journey import git
from tests.vscode.workbench import Workbench

LONG = 90_000
POINTED = "window.pointed = 0; addEventListener('pointerdown', () => window.pointed++, true)"
NEGATIVE = {
    "question": "What of negative numbers?",
    "why": "They are whole, too",
    "options": ["Halve them", "Refuse them"],
    "recommended": "Halve them",
}


@pytest.fixture
def provider() -> Generator[Provider]:
    with Provider({"OpenQuestions": json.dumps({"questions": [NEGATIVE]})}) as made:
        yield made


@pytest.fixture
def settings() -> dict[str, Any]:
    return {"agentinfra.model": "openai:gpt-4o"}


@pytest.fixture
def environment(provider: Provider) -> dict[str, str]:
    return {"OPENAI_API_KEY": "x", "OPENAI_BASE_URL": f"http://127.0.0.1:{provider.port}/v1"}


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
    expect(workbench.rows("Changes").filter(has_text="pace.py").first).to_be_visible()
    walk(workbench, "Changes", "pace.py")
    page.keyboard.press("Enter")
    expect(page.locator(".monaco-diff-editor .view-line").first).to_be_visible()

    workbench.command("AgentInfra: Accept: merge the run's work", "Enter")
    workbench.until((folder / "pace.py").exists)
    assert "A word of mine." in (folder / "spec.md").read_text()  # saved, then approved
    assert git(folder, "branch", "--show-current").strip() == "main"
    assert page.evaluate("window.pointed") == 0


def test_a_typed_idea_and_the_answer_to_a_question_need_no_mouse(workbench: Workbench, folder: Path):
    page = workbench.page
    page.evaluate(POINTED)
    workbench.command("AgentInfra: Plan project from idea", "Enter")
    workbench.answer("Plan project from idea", " ".join(SHORT.split()))
    workbench.quick_input("What of negative numbers?")
    page.keyboard.press("Escape")  # left open, it waits in the view

    workbench.command("AgentInfra: Focus on Needs You View", "Enter")
    walk(workbench, "Needs You", "Planner asks: What of negative numbers?")
    page.keyboard.press("Enter")
    asked = workbench.quick_input("What of negative numbers?")
    expect(asked.locator(".monaco-list-row.focused")).to_contain_text("Halve them")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator('.monaco-editor.focused[data-uri$="spec.md"]')).to_be_visible(timeout=LONG)
    workbench.command("AgentInfra: Approve & build", "Enter")
    expect(workbench.rows("Tasks").filter(has_text="done · 1/1")).to_be_visible(timeout=LONG)

    workbench.command("AgentInfra: Accept: merge the run's work", "Enter")
    workbench.until((folder / "sums.py").exists)
    assert "Refuse them" in (folder / "spec.md").read_text()
    assert page.evaluate("window.pointed") == 0
