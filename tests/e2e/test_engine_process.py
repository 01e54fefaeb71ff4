"""A run in a process of its own, driven as an editor's server does it."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from agentinfra.protocols.json_rpc import INVALID_PARAMS, LINE_BYTES, JsonRpcPeer, RpcError
from tests.e2e.conftest import DEMO, DEMO_IDEA, Demo
from tests.e2e.place import Place

LIMIT = 120


class Driver:
    """The other side of an engine's line: a person who answers as they are told."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout and process.stdin
        self.process = process
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.approves: list[object] = []
        self.approval_asked = asyncio.Event()
        self.ended: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        handlers = {"question/ask": self.answer, "spec/approve": self.approve, "run/ended": self.end}
        self.peer = JsonRpcPeer(process.stdout, process.stdin, handlers)

    async def answer(self, params):
        self.asked.append(("question/ask", params))
        return {"answer": params["recommended"]}

    async def approve(self, params):
        self.asked.append(("spec/approve", params))
        self.approval_asked.set()
        return {"approved": self.approves.pop(0) if self.approves else True}

    async def end(self, params):
        self.ended.set_result(params)

    async def until_ended(self) -> dict[str, Any]:
        told = await asyncio.wait_for(self.ended, LIMIT)
        assert await asyncio.wait_for(self.process.wait(), LIMIT) == told["code"]
        return told


@asynccontextmanager
async def engine(place: Place) -> AsyncIterator[Driver]:
    place.workspace.mkdir(exist_ok=True)
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "agentinfra.cli.engine", str(place.workspace)),
        cwd=place.root,
        env=place.variables(),
        stdin=pipe,
        stdout=pipe,
        stderr=asyncio.subprocess.DEVNULL,
        limit=LINE_BYTES,
    )
    driver = Driver(process)
    serving = asyncio.create_task(driver.peer.serve())
    try:
        yield driver
    finally:
        if process.returncode is None:
            process.kill()
        await serving
        await process.wait()


def demo_options(**more: object) -> dict[str, object]:
    return {"idea": DEMO_IDEA.read_text("utf-8"), "replay": str(DEMO), "init": True, **more}


async def test_a_run_asks_for_the_approval_of_what_it_will_build(place: Place) -> None:
    async with engine(place) as driver:

        async def edits_first(params: dict[str, Any]) -> dict[str, object]:
            if not driver.asked:
                with open(params["path"], "a", encoding="utf-8") as spec:  # noqa: PTH123
                    spec.write("\n## Notes\n\nMine.\n")
            return await driver.approve(params)

        driver.peer.handlers = {**driver.peer.handlers, "spec/approve": edits_first}
        begun = await driver.peer.request("run/plan", demo_options())
        told = await driver.until_ended()
    assert told == {"run": begun["run"], "code": 0, "message": "", "why": "", "next": ""}
    assert {(method, params["run"]) for method, params in driver.asked} == {("spec/approve", begun["run"])}
    first, second = (params["sha"] for _, params in driver.asked)
    assert first != second
    assert [event["data"]["spec_sha"] for event in place.events() if event["kind"] == "approval"] == [second]


async def test_who_does_not_approve_ends_the_run(place: Place) -> None:
    async with engine(place) as driver:
        driver.approves = [False]
        await driver.peer.request("run/plan", demo_options())
        told = await driver.until_ended()
    assert told["code"] != 0
    assert told["message"] == "The specification was not approved"


async def test_closing_the_line_stops_the_run_and_another_process_goes_on(place: Place, demo: Demo) -> None:
    async with engine(place) as driver:
        run = (await driver.peer.request("run/plan", demo_options()))["run"]
        await asyncio.wait_for(driver.approval_asked.wait(), LIMIT)
        while place.event_count() < 30:
            await asyncio.sleep(0.05)
        assert driver.process.stdin
        driver.process.stdin.close()
        assert await asyncio.wait_for(driver.process.wait(), LIMIT) == 130
    assert place.processes() == []

    async with engine(place) as driver:
        assert await driver.peer.request("run/resume", {"run": run}) == {"run": run}
        await driver.peer.request("run/stop", {})
        assert (await driver.until_ended())["code"] == 130

    async with engine(place) as driver:
        await driver.peer.request("run/resume", {"run": run, "cache": False})
        assert (await driver.until_ended())["code"] == 0
    assert place.commits(place.branch()) == demo.place.commits(demo.place.branch())


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({}, "idea is missing"),
        ({"idea": "x", "colour": "red"}, "unknown options: ['colour']"),
        ({"idea": " "}, "The idea is empty"),
        ({"idea": "x", "yes": "perhaps"}, "yes"),
        ({"idea": "x", "budget_minutes": -1}, "--budget-minutes"),
        ({"idea": "x", "planner": "os.system('x')"}, "names no planner class"),
    ],
)
async def test_wrong_options_are_refused_and_the_process_lives(place: Place, params, said) -> None:
    async with engine(place) as driver:
        with pytest.raises(RpcError) as caught:
            await driver.peer.request("run/plan", params)
        assert caught.value.code == INVALID_PARAMS
        assert said in str(caught.value)
        with pytest.raises(RpcError, match="run is a text"):
            await driver.peer.request("run/resume", {"run": 5})


async def test_a_run_that_cannot_begin_says_why(place: Place) -> None:
    async with engine(place) as driver:
        with pytest.raises(RpcError, match="could not begin"):
            await driver.peer.request("run/resume", {"run": "nothing"})
        told = await driver.until_ended()
    assert (told["code"], told["run"]) == (2, "")
    assert told["message"].startswith("No run begins with 'nothing'")


async def test_what_the_process_prints_keeps_out_of_the_protocol(place: Place) -> None:
    (place.root / "workspace").mkdir()
    (place.workspace / "asyncio.py").write_text("print('shadowed')")
    async with engine(place) as driver:
        with pytest.raises(RpcError):
            await driver.peer.request("run/plan", {})
    assert os.listdir(place.workspace) == ["asyncio.py"]  # noqa: PTH208


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({}, "should be an object"),
        ({"request": {"what": "fix", "path": "a.py"}}, "text"),
        ({"request": {"what": "fix", "path": "a.py", "text": "", "first": 0}}, "first"),
        ({"request": {"what": "fix", "path": "a.py", "text": ""}, "agent": 5}, "agent and model are texts"),
    ],
)
async def test_wrong_code_actions_are_refused_and_the_process_lives(place: Place, params, said) -> None:
    async with engine(place) as driver:
        with pytest.raises(RpcError) as caught:
            await driver.peer.request("code/act", params)
        assert caught.value.code == INVALID_PARAMS
        assert said in str(caught.value)
        assert await driver.peer.request("code/offers", {}) == {"offers": {}, "problems": []}
