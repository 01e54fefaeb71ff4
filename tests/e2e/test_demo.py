"""The main job on a record of the embedded model, from an idea in an empty folder to a branch that keeps its word."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from agentinfra.core.events import RUN_STATES
from agentinfra.proof.pytest_runner import PytestRunner
from agentinfra.security.sandbox.detect import choose_sandbox
from agentinfra.spec.document import parse
from agentinfra.spec.front_matter import body_sha, read_front_matter
from tests.e2e.conftest import DEMO_IDEA, DEMO_OPTIONS, Demo

TRAILERS = ("Run", "Task", "Requirement", "Agent", "Model")


def test_all_tasks_are_done(demo: Demo) -> None:
    assert demo.outcome.code == 0, demo.outcome.said
    report = demo.report
    assert report["complete"]
    assert report["state"] == "done"
    assert {task["state"] for task in report["tasks"]} == {"done"}
    assert len(report["tasks"]) >= 4
    assert len({task["files"][0] for task in report["tasks"]}) >= 2


def test_json_prints_every_event_on_a_line_of_its_own_and_nothing_else(demo: Demo) -> None:
    printed = [json.loads(line) for line in demo.outcome.stdout.splitlines()]
    assert demo.outcome.stderr == ""
    assert [event["seq"] for event in printed] == list(range(1, len(printed) + 1))
    assert {"run", "seq", "time", "kind", "agent", "data"} == set(printed[0])
    assert [(one["kind"], one["data"]) for one in printed] == [(one["kind"], one["data"]) for one in demo.events]
    states = [event["data"]["state"] for event in printed if event["kind"] == "state_update"]
    assert states == ["planning", "awaiting_approval", "building", "reviewing", "done"]
    assert set(states) <= set(RUN_STATES)


def test_the_users_own_checkout_is_as_it_was(demo: Demo) -> None:
    place = demo.place
    assert place.git("symbolic-ref", "HEAD") == "refs/heads/main"
    place.git("rev-parse", "--verify", "--quiet", "HEAD", accept=(1,))
    assert [path.name for path in place.workspace.iterdir()] == [".git"]
    assert place.git("status", "--porcelain") == ""
    assert place.git("ls-files") == ""


def test_no_worktree_and_no_process_is_left(demo: Demo) -> None:
    place = demo.place
    assert len(place.git("worktree", "list").splitlines()) == 1
    assert list((place.root / "cache").glob("**/worktrees/*/*")) == []
    assert list((place.root / "tmp").iterdir()) == []
    assert place.processes() == []


async def test_the_branch_can_be_checked_out_and_its_tests_pass_in_the_sandbox(demo: Demo, tmp_path: Path) -> None:
    place = demo.place
    copy = tmp_path / "clone"
    place.git("clone", "--quiet", "--branch", place.branch(), str(place.workspace), str(copy))
    report = await PytestRunner(await choose_sandbox(allow_unsandboxed=False)).run(copy)
    assert report.all_passed, report.stdout
    assert report.passed >= 8


def test_the_spec_on_the_branch_is_the_approved_one(demo: Demo) -> None:
    place = demo.place
    text = place.show(place.branch(), "spec.md")
    front = read_front_matter(text)
    spec = parse(text)
    assert front["status"] == "approved"
    assert front["approved"] == body_sha(text)
    assert spec.idea.strip() == DEMO_IDEA.read_text("utf-8").strip()
    (approval,) = place.told("approval")
    assert (approval["spec_sha"], approval["by"]) == (body_sha(text), "--yes")


def test_the_tasks_on_the_branch_are_ticked(demo: Demo) -> None:
    place = demo.place
    text = place.show(place.branch(), "tasks.md")
    tasks = demo.report["tasks"]
    for task in tasks:
        assert re.search(rf"\[x\].*{task['id']}\b", text)
    assert text.count("[x]") == len(tasks)
    assert "[ ]" not in text


def test_every_task_is_one_commit_with_all_trailers(demo: Demo) -> None:
    place = demo.place
    report, branch = demo.report, place.branch()
    by_task = {}
    for commit in place.commits(branch):
        text = place.git("show", "--no-patch", "--format=%(trailers:only,unfold)", commit)
        trailers = dict(line.split(": ", 1) for line in text.splitlines() if line)
        if "AgentInfra-Task" in trailers:
            assert trailers["AgentInfra-Task"] not in by_task
            by_task[trailers["AgentInfra-Task"]] = (commit, trailers)
    for task in report["tasks"]:
        commit, trailers = by_task.pop(task["id"])
        assert commit == task["commit"]
        assert set(trailers) == {f"AgentInfra-{name}" for name in TRAILERS}
        assert trailers["AgentInfra-Run"] == report["run"]
        assert trailers["AgentInfra-Requirement"] == ", ".join(task["requirements"])
        assert trailers["AgentInfra-Model"] == report["info"]["model"] == "local:qwen2.5-coder-1.5b"
    assert by_task == {}


def test_every_task_was_red_by_assertions_before_it_was_green(demo: Demo) -> None:
    place = demo.place
    runs = place.told("test_result")
    for task in demo.report["tasks"]:
        own = [event for event in runs if event["task"] == task["id"]]
        phases = [event["phase"] for event in own]
        assert phases[0] == "red"
        assert phases[-2:] == ["green", "merge"]
        first, green = own[0], own[-2]
        failed = [test for test in first["tests"] if test["outcome"] == "failed"]
        assert failed
        assert not [test for test in first["tests"] if test["outcome"] == "error"]
        assert all("assert" in test["message"].lower() or "DID NOT RAISE" in test["message"] for test in failed)
        assert all(test["outcome"] == "passed" for test in green["tests"])
        locked = [event["tests_sha"] for event in own if event["phase"] == "red"]
        assert green["tests_sha"] == locked[-1]


def test_the_strength_of_every_requirements_tests_is_measured_and_reported(demo: Demo) -> None:
    told = demo.place.told("test_strength")
    for task in demo.report["tasks"]:
        own = [event for event in told if event["task"] == task["id"]]
        assert [event["against"] for event in own] == ["trivial", "mutants"]
        assert len({event["tests_sha"] for event in own}) == 1
    for requirement in demo.report["requirements"]:
        thoughtless, mutants = [
            one for event in told for one in event["requirements"] if one["id"] == requirement["id"]
        ]
        assert thoughtless["killed"] == thoughtless["tried"] >= 4
        assert mutants["killed"] + len(mutants["survivors"]) == mutants["tried"] >= 2
        [strength] = requirement["strength"]
        assert strength["reason"] == ""
        assert (strength["killed"], strength["tried"]) == (mutants["killed"], mutants["tried"])
        assert strength["killed"] > strength["tried"] / 2
    assert "mutants killed" in demo.place.agentinfra("report").said


def test_every_requirement_is_proven_by_tests_and_a_commit(demo: Demo) -> None:
    place = demo.place
    report = demo.report
    on_branch = set(place.commits(place.branch()))
    assert len(report["requirements"]) >= 4
    for requirement in report["requirements"]:
        assert requirement["proven"], requirement["gap"]
        assert requirement["tests"]
        assert requirement["grounded"] >= 2
        assert set(requirement["commits"]) <= on_branch
    assert report["suite"]["failed"] == 0


def test_the_report_is_one_page_that_needs_nothing_else(demo: Demo, tmp_path: Path) -> None:
    place = demo.place
    page = tmp_path / "report.html"
    outcome = place.agentinfra("report", "--html", str(page))
    assert outcome.code == 0, outcome.said
    text = page.read_text("utf-8")
    assert text.startswith("<!doctype html>")
    for task in demo.report["tasks"]:
        assert task["id"] in text
        assert task["commit"][:10] in text
    assert not re.search(r"<script|<link|(?:src|href)=[\"']?https?:|@import|url\(", text)


def test_status_shows_the_finished_tree(demo: Demo) -> None:
    place = demo.place
    outcome = place.agentinfra("status")
    assert outcome.code == 0, outcome.said
    for task in demo.report["tasks"]:
        assert re.search(rf"{task['id']} .*done", outcome.stdout)


def test_the_same_record_is_not_replayed_twice_in_one_workspace(demo: Demo) -> None:
    place = demo.place
    before = demo.events
    outcome = place.agentinfra("plan", *DEMO_OPTIONS)
    assert outcome.code == 2
    assert "already" in outcome.said
    assert place.events() == before


@pytest.mark.parametrize("verb", ["resume", "stop"])
def test_a_finished_run_stays_as_it_is(demo: Demo, verb: str) -> None:
    place = demo.place
    before, commits = demo.events, place.commits(place.branch())
    assert place.agentinfra(verb).code == 0
    assert place.events() == before
    assert place.commits(place.branch()) == commits
