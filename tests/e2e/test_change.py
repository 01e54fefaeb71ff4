"""An accepted run whose spec.md a person edits: only what that makes stale is done again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agentinfra.proof.pytest_runner import PytestRunner
from agentinfra.security.sandbox.detect import choose_sandbox
from tests.e2e.conftest import DEMO_OPTIONS, RECORDINGS
from tests.e2e.place import Outcome, Place
from tests.e2e.record import MORE_WATER, edit

CHANGE = ("--change", "--yes", "--replay", str(RECORDINGS / "change.jsonl"))


@pytest.fixture(scope="module")
def accepted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Place, Path]:
    """The demo, built and accepted, and a copy of all of it."""
    place = Place(tmp_path_factory.mktemp("accepted") / "place")
    assert place.agentinfra("plan", *DEMO_OPTIONS, "--init").code == 0
    assert place.agentinfra("accept").code == 0
    backup = tmp_path_factory.mktemp("backup") / "place"
    place.keep(backup)
    return place, backup


@pytest.fixture
def built(accepted: tuple[Place, Path]) -> Iterator[Place]:
    """The accepted demo, to be changed."""
    place, backup = accepted
    yield place
    place.restore(backup)


def change(place: Place, *options: str) -> Outcome:
    edit(place.workspace / "spec.md", MORE_WATER)
    return place.agentinfra("plan", *CHANGE, *options)


async def test_exactly_the_affected_task_is_done_and_only_its_files_change(built: Place) -> None:
    base = built.git("rev-parse", "HEAD")
    outcome = change(built)
    assert outcome.code == 0, outcome.said
    assert "modified FR-3" in outcome.said
    assert "not part of the run" not in outcome.said
    report = built.report()
    assert [(task["id"], task["state"]) for task in report["tasks"]] == [("T-3", "done")]
    kept = {one["id"]: one["kept"] for one in report["requirements"] if one["kept"]}
    assert list(kept) == ["FR-1", "FR-2", "FR-4"]
    assert set(kept.values()) == {built.show("HEAD", "spec.md").splitlines()[1].removeprefix("id: ")}
    assert all(one["proven"] for one in report["requirements"])

    branch = built.git("for-each-ref", "--sort=-creatordate", "--format=%(refname:short)", "refs/heads/agentinfra/")
    names = built.git("diff", "--name-only", base, branch.splitlines()[0]).splitlines()
    assert names == ["pack.py", "spec.md", "tests/test_pack_water_litres.py"]
    assert "returns `4.0`" in built.show(branch.splitlines()[0], "spec.md")

    outcome = built.agentinfra("accept")
    assert outcome.code == 0, outcome.said  # the edited spec.md is the approved one: it is not in the way
    assert built.git("status", "--porcelain") == ""
    tests = await PytestRunner(await choose_sandbox(allow_unsandboxed=False)).run(built.workspace)
    assert (tests.passed, tests.exit_code) == (9, 0)
    assert built.show("HEAD", "tasks.md").count("- [x] T-") == 4


def test_a_document_that_a_person_laid_out_keeps_every_byte(built: Place) -> None:
    spec = built.workspace / "spec.md"
    spec.write_text(spec.read_text() + "\n## My notes\n\n* buy   tea <!-- soon -->\n")
    assert change(built).code == 0
    edited = spec.read_text().partition("\n---\n")[2]
    branches = built.git("for-each-ref", "--format=%(refname:short)", "refs/heads/agentinfra/").splitlines()
    assert edited in [built.show(branch, "spec.md").partition("\n---\n")[2] for branch in branches]


def test_nothing_to_change_and_nothing_to_change_it_in_are_told(built: Place, place: Place) -> None:
    outcome = built.agentinfra("plan", "--change", "--yes")
    assert outcome.code == 2
    assert "spec.md is as it was approved" in outcome.said
    place.repository(a__py="x = 1\n")
    outcome = place.agentinfra("plan", "--change", "--yes")
    assert outcome.code == 2
    assert "There is no finished run to change here" in outcome.said
    outcome = built.agentinfra("plan", "an idea", "--change", "--yes")
    assert "--change takes no idea" in outcome.said


def test_a_specification_that_merely_claims_its_approval_is_refused(built: Place) -> None:
    text = (built.workspace / "spec.md").read_text()
    (built.workspace / "spec.md").write_text(text.replace("half a litre", "a barrel"))
    built.git("commit", "-q", "-a", "-m", "Approve it myself")
    for folder in (built.root / "data").glob("workspaces/*/runs/*"):
        (folder / "spec.md").write_text(text.replace("half a litre", "a bucket"))
    edit(built.workspace / "spec.md", (("a barrel", "a drop"),))
    outcome = built.agentinfra("plan", "--change", "--yes")
    assert outcome.code == 2
    assert "not known any more" in outcome.said


def test_an_id_that_is_there_twice_is_refused(built: Place) -> None:
    spec = built.workspace / "spec.md"
    spec.write_text(spec.read_text().replace("### FR-2 · format_time", "### FR-1 · format_time"))
    outcome = built.agentinfra("plan", "--change", "--yes")
    assert outcome.code == 2
    assert "has FR-1 more than once" in outcome.said
