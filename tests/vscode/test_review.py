"""A run that needs its person: a task that is done again, lines that are rejected, a comment, and then yes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.e2e.provider import CODE, SHORT, Provider
from tests.vscode.test_journey import git
from tests.vscode.workbench import Workbench

LONG = 90_000
WRONG = CODE.replace("// 2", "// 3")
SHIFT = CODE.replace("n // 2", "n >> 1")
SPARE = """```python
import math


def half(n):
    if n < 0 and math.isinf(n):
        return n
    return n // 2
```"""
THERE = '''"""Sums."""


def double(n):
    return n + n
'''


def hears(body: dict[str, Any]) -> str:
    """A model that does what it is told, and nothing else."""
    said = json.dumps(body["messages"])
    return SHIFT if "Use a shift" in said else SPARE if "Divide by two" in said else WRONG


@pytest.fixture
def settings() -> dict[str, Any]:
    return {"agentinfra.model": "openai:gpt-4o"}


@pytest.fixture
def provider() -> Generator[Provider]:
    with Provider({"code": hears}) as made:
        yield made


@pytest.fixture
def environment(provider: Provider) -> dict[str, str]:
    return {"OPENAI_API_KEY": "x", "OPENAI_BASE_URL": f"http://127.0.0.1:{provider.port}/v1"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "project"
    made.mkdir()
    git(made, "init", "--quiet", "--initial-branch=main")
    (made / "sums.py").write_text(THERE)
    (made / "idea.md").write_text(SHORT)
    git(made, "add", "--all")
    git(made, "-c", "user.name=Ada", "-c", "user.email=ada@example.org", "commit", "--quiet", "-m", "Begin")
    return made


def inline(row: Locator, action: str) -> None:
    """Press a button at the end of a row, which is there while the mouse is over it."""
    row.hover()
    row.locator(f'.action-label[aria-label*="{action}"]').click()


def expand(row: Locator) -> None:
    row.locator(".monaco-tl-twistie").click()


def build_at_the_second_go(workbench: Workbench) -> None:
    """Plan, approve, see the task fail, and have it done again with a note."""
    workbench.open("idea.md")
    workbench.command("AgentInfra: Plan project from idea")
    expect(workbench.tab("spec.md")).to_be_visible(timeout=LONG)
    workbench.command("AgentInfra: Approve & build")
    blocked = workbench.rows("Tasks").filter(has_text="T-1").filter(has_text="blocked")
    expect(blocked).to_be_visible(timeout=LONG)
    workbench.command("Testing: Focus on Test Explorer View")
    expect(workbench.page.locator('.test-explorer [aria-label="T-1 The half(n) (Failed)"]')).to_be_visible()
    workbench.page.keyboard.press("Control+Shift+E")
    marked = workbench.page.locator('.explorer-folders-view [aria-label*="AgentInfra: T-1 The half(n) (blocked)"]')
    expect(marked).to_be_visible()
    workbench.show("AgentInfra")
    inline(blocked, "Do this task again")
    workbench.answer("Do T-1 again", "Divide by two.")
    expect(workbench.rows("Tasks").filter(has_text="done · 1/1")).to_be_visible(timeout=LONG)


def test_a_task_is_done_again_reviewed_and_accepted(workbench: Workbench, provider: Provider, folder: Path):
    build_at_the_second_go(workbench)
    changes = workbench.rows("Changes")
    expand(changes.filter(has_text="T-1"))
    expand(changes.filter(has_text="sums.py").first)
    pieces = changes.filter(has_text="Line ")
    expect(pieces).to_have_count(2)
    (imported, body) = (pieces.nth(0), pieces.nth(1))
    body.get_by_role("checkbox").click()
    inline(changes.filter(has_text="1 rejected"), "Send the review")
    refused = workbench.page.locator(".notification-list-item").filter(has_text="Without these lines tests fail")
    expect(refused).to_be_visible(timeout=LONG)
    workbench.command("Notifications: Clear All Notifications")
    body.get_by_role("checkbox").click()
    expect(changes.filter(has_text="rejected")).to_have_count(0)

    imported.get_by_role("checkbox").click()
    imported.click()
    workbench.page.locator(".modified-in-monaco-diff-editor .view-line").filter(has_text="def half").click()
    workbench.command("Comments: Add Comment on Current Selection")
    thread = workbench.page.locator(".review-widget")
    expect(thread.locator(".monaco-editor").first).to_be_visible()
    workbench.page.keyboard.type("Use a shift")
    thread.locator(".monaco-button", has_text="Comment").click()
    expect(changes.filter(has_text="1 rejected, 1 commented")).to_be_visible()
    workbench.command("AgentInfra: Send the review")
    again = workbench.rows("Tasks").filter(has_text="T-1").filter(has_text="done")
    workbench.until(lambda: any("Use a shift" in json.dumps(one["messages"]) for one in provider.asked("code")))
    expect(again).to_be_visible(timeout=LONG)
    expect(workbench.rows("Tasks").filter(has_text="done · 1/1")).to_be_visible(timeout=LONG)

    workbench.command("AgentInfra: Accept: merge the run's work")
    merged = folder / "sums.py"  # git puts it there only now
    workbench.until(lambda: merged.exists() and "n >> 1" in merged.read_text(), LONG / 1000)
    assert "import math" not in merged.read_text()
    assert git(folder, "branch", "--show-current").strip() == "main"
    tests = [sys.executable, "-m", "pytest", "-q", "tests"]
    subprocess.run(tests, cwd=folder, check=True, capture_output=True)
