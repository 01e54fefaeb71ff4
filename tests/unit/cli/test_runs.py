"""The verbs on a real application, its log and its repository; only the run itself is written by hand."""

from __future__ import annotations

import asyncio
import json
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from agentinfra.app import App
from agentinfra.cli.main import commands
from agentinfra.core.errors import InputError
from agentinfra.core.events import EventDraft
from agentinfra.workflow.unattended import Unattended
from tests.unit.run_events import RUN, RunEvents, building, finished


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AGENTINFRA_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "80")
    folder = tmp_path / "hikes"
    subprocess.run(["git", "init", "-q", folder], check=True)
    return folder


def remember(workspace: Path, run: RunEvents) -> None:
    app = App(workspace, Unattended())
    for event in run.events:
        app.log.append(RUN, EventDraft(event.kind, event.data, event.agent))
    asyncio.run(app.aclose())


def agentinfra(workspace: Path, *arguments: str) -> Result:
    return CliRunner().invoke(commands, [*arguments, "--workspace", str(workspace)])


def test_status_shows_the_tree(workspace: Path) -> None:
    remember(workspace, building())
    result = agentinfra(workspace, "status")
    assert result.exit_code == 0
    assert "◑ T-2 format_time(minutes)" in result.output
    assert f"run {RUN}" in result.output


def test_a_run_is_named_by_its_beginning(workspace: Path) -> None:
    remember(workspace, building())
    assert agentinfra(workspace, "status", RUN[:6]).exit_code == 0


def test_a_report_is_text_json_or_a_page(workspace: Path, tmp_path: Path) -> None:
    remember(workspace, finished())
    assert "FR-1 Walking time: proven" in agentinfra(workspace, "report").output
    assert json.loads(agentinfra(workspace, "report", "--json").output)["run"] == RUN
    page = tmp_path / "report.html"
    result = agentinfra(workspace, "report", "--html", str(page))
    assert (result.exit_code, result.output) == (0, "")
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_a_page_that_cannot_be_written_is_an_error(workspace: Path, tmp_path: Path) -> None:
    remember(workspace, finished())
    error = agentinfra(workspace, "report", "--html", str(tmp_path / "no" / "report.html")).exception
    assert isinstance(error, InputError)


@pytest.mark.parametrize(
    "verb", [["status"], ["report"], ["resume"], ["stop"], ["accept"], ["reject"], ["undo", "T-1"]], ids=" ".join
)
def test_without_a_run_every_verb_says_so(workspace: Path, verb: list[str]) -> None:
    error = agentinfra(workspace, *verb).exception
    assert isinstance(error, InputError)
    assert "no run" in error.what


def test_stop_asks_the_run_and_says_how_to_go_on(workspace: Path) -> None:
    remember(workspace, building())
    result = agentinfra(workspace, "stop")
    assert result.exit_code == 0
    assert f"agentinfra resume {RUN}" in result.output


def test_a_task_that_is_not_done_cannot_be_accepted(workspace: Path) -> None:
    remember(workspace, finished(blocked=True))
    error = agentinfra(workspace, "accept", "T-3").exception
    assert isinstance(error, InputError)
    assert "T-3" in error.what


def test_a_run_that_is_over_is_only_shown_by_resume(workspace: Path) -> None:
    remember(workspace, finished())
    result = agentinfra(workspace, "resume")
    assert result.exit_code == 0
    assert "Finished: 4 of 4 tasks done" in result.output
    assert "planning: Day hikes" not in result.output
