"""``agentinfra proof`` on a real application and its log; only the run itself is written by hand."""

from __future__ import annotations

import asyncio
import json
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from agentinfra.app import App
from agentinfra.cli.exit_codes import error_code
from agentinfra.cli.main import commands
from agentinfra.core.events import EventDraft
from agentinfra.workflow.unattended import Unattended
from tests.unit.run_events import RUN, RunEvents
from tests.unit.workflow.test_proofs import Log, begun, good


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AGENTINFRA_DATA_DIR", str(tmp_path / "data"))
    folder = tmp_path / "sums"
    subprocess.run(["git", "init", "-q", folder], check=True)
    return folder


def proof(workspace: Path, run: RunEvents | None, *arguments: str) -> Result:
    if run is not None:
        app = App(workspace, Unattended())
        for event in run.events:
            app.log.append(RUN, EventDraft(event.kind, event.data, event.agent))
        asyncio.run(app.aclose())
    return CliRunner().invoke(commands, ["proof", *arguments, "--workspace", str(workspace)])


def unproven() -> Log:
    log = begun()
    log.ran("red", "failed", "assertion")
    log.ran("green", "passed", tests_sha="other")
    log.merged()
    return log


def test_the_records_of_a_proven_run_are_shown(workspace: Path) -> None:
    result = proof(workspace, good(), RUN)
    assert result.exit_code == 0
    assert result.output.splitlines() == [
        "T-1 half(n): done, borne out",
        "  RED    exit 1, 2 of 2 tests failed (2 assertion), lock sha",
        "         tests/test_a.py::test_1  assertion",
        "         tests/test_a.py::test_2  assertion",
        "  GREEN  exit 0, 2 of 2 tests passed, the same lock",
        "  merged c0ffee",
        f"run {RUN}: 1 of 1 done tasks are borne out by their records",
    ]


def test_what_the_records_do_not_bear_out_is_told_and_ends_with_one(workspace: Path) -> None:
    result = proof(workspace, unproven())
    assert result.exit_code == 1
    assert "T-1 half(n): done, but not borne out by its records" in result.output
    assert "✗ GREEN: the tests are not those that were RED" in result.output
    assert "0 of 1 done tasks" in result.output


def test_the_records_as_json(workspace: Path) -> None:
    result = proof(workspace, unproven(), RUN[:6], "T-1", "--json")
    data = json.loads(result.output)
    assert (result.exit_code, data["run"], data["borne_out"]) == (1, RUN, False)
    (task,) = data["tasks"]
    assert task["red"]["tests_sha"] == "sha" and task["green"]["tests_sha"] == "other"
    assert task["red"]["tests"][0] == {"id": "tests/test_a.py::test_1", "outcome": "failed", "kind": "assertion"}


def test_tasks_that_are_not_done_are_shown_with_what_was_caught(workspace: Path) -> None:
    log = begun()
    log.ran("attempt", "passed", ids=(), reason="tampering: sums.py:2 bends its tests")
    log.add("agent_state", task="T-1", state="blocked")
    result = proof(workspace, log)
    assert result.exit_code == 0
    assert "T-1 half(n): blocked" in result.output and "caught tampering: sums.py:2 bends its tests" in result.output


@pytest.mark.parametrize("arguments", [("999999",), (RUN, "T-9")])
def test_an_unknown_run_or_task_ends_with_two(workspace: Path, arguments: tuple[str, ...]) -> None:
    error = proof(workspace, good(), *arguments).exception
    assert isinstance(error, Exception) and error_code(error) == 2
