"""Tasks that are done once more in a run, on a record that knows their first outcome."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from agentinfra.agents.project import Workbench
from agentinfra.core.events import EventDraft
from agentinfra.core.tasks import TaskState
from agentinfra.workflow.retrying import Retry
from agentinfra.workflow.rounds import begin_round, claimed, close_round, remember
from agentinfra.workflow.run_state import reduce
from tests.unit.workflow.test_run_merging import LIMIT, Place, make, suite, task, writes

__all__ = ["make"]
TASKS = [task(3), task(1, needs=("T-3",)), task(2, needs=("T-1",))]
SUITES = {f"T-{number}": suite(number) for number in (1, 2, 3)}
SPEC = """# Numbers

## Requirements

### FR-1 · Write m1

It does.
"""


async def nothing(_: Workbench) -> Mapping[str, str]:
    return {"m1.txt": "wrong"}


async def carry_again(place: Place, code: Mapping[str, Any]) -> None:
    run = place.run

    async def job(_: Any) -> None:
        wanted = await run.step("wanted again", lambda: claimed(run))
        run.open_again(f"{run.parts.engine.workflow_id}~1", wanted)
        assert [one.id for one in run.to_do(TASKS)] == wanted
        await run.delegate([("Backend", lambda: place.engineer(TASKS, code, SUITES))])

    run.parts.engine.register("again", job)
    await run.parts.engine.run("again", "r1#1", {})


def states(place: Place) -> list[str]:
    return [one.state.value for one in reduce(place.log.read("r1")).tasks]


async def test_only_what_is_wanted_is_done_whatever_the_engineer_hands_in(make: Callable[..., Place]) -> None:
    place = make("a", 1)
    await place.begin(TASKS, LIMIT)
    await place.carry({"Backend": TASKS}, {"T-1": nothing, "T-2": writes(2), "T-3": writes(3)}, SUITES)
    assert states(place) == ["done", "blocked", "skipped"]
    red = [one["task"] for one in place.told("test_result") if one["phase"] == "red"]
    Retry("T-1").ask(place.log, "r1")
    await carry_again(place, {f"T-{number}": writes(number) for number in (1, 2, 3)})
    assert states(place) == ["done", "done", "done"]
    assert {name: len(benches) for name, benches in place.benches.items()} == {"T-1": 2, "T-2": 1, "T-3": 1}
    again = [one["task"] for one in place.told("test_result") if one["phase"] == "red"][len(red) :]
    assert sorted(set(again)) == ["T-1", "T-2"]
    assert [await place.git.read_file("agentinfra/r1", f"m{number}.txt") for number in (1, 2, 3)] == ["1", "2", "3"]


async def test_what_no_engineer_takes_up_is_cancelled_and_not_wanted_for_ever(make: Callable[..., Place]) -> None:
    place = make("a", 1)
    await place.begin(TASKS, LIMIT)
    place.log.append("r1", EventDraft("agent_state", {"task": "T-1", "state": "blocked"}))
    Retry("T-1").ask(place.log, "r1")
    wanted = await claimed(place.run)
    place.run.open_again("r1~1", wanted)
    place.run.settle("T-3", TaskState.DONE)
    await close_round(place.run, [*wanted, "T-3"])
    found = place.run.view().task("T-1")
    assert found and (found.state, found.reason) == (TaskState.CANCELLED, "No engineer took it up again")
    assert await claimed(place.run) == []
    assert states(place)[0] == "pending"


async def test_a_round_begins_where_the_run_is_over_and_something_is_wanted(make: Callable[..., Place]) -> None:
    place = make("a", 1)
    await place.begin(TASKS, LIMIT)
    run, log = place.run, place.log

    def tell(kind: Any, **data: Any) -> None:
        log.append("r1", EventDraft(kind, data))

    tell("state_update", state="building")
    assert begin_round(run, 0) == 0
    tell("agent_state", task="T-1", state="blocked")
    tell("state_update", state="done")
    assert begin_round(run, 0) == 0
    Retry("T-1").ask(log, "r1")
    assert begin_round(run, 0) == 1
    assert (run.view().state, run.view().info["round"]) == ("building", 1)
    assert begin_round(run, 1) == 1
    tell("state_update", state="failed")
    assert begin_round(run, 1) == 2
    tell("agent_state", task="T-1", state="done")
    tell("state_update", state="done")
    assert begin_round(run, 2) == 0


async def test_another_process_remembers_what_the_run_had_planned(make: Callable[..., Place]) -> None:
    place = make("a", 1)
    await place.begin(TASKS, {**LIMIT, "spec.md": SPEC})
    run = place.run
    start, run.start, run.spec, run.tasks = run.start, "", None, {"T-2": TASKS[2]}
    spec = await remember(run)
    assert (run.start, run.spec) == (start, spec)
    assert [one.title for one in spec.requirements] == ["Write m1"]
    assert [*run.tasks.values()] == TASKS
