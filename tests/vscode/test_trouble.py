"""What goes wrong, or must not be trusted."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.provider import CODE, SHORT, Provider
from tests.vscode.workbench import Workbench

LONG = 90_000


class Model:
    """A model that answers for as long as a file is not there with nothing, and then with code."""

    def __init__(self, gate: Path) -> None:
        self.gate = gate
        self.provider = Provider({"code": lambda _body: self._words()})

    def _words(self) -> Iterator[str]:
        while not self.gate.exists():
            yield ""
        yield CODE


@pytest.fixture
def model(tmp_path: Path) -> Generator[Model]:
    made = Model(tmp_path / "gate")
    with made.provider:
        yield made
        made.gate.touch()


@pytest.fixture
def environment(model: Model) -> dict[str, str]:
    return {"OPENAI_API_KEY": "x", "OPENAI_BASE_URL": f"http://127.0.0.1:{model.provider.port}/v1"}


@pytest.fixture
def settings() -> dict[str, Any]:
    return {"agentinfra.model": "openai:gpt-4o"}


def servers(home: Path) -> list[int]:
    """The language servers of this test."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes()
            if b"agentinfra-server" in words and f"HOME={home}".encode() in (process / "environ").read_bytes():
                found.append(int(process.name))
        except OSError:
            continue
    return found


def test_a_window_is_reloaded_and_the_server_dies_and_the_run_goes_on(
    workbench: Workbench, model: Model, folder: Path, tmp_path: Path
):
    (folder / "idea.md").write_text(SHORT)
    workbench.open("idea.md")
    workbench.command("AgentInfra: Plan project from idea")
    expect(workbench.tab("spec.md")).to_be_visible(timeout=LONG)
    workbench.command("AgentInfra: Approve & build")
    coding = workbench.rows("Tasks").filter(has_text="T-1").filter(has_text="coding · try 1/3")
    expect(coding).to_be_visible(timeout=LONG)
    (server,) = servers(tmp_path)
    before = len(model.provider.asked("code"))
    os.kill(server, signal.SIGKILL)
    workbench.until(lambda: len(model.provider.asked("code")) > before, LONG / 1000)
    expect(coding).to_be_visible(timeout=LONG)
    assert servers(tmp_path) != [server]

    workbench.page.reload()
    workbench.show("AgentInfra")
    expect(workbench.rows("Tasks").filter(has_text="T-1")).to_be_visible(timeout=LONG)
    model.gate.touch()
    expect(workbench.rows("Tasks").filter(has_text="1/1")).to_be_visible(timeout=LONG)


@pytest.fixture
def stranger(folder: Path, tmp_path: Path) -> Path:
    """A folder that would like its own program to be run; the file that this program makes."""
    trace = tmp_path / "it-was-run"
    program = folder / "server.sh"
    program.write_text(f"#!/bin/sh\ntouch {trace}\n")
    program.chmod(0o755)
    (folder / ".vscode").mkdir()
    wishes = {"agentinfra.server.command": [str(program)], "agentinfra.planner": "evil:Planner"}
    (folder / ".vscode" / "settings.json").write_text(json.dumps(wishes))
    (folder / "evil.py").write_text(f"open({str(trace)!r}, 'w')\n")
    (folder / "spec.md").write_text("---\nid: x\nstatus: approved\n---\n\n# A\n")
    return trace


@pytest.mark.parametrize(
    "settings",
    [
        {
            "agentinfra.model": "openai:gpt-4o",
            "security.workspace.trust.enabled": True,
            "security.workspace.trust.startupPrompt": "never",
        }
    ],
)
def test_a_folder_that_is_not_trusted_starts_nothing_and_can_be_planned_in(
    stranger: Path, workbench: Workbench, model: Model, tmp_path: Path
):
    workbench.show("AgentInfra")
    workbench.open("spec.md")
    expect(workbench.page.locator(".statusbar-item").filter(has_text="Restricted Mode")).to_be_visible()
    workbench.page.wait_for_timeout(2000)  # long enough for what must not begin
    assert servers(tmp_path) == []
    assert model.provider.requests == []
    workbench.page.keyboard.press("Control+W")

    workbench.command("AgentInfra: Plan project from idea")
    workbench.answer("Plan project from idea", " ".join(SHORT.split()))
    workbench.quick_input("a Git repository?").locator('.monaco-list-row[aria-label*="Allow"]').click()
    workbench.until(lambda: model.provider.asked("Plan"), LONG / 1000)
    expect(workbench.rows("Needs You")).to_have_count(1, timeout=LONG)
    assert not stranger.exists()
