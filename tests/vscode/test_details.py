"""The details: what happened to a task, a word to its agents, and how it looks and reads to everyone."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Frame, expect

from tests.e2e.provider import CODE, SHORT, Provider
from tests.vscode.workbench import CodeServer, Workbench

LONG = 90_000
ROOT = Path(__file__).parents[2]
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
PICTURES = ROOT / "vscode-extension" / "dist" / "screenshots"
THEMES = {
    "Default Light Modern": "vscode-light",
    "Default Dark Modern": "vscode-dark",
    "Default High Contrast": "vscode-high-contrast",
}
NOTE = "Divide by two"


@pytest.fixture
def settings() -> dict[str, Any]:
    return {"agentinfra.model": "openai:gpt-4o"}


@pytest.fixture
def provider(tmp_path: Path) -> Generator[Provider]:
    """A model that answers nothing before it is told what to do."""

    def waiting() -> Iterator[str]:
        yield "`"
        while not (tmp_path / "end").exists():
            yield ""

    with Provider({"code": lambda body: CODE if NOTE in json.dumps(body["messages"]) else waiting()}) as made:
        yield made
        (tmp_path / "end").touch()


@pytest.fixture
def environment(provider: Provider) -> dict[str, str]:
    return {"OPENAI_API_KEY": "x", "OPENAI_BASE_URL": f"http://127.0.0.1:{provider.port}/v1"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "project"
    made.mkdir()
    (made / "idea.md").write_text(SHORT)
    return made


def page_of(workbench: Workbench) -> Frame:
    """The page of the details, which lies two frames deep."""
    found: list[Frame] = []

    def look() -> bool:
        found[:] = [frame for frame in workbench.page.frames if "index.html" not in frame.url and _is_page(frame)]
        return bool(found)

    workbench.until(look)
    return found[0]


def _is_page(frame: Frame) -> bool:
    return not frame.is_detached() and frame.locator("#entries").count() == 1


def test_a_task_is_followed_told_something_and_readable_for_everyone(
    workbench: Workbench, server: CodeServer, folder: Path
):
    workbench.open("idea.md")
    workbench.command("AgentInfra: Plan project from idea")
    expect(workbench.tab("spec.md")).to_be_visible(timeout=LONG)
    workbench.command("AgentInfra: Approve & build")
    coding = workbench.rows("Tasks").filter(has_text="T-1").filter(has_text="coding")
    expect(coding).to_be_visible(timeout=LONG)
    coding.click()
    page = page_of(workbench)
    expect(page.locator("#head")).to_have_text("T-1 The half(n)")
    expect(page.locator("#entries")).to_contain_text("Without code 2 of 2 tests fail")

    page.locator("vscode-textarea textarea").fill(NOTE)
    page.locator("vscode-button", has_text="Send now").click()
    expect(page.locator("#entries")).to_contain_text(f"You: {NOTE}")
    expect(page.locator("#entries")).to_contain_text("The model was told")
    expect(page.locator("#entries")).to_contain_text("2 of 2 tests pass", timeout=LONG)
    expect(workbench.rows("Tasks").filter(has_text="done · 1/1")).to_be_visible(timeout=LONG)
    expect(page.locator("#form")).to_be_hidden()

    PICTURES.mkdir(parents=True, exist_ok=True)
    for theme, name in THEMES.items():
        server.configure({"workbench.colorTheme": theme, "breadcrumbs.enabled": False})
        page = page_of(workbench)
        expect(page.locator(f"body.{name}")).to_be_visible()
        workbench.page.screenshot(path=PICTURES / f"{name}.png")
        page.evaluate(AXE.read_text("utf-8"))
        found = page.evaluate("axe.run()")
        assert [(one["id"], one["nodes"]) for one in found["violations"]] == []
        assert found["passes"]
