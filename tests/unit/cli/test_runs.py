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
from agentinfra.environment.git_workspace import GitWorkspace
from agentinfra.workflow.unattended import Unattended
from tests.unit.run_events import RUN, RunEvents, building, finished, task


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
    "verb",
    [["status"], ["report"], ["resume"], ["stop"], ["accept"], ["reject"], ["undo", "T-1"], ["redo"]],
    ids=" ".join,
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


@pytest.fixture
def merged(workspace: Path) -> Path:
    """A finished run whose four tasks are on its branch; T-4 depends on T-3."""
    run = finished()
    run.planned(*(task(f"T-{n}", f"Task {n}", f"FR-{n}", after="T-3" if n == 4 else "") for n in range(1, 5)))
    remember(workspace, run)

    async def build() -> None:
        git = GitWorkspace.open(workspace, scratch=workspace.parent / "scratch")
        await git.start_branch(RUN)
        for number in range(1, 5):
            name = f"T-{number}"
            root = await git.task_worktree(f"{RUN}-{name}", f"agentinfra/{RUN}")
            (root / f"m{number}.py").write_text(f"x = {number}\n")
            sha = await git.commit_worktree(f"{RUN}-{name}", f"Do {name}", {"AgentInfra-Task": name})
            assert sha is not None
            await git.merge_commit(RUN, sha)
            await git.remove_worktree(f"{RUN}-{name}")

    asyncio.run(build())
    return workspace


def files(workspace: Path) -> list[str]:
    command = ["git", "ls-tree", "--name-only", f"agentinfra/{RUN}"]
    return subprocess.run(command, cwd=workspace, check=True, capture_output=True, text=True).stdout.split()


def commits(workspace: Path) -> dict[str, str]:
    told = json.loads(agentinfra(workspace, "report", "--json").output)
    return {one["id"]: one["commit"] for one in told["tasks"]}


def test_several_tasks_are_undone_with_what_rests_on_them_and_redone(merged: Path) -> None:
    before = commits(merged)
    result = agentinfra(merged, "undo", "T-1", "T-3")
    assert result.exit_code == 0
    assert "Undid T-1, T-3, T-4" in result.output
    assert "agentinfra redo T-1 T-3 T-4" in result.output
    assert files(merged) == ["m2.py"]
    assert [name for name, commit in commits(merged).items() if commit] == ["T-2"]
    shown = [agentinfra(merged, verb).output for verb in ("status", "report")]
    assert shown[0].count("undone") == 3
    assert "1 of 4 tasks done, 3 undone" in shown[1]

    result = agentinfra(merged, "redo", "T-4")
    assert "Did T-3, T-4 again" in result.output
    assert files(merged) == ["m2.py", "m3.py", "m4.py"]
    assert "Did T-1 again" in agentinfra(merged, "redo").output
    assert files(merged) == ["m1.py", "m2.py", "m3.py", "m4.py"]
    after = commits(merged)
    assert all(after.values())
    assert "undone" not in agentinfra(merged, "status").output
    assert after["T-1"] != before["T-1"]
    assert after["T-2"] == before["T-2"]


def test_what_is_undone_already_and_what_is_not_are_told(merged: Path) -> None:
    agentinfra(merged, "undo", "T-2")
    for verb, message in ((["undo", "T-2"], "Not merged: T-2"), (["redo", "T-1"], "nothing to do again")):
        error = agentinfra(merged, *verb).exception
        assert isinstance(error, InputError)
        assert message in error.what
    error = agentinfra(merged, "redo", "T-9").exception
    assert isinstance(error, InputError)
    assert "T-9" in error.what


def test_undo_needs_a_task(merged: Path) -> None:
    assert agentinfra(merged, "undo").exit_code == 2
