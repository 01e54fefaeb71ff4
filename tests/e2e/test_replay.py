"""Records of the embedded model: what they hold, and that replaying one gives the same commits every time."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e import record
from tests.e2e.conftest import RECORDINGS
from tests.e2e.place import Place, finish

NAMES = [scenario.name for scenario in record.SCENARIOS]


def header(name: str) -> dict[str, str]:
    return json.loads((RECORDINGS / f"{name}.jsonl").read_text("utf-8").splitlines()[0])


def test_there_is_a_record_of_every_scenario_and_none_beside() -> None:
    assert sorted(path.stem for path in RECORDINGS.iterdir()) == sorted(NAMES)


@pytest.mark.parametrize("scenario", record.SCENARIOS, ids=NAMES)
def test_a_record_is_small_and_free_of_times_and_paths(scenario: record.Scenario) -> None:
    file = RECORDINGS / f"{scenario.name}.jsonl"
    assert header(scenario.name)["model"] == record.MODEL
    assert header(scenario.name)["idea"] == scenario.idea
    assert file.stat().st_size < 100_000
    assert list(record.accidents(record.requests(file))) == []


@pytest.mark.parametrize("text", ["2026-11-22T23:04", "at 1795388644 s", "in /tmp/agentinfra-x", "/root/.cache"])
def test_a_time_or_a_path_in_a_request_is_found(text: str) -> None:
    assert list(record.accidents([{"messages": [{"parts": [{"text": f"so {text}."}]}]}]))


def test_an_idea_in_another_language_gives_the_same_commits_every_time(place: Place, tmp_path: Path) -> None:
    file = str(RECORDINGS / "german.jsonl")
    other = Place(tmp_path / "other")
    first, second = [finish(one) for one in [place.start("replay", file), other.start("replay", file)]]
    assert first.code in (0, 1), first.said
    assert first.code == second.code
    branch = place.branch()
    assert other.branch() == branch
    assert place.commits(branch) == other.commits(branch)
    assert len(place.commits(branch)) >= 3
    dates = place.git("log", "--format=%cI %aI", branch).split()
    assert {date[:4] for date in dates} == {"2000"}
    assert "Vereinskiosk" in place.show(branch, "spec.md")
    assert place.report()["state"] == "done"
    learnt = json.loads(place.agentinfra("memory list", "--json").stdout)
    assert [one["why"] for one in learnt if "what failed first was test_rueckgeld" in one["text"]]
    assert {one["source"] for one in learnt} == {f"run {place.report()['run']}"}
