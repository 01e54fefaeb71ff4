"""The side of the product, with a program in its place that is a real process with a real repository."""

import asyncio
import json
from dataclasses import replace

import pytest
from idea_product import AgentInfraSide, read_events

from agentinfra.core.errors import EngineError
from tests.unit.benchmarks.processes import processes, survivors


@pytest.fixture
def side(command):
    return AgentInfraSide(command, "local:small", minutes=2.5, base_url="http://127.0.0.1:1/v1")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "cell").mkdir()
    return tmp_path / "cell"


def first_event(folder):
    return json.loads((folder / "events.jsonl").read_text().splitlines()[0])["data"]


async def test_the_branch_of_the_run_is_delivered_with_its_figures(side, levels_case, folder):
    made = await side.deliver(levels_case, 3, folder)
    assert "def mix" in (made.tree / "levels.py").read_text()
    assert (made.input_tokens, made.output_tokens) == (300, 60)
    assert (made.tries, made.tasks, made.done) == (4, 2, 1)
    assert 0 < made.seconds < 60
    assert made.note == "exit code 1"


async def test_the_run_gets_the_idea_alone_and_a_data_folder_of_its_own(side, levels_case, folder):
    await side.deliver(levels_case, 3, folder)
    told = first_event(folder)
    assert told["idea"] == levels_case.idea
    assert told["data"] == str(folder / "data")
    assert told["arguments"] == [
        *("plan", "--idea-file", str(folder / "idea.md"), "--workspace", str(folder / "workspace"), "--seed", "3"),
        *("--model", "local:small", "--yes", "--budget-minutes", "2.5", "--json"),
        *("--base-url", "http://127.0.0.1:1/v1"),
    ]


async def test_a_run_without_a_branch_delivers_nothing(side, levels_case, folder):
    made = await side.deliver(replace(levels_case, idea="no branch"), 1, folder)
    assert "no branch was delivered" in made.note
    assert [path.name for path in made.tree.iterdir()] == [".git"]


async def test_a_run_that_never_began_is_no_result(side, levels_case, folder):
    with pytest.raises(EngineError, match="exit code 3: No model here"):
        await side.deliver(replace(levels_case, idea="cannot begin"), 1, folder)


async def test_a_run_that_does_not_keep_its_limit_is_ended(command, levels_case, folder):
    hasty = AgentInfraSide(command, "local:small", minutes=0.02, grace_seconds=0.5)
    made = await hasty.deliver(replace(levels_case, idea="without end"), 1, folder)
    assert "exit code 130" in made.note and "no branch" in made.note
    assert survivors(folder) == []


async def test_nothing_goes_on_when_the_benchmark_is_stopped(side, levels_case, folder):
    work = asyncio.create_task(side.deliver(replace(levels_case, idea="without end"), 1, folder))
    await begun(folder)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert survivors(folder) == []


def test_events_are_read_as_far_as_they_go(tmp_path):
    file = tmp_path / "events.jsonl"
    event = {"run": "r", "seq": 1, "time": 1.0, "kind": "state_update", "data": {"state": "planning", "branch": "b"}}
    file.write_text(json.dumps(event) + "\nnot JSON\n" + '{"run": "r"}\n[]\n')
    state = read_events(file)
    assert (state.run, state.info["branch"]) == ("r", "b")


async def begun(folder):
    async with asyncio.timeout(20):
        while not processes(folder):
            await asyncio.sleep(0.02)
