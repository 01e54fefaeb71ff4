"""From an empty folder to merged code, as a person goes through it in VS Code; the model's answers are recorded."""

from __future__ import annotations

import subprocess
from pathlib import Path

from playwright.sync_api import expect

from tests.vscode.workbench import Workbench

LONG = 90_000


def git(folder: Path, *words: str) -> str:
    return subprocess.run(["git", "-C", folder, *words], capture_output=True, text=True, check=True).stdout


def test_from_the_demo_to_merged_code(workbench: Workbench, folder: Path):
    workbench.command("AgentInfra: Try the demo offline")
    expect(workbench.tab("spec.md")).to_be_visible()
    expect(workbench.rows("Needs You")).to_have_count(1)
    expect(workbench.page.locator(".activitybar .badge-content").filter(has_text="1")).to_be_visible()
    workbench.command("AgentInfra: Approve & build")
    expect(workbench.rows("Needs You")).to_have_count(0)

    finished = workbench.rows("Tasks").filter(has_text="done · 4/4")
    expect(finished).to_be_visible(timeout=LONG)
    workbench.page.reload()
    workbench.show("AgentInfra")
    expect(finished).to_be_visible()
    expect(workbench.rows("Tasks").filter(has_text="T-")).to_have_count(4)

    workbench.rows("Changes").filter(has_text="T-1").click()
    workbench.rows("Changes").filter(has_text="pace.py").first.click()
    expect(
        workbench.page.locator(".monaco-diff-editor .view-line").filter(has_text="walking_minutes").first
    ).to_be_visible()

    workbench.command("AgentInfra: Accept: merge the run's work")
    expect(workbench.page.locator(".statusbar-item").filter(has_text="AgentInfra 4/4")).to_be_visible()
    workbench.until((folder / "pace.py").exists)
    assert git(folder, "branch", "--show-current").strip() == "main"
    assert {"pace.py", "pack.py", "spec.md", "tasks.md"} <= set(git(folder, "ls-files").split())
