"""The journey with the embedded model: nothing recorded, no key, no network."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect

from agentinfra.models.catalog import DEFAULT_MODEL, installed_models, models_folder
from tests.vscode.workbench import Workbench

IDEA = (
    "A Python module tea.py with one function steep_minutes(kind). For example steep_minutes('green') gives 3, "
    "steep_minutes('oolong') gives 4 and steep_minutes('black') gives 5. Any other kind raises ValueError."
)
SLOW = 600_000
CHECK = "import tea; print(tea.steep_minutes('green'), tea.steep_minutes('oolong'), tea.steep_minutes('black'))"


@pytest.fixture
def environment() -> dict[str, str]:
    assert DEFAULT_MODEL in installed_models(), f"agentinfra models pull {DEFAULT_MODEL}"
    return {"AGENTINFRA_MODEL_DIR": str(models_folder())}


def test_from_a_typed_idea_to_merged_code(workbench: Workbench, folder: Path):
    workbench.command("AgentInfra: Plan project from idea")
    workbench.answer("Plan project from idea", IDEA)
    model = workbench.quick_input("Which model?").locator(f'.monaco-list-row[aria-label*="local:{DEFAULT_MODEL}"]')
    expect(model).to_contain_text("1117 MB · Apache-2.0")
    model.click()

    waiting = workbench.rows("Needs You")
    expect(waiting).to_have_count(1, timeout=SLOW)  # the specification; examples enough leave it nothing to ask
    expect(workbench.tab("spec.md")).to_be_visible()
    workbench.command("AgentInfra: Approve & build")

    tasks = workbench.rows("Tasks")
    expect(tasks.filter(has_text=re.compile(r"done · (\d+)/\1"))).to_be_visible(timeout=SLOW)
    workbench.command("AgentInfra: Accept: merge the run's work")
    workbench.until((folder / "tea.py").exists)
    done = subprocess.run([sys.executable, "-c", CHECK], cwd=folder, capture_output=True, text=True, check=False)
    assert done.stdout == "3 4 5\n", done.stderr
