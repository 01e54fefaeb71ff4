"""What becomes of a finished run: accepted, undone or rejected, whole or task by task."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agentinfra.proof.pytest_runner import PytestRunner
from agentinfra.proof.report import TestReport
from agentinfra.security.sandbox.detect import choose_sandbox
from tests.e2e.conftest import DEMO, Demo
from tests.e2e.place import Outcome, Place


@dataclass(frozen=True)
class Finished:
    """A finished run on top of a commit, in a working tree with changes that are not committed."""

    place: Place
    base: str
    outcome: Outcome
    report: dict[str, Any]

    def task(self, file: str, *, leaf: bool) -> str:
        """The first task for a file that others depend on, or that none does."""
        needed = {name for task in self.report["tasks"] for name in task["depends_on"]}
        found = [task["id"] for task in self.report["tasks"] if file in task["files"]]
        return next(name for name in found if (name not in needed) == leaf)

    def dependents(self, name: str) -> set[str]:
        """The task and everything that rests on it."""
        found = {name}
        for task in self.report["tasks"]:
            if found & set(task["depends_on"]):
                found.add(task["id"])
        return found

    def dependencies(self, name: str) -> set[str]:
        """The task and everything that it rests on."""
        by_id = {task["id"]: task for task in self.report["tasks"]}
        return {name}.union(*(self.dependencies(other) for other in by_id[name]["depends_on"]))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    place = Place(tmp_path_factory.mktemp("built"))
    base = place.repository(README__md="Hikes\n")
    place.write(README__md="Hikes, being rewritten\n", notes__txt="not yet in git\n")
    outcome = place.agentinfra("replay", str(DEMO))
    return Finished(place, base, outcome, place.report())


@pytest.fixture(scope="module")
def backup(built: Finished, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("backup") / "built"
    built.place.keep(folder)
    return folder


@pytest.fixture
def finished(built: Finished, backup: Path) -> Iterator[Finished]:
    """The finished run, to be changed, its user's own changes stashed away."""
    built.place.git("stash", "--quiet", "--include-untracked")
    yield built
    built.place.restore(backup)


async def run_tests(folder: Path) -> TestReport:
    return await PytestRunner(await choose_sandbox(allow_unsandboxed=False)).run(folder)


def task_commits(place: Place, branch: str) -> list[str]:
    """The tasks on a branch by its commits' trailers, oldest first, less those that were undone."""
    standing: list[str] = []
    lines = place.git(
        "log", "--reverse", "--format=%(trailers:key=AgentInfra-Task,key=AgentInfra-Undo,separator=;)", branch
    )
    for line in lines.splitlines():
        key, _, name = line.partition(": ")
        if key == "AgentInfra-Task":
            standing.append(name)
        elif key:
            standing.remove(name)
    return standing


def test_a_dirty_tree_is_left_alone_and_said_so(built: Finished) -> None:
    place = built.place
    assert built.outcome.code == 0, built.outcome.said
    assert "2 changed files are not part of the run" in built.outcome.said
    assert "notes.txt" in built.outcome.said
    assert place.git("rev-parse", "main") == place.git("rev-parse", "HEAD") == built.base
    assert place.git("status", "--porcelain") == " M README.md\n?? notes.txt"
    assert (place.workspace / "README.md").read_text() == "Hikes, being rewritten\n"
    assert place.show(place.branch(), "README.md") == "Hikes\n"


def test_a_replay_on_another_base_builds_the_same_files(built: Finished, demo: Demo) -> None:
    ours, theirs = built.place, demo.place
    branch = theirs.branch()
    assert ours.branch() == branch
    mine = [line for line in ours.git("ls-tree", "-r", branch).splitlines() if not line.endswith("README.md")]
    assert mine == theirs.git("ls-tree", "-r", branch).splitlines()


def test_accept_on_an_unborn_base_fills_it(demo: Demo, tmp_path: Path) -> None:
    place, backup = demo.place, tmp_path / "backup"
    place.keep(backup)
    try:
        outcome = place.agentinfra("accept")
        assert outcome.code == 0, outcome.said
        assert place.git("rev-parse", "main") == place.git("rev-parse", place.branch())
        assert place.git("status", "--porcelain") == ""
        assert (place.workspace / "spec.md").is_file()
    finally:
        place.restore(backup)


async def test_accept_moves_the_base_forward(finished: Finished) -> None:
    place = finished.place
    outcome = place.agentinfra("accept")
    assert outcome.code == 0, outcome.said
    assert place.git("rev-parse", "main") == place.git("rev-parse", place.branch())
    assert place.git("status", "--porcelain") == ""
    assert place.git("rev-list", "--merges", "main") == ""
    assert (await run_tests(place.workspace)).all_passed
    again = place.agentinfra("accept")
    assert again.code == 0, again.said
    assert place.git("rev-parse", "main") == place.git("rev-parse", place.branch())


def test_accept_is_refused_on_a_dirty_tree(built: Finished) -> None:
    outcome = built.place.agentinfra("accept")
    assert outcome.code == 2
    assert "README.md" in outcome.said
    assert built.place.git("rev-parse", "main") == built.base


def test_accept_is_refused_on_a_moved_base(finished: Finished) -> None:
    place = finished.place
    place.write(other__txt="in between\n")
    place.git("add", "other.txt")
    place.git("commit", "--quiet", "-m", "Something else")
    moved = place.git("rev-parse", "main")
    outcome = place.agentinfra("accept")
    assert outcome.code == 2
    assert "main has moved" in outcome.said
    assert "Something else" in outcome.said
    assert place.git("rev-parse", "main") == moved


async def test_accepting_one_task_takes_what_it_needs(finished: Finished) -> None:
    place = finished.place
    taken = max((finished.dependencies(task["id"]) for task in finished.report["tasks"]), key=len)
    name = next(task["id"] for task in finished.report["tasks"] if finished.dependencies(task["id"]) == taken)
    outcome = place.agentinfra("accept", name)
    assert outcome.code == 0, outcome.said
    assert len(taken) >= 2
    assert set(task_commits(place, "main")) == taken
    assert place.git("status", "--porcelain") == ""
    report = await run_tests(place.workspace)
    assert report.all_passed, report.stdout


async def test_undoing_a_task_takes_what_rests_on_it_and_spares_the_rest(finished: Finished, tmp_path: Path) -> None:
    place, name = finished.place, finished.task("pace.py", leaf=False)
    gone = finished.dependents(name)
    rest = {task["id"] for task in finished.report["tasks"]} - gone
    assert len(gone) >= 2
    assert rest
    outcome = place.agentinfra("undo", name)
    assert outcome.code == 0, outcome.said
    assert set(task_commits(place, place.branch())) == rest
    assert place.git("rev-parse", "main") == finished.base
    place.git("clone", "--quiet", "--branch", place.branch(), str(place.workspace), str(tmp_path / "clone"))
    report = await run_tests(tmp_path / "clone")
    assert report.passed >= 2
    assert report.all_passed, report.stdout


def test_rejecting_a_task_takes_it_off_the_branch(finished: Finished) -> None:
    place, name = finished.place, finished.task("pack.py", leaf=True)
    outcome = place.agentinfra("reject", name)
    assert outcome.code == 0, outcome.said
    assert name not in task_commits(place, place.branch())
    (resolved,) = [event for event in place.told("change_resolved") if event["decision"] == "rejected"]
    assert resolved["task"] == name


def test_a_rejected_run_keeps_its_branch(finished: Finished) -> None:
    place = finished.place
    before = place.commits(place.branch())
    outcome = place.agentinfra("reject")
    assert outcome.code == 0, outcome.said
    assert place.commits(place.branch()) == before
    assert place.git("rev-parse", "main") == finished.base
    assert place.told("change_resolved")[-1]["decision"] == "rejected"


@pytest.mark.parametrize("verb", ["accept", "undo", "reject"])
def test_an_unknown_task_is_refused_and_the_known_ones_named(built: Finished, verb: str) -> None:
    outcome = built.place.agentinfra(verb, "T-99")
    assert outcome.code == 2
    assert "T-99" in outcome.said
    assert "T-1" in outcome.said
