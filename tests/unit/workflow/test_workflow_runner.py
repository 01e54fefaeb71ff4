"""Running graphs: order, joins, fan-outs with dependencies, loops, errors, stops and replays."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from agentinfra.core.errors import InputError, RunStopped
from agentinfra.workflow.durable import DbosEngine
from agentinfra.workflow.execution import BaseEngine
from agentinfra.workflow.memory_engine import MemoryEngine
from agentinfra.workflow.workflow_builder import Inputs, WorkflowBuilder
from agentinfra.workflow.workflow_runner import run_workflow


@pytest.fixture
def calls() -> list[str]:
    return []


@pytest.fixture(params=["memory", "dbos"])
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[BaseEngine]:
    engine = DbosEngine(tmp_path / "runs.db") if request.param == "dbos" else MemoryEngine()
    yield engine
    await engine.close()


async def sorted_inputs(inputs: Inputs, context: Any) -> list[str]:
    return sorted(inputs)


async def test_a_node_sees_everything_before_it_and_the_context(engine: BaseEngine) -> None:
    async def shout(inputs: Inputs, context: str) -> str:
        return f"{context} {inputs['argument']}"

    workflow = (
        WorkflowBuilder("job")
        .step("left", shout, after=())
        .step("right", sorted_inputs, after=())
        .step("join", sorted_inputs, after=["left", "right"])
        .step("end", sorted_inputs)
        .build()
    )
    assert await run_workflow(workflow, engine, "w", "idea", "HEY") == {
        "left": "HEY idea",
        "right": ["argument"],
        "join": ["argument", "left", "right"],
        "end": ["argument", "join", "left", "right"],
    }


async def test_independent_branches_run_at_the_same_time(engine: BaseEngine) -> None:
    met = asyncio.Barrier(2)

    async def meet(inputs: Inputs, context: Any) -> str:
        async with asyncio.timeout(10):
            await met.wait()
        return "met"

    workflow = WorkflowBuilder("job").step("a", meet).step("b", meet, after=()).build()
    assert await run_workflow(workflow, engine, "w", None, None) == {"a": "met", "b": "met"}


async def test_a_node_does_not_see_what_merely_happens_to_be_finished(engine: BaseEngine) -> None:
    finished = asyncio.Event()

    async def quick(inputs: Inputs, context: Any) -> None:
        asyncio.get_running_loop().call_later(0.1, finished.set)

    async def slow(inputs: Inputs, context: Any) -> None:
        await finished.wait()

    workflow = (
        WorkflowBuilder("job")
        .step("quick", quick)
        .step("slow", slow, after=())
        .step("after slow", sorted_inputs)
        .build()
    )
    assert (await run_workflow(workflow, engine, "w", None, None))["after slow"] == ["argument", "slow"]


async def test_items_wait_for_those_they_come_after_and_hear_of_failures(engine: BaseEngine) -> None:
    async def item(inputs: Inputs, context: list[str]) -> Any:
        name = inputs["item"]["id"]
        context.append(name)
        if name == "b":
            raise InputError("b is broken")
        return {"saw": sorted(inputs["dependencies"]), "failed": inputs["failed"]}

    items = [{"id": "d", "after": ["b", "c"]}, {"id": "c", "after": ["a"]}, {"id": "b", "after": ["a"]}, {"id": "a"}]
    workflow = WorkflowBuilder("job").each("write", lambda inputs: items, item).build()
    order: list[str] = []
    results = (await run_workflow(workflow, engine, "w", None, order))["write"]
    assert order[0] == "a"
    assert order[-1] == "d"
    error = {"type": "InputError", "what": "b is broken", "why": "", "next_step": ""}
    assert results == [
        {"saw": ["b", "c"], "failed": ["b"]},
        {"saw": ["a"], "failed": []},
        {"error": error},
        {"saw": [], "failed": []},
    ]


async def test_plain_items_are_numbered_and_none_is_fine(engine: BaseEngine) -> None:
    async def double(inputs: Inputs, context: Any) -> int:
        return inputs["item"] * 2

    workflow = (
        WorkflowBuilder("job")
        .each("none", lambda inputs: [], double)
        .each("some", lambda inputs: inputs["argument"], double)
        .build()
    )
    assert await run_workflow(workflow, engine, "w", [1, 2, 3], None) == {"none": [], "some": [2, 4, 6]}


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ([{"id": "a"}, {"id": "a"}], "share the id a"),
        ([{"id": "a", "after": ["z"]}], "after unknown z"),
        ([{"id": "a", "after": ["b"]}, {"id": "b", "after": ["a"]}], "circle: "),
    ],
)
async def test_items_that_cannot_be_ordered_are_refused(items: list[Any], message: str) -> None:
    workflow = WorkflowBuilder("job").each("write", lambda inputs: items, sorted_inputs).build()
    with pytest.raises(InputError, match=message):
        await run_workflow(workflow, MemoryEngine(), "w", None, None)


async def test_a_loop_ends_when_satisfied_or_at_its_limit(engine: BaseEngine) -> None:
    async def grow(inputs: Inputs, context: Any) -> int:
        assert (inputs["round"] == 1) == (inputs["previous"] is None)
        return (inputs["previous"] or 0) + 2

    workflow = (
        WorkflowBuilder("job")
        .loop("enough", grow, until=lambda result: result >= 4, limit=9)
        .loop("never", grow, until=lambda result: False, limit=3)
        .build()
    )
    assert await run_workflow(workflow, engine, "w", None, None) == {
        "enough": {"result": 4, "rounds": 2, "satisfied": True},
        "never": {"result": 6, "rounds": 3, "satisfied": False},
    }


async def test_an_error_stops_what_runs_beside_it(engine: BaseEngine, calls: list[str]) -> None:
    async def wait(inputs: Inputs, context: Any) -> None:
        calls.append("waiting")
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            calls.append("stopped")
            raise

    async def fail(inputs: Inputs, context: Any) -> None:
        while "waiting" not in calls:
            await asyncio.sleep(0.002)
        raise InputError("no")

    workflow = WorkflowBuilder("job").step("wait", wait).step("fail", fail, after=()).step("never", wait).build()
    with pytest.raises(InputError, match="no"):
        await run_workflow(workflow, engine, "w", None, None)
    assert calls == ["waiting", "stopped"]


async def test_a_stopped_workflow_goes_on_without_repeating_what_is_finished(
    engine: BaseEngine, calls: list[str]
) -> None:
    async def note(inputs: Inputs, context: list[str]) -> str:
        name = str(inputs.get("item", inputs.get("round", "plan")))
        context.append(name)
        if name in ("2", "y") and context.count(name) == 1:
            raise RunStopped("pause")
        return name

    workflow = (
        WorkflowBuilder("job")
        .step("plan", note)
        .each("items", lambda inputs: ["x", "y"], note)
        .loop("rounds", note, until=lambda result: result == "3", limit=5)
        .build()
    )
    for _ in range(2):
        with pytest.raises(RunStopped, match="pause"):
            await run_workflow(workflow, engine, "w", None, calls)
    results = await run_workflow(workflow, engine, "w", None, calls)
    assert results["items"] == ["x", "y"]
    assert results["rounds"] == {"result": "3", "rounds": 3, "satisfied": True}
    assert sorted(call for call in calls if call != "x") == sorted(["plan", "y", "y", "1", "2", "2", "3"])
    before = list(calls)
    assert await run_workflow(workflow, engine, "w", None, calls) == results
    assert calls == before


async def test_two_runs_of_a_workflow_keep_their_contexts_apart(engine: BaseEngine) -> None:
    both = asyncio.Barrier(2)

    async def first(inputs: Inputs, context: str) -> str:
        async with asyncio.timeout(10):
            await both.wait()
        return context

    async def second(inputs: Inputs, context: str) -> str:
        return context

    workflow = WorkflowBuilder("job").step("first", first).step("second", second).build()
    runs = [run_workflow(workflow, engine, name, None, name) for name in ("one", "two")]
    assert await asyncio.gather(*runs) == [{"first": name, "second": name} for name in ("one", "two")]
