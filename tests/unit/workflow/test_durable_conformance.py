"""What every durable engine does, whatever keeps its record."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from agentinfra.core.errors import BudgetExceeded, EngineError, InputError, ModelUnavailable, RunStopped, SandboxError
from agentinfra.workflow.durable import DbosEngine
from agentinfra.workflow.execution import BaseEngine
from agentinfra.workflow.memory_engine import MemoryEngine


class Machine:
    """An engine that can be shut down and started again on the same record."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.calls: list[str] = []
        self._kind = kind
        self._folder = folder
        self._functions: dict[str, Callable[[Any], Awaitable[Any]]] = {}
        self.engine = self._new(None)

    def register(self, name: str, function: Callable[[Any], Awaitable[Any]]) -> None:
        self._functions[name] = function
        self.engine.register(name, function)

    def step(self, name: str, value: Any = None) -> Awaitable[Any]:
        """A step of the current workflow that notes its call."""
        return self.engine.step(name, self.noted(name, value))

    def noted(self, name: str, value: Any = None) -> Callable[[], Awaitable[Any]]:
        async def function() -> Any:
            self.calls.append(name)
            if isinstance(value, BaseException):
                raise value
            return value

        return function

    async def restart(self) -> None:
        await self.engine.close()
        self.engine = self._new(self.engine)
        for name, function in self._functions.items():
            self.engine.register(name, function)

    async def until(self, call: str) -> None:
        async with asyncio.timeout(10):
            while call not in self.calls:
                await asyncio.sleep(0.002)

    def _new(self, old: BaseEngine | None) -> BaseEngine:
        if self._kind == "dbos":
            return DbosEngine(self._folder / "runs.db", "test")
        return MemoryEngine(old.records if isinstance(old, MemoryEngine) else None)


@pytest.fixture(params=["memory", "dbos"])
async def machine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Machine]:
    machine = Machine(request.param, tmp_path)
    yield machine
    await machine.engine.close()


async def test_a_result_is_json_and_recorded(machine: Machine) -> None:
    async def work(argument: Any) -> Any:
        return await machine.step("add", (argument["a"], {1: "one"}))

    machine.register("work", work)
    for _ in range(2):
        assert await machine.engine.run("work", "w", {"a": 1}) == [1, {"1": "one"}]
    await machine.restart()
    assert await machine.engine.run("work", "w", {"a": 1}) == [1, {"1": "one"}]
    assert await machine.engine.result("w") == [1, {"1": "one"}]
    assert machine.calls == ["add"]


async def test_finished_steps_are_not_run_again_and_the_one_in_flight_is(machine: Machine) -> None:
    async def second() -> str:
        machine.calls.append("second")
        if machine.calls.count("second") == 1:
            await asyncio.sleep(60)
        return "two"

    async def work(argument: Any) -> Any:
        return [await machine.step("first", "one"), await machine.engine.step("second", second)]

    machine.register("work", work)
    running = asyncio.create_task(machine.engine.run("work", "w", None))
    await machine.until("second")
    await machine.restart()
    with pytest.raises(RunStopped):
        await running
    assert await machine.engine.run("work", "w", None) == ["one", "two"]
    assert machine.calls == ["first", "second", "second"]


async def test_children_run_side_by_side_and_only_the_unfinished_again(machine: Machine) -> None:
    gate = asyncio.Event()

    async def child(number: int) -> int:
        await machine.step(f"child {number}")
        if number == 7:
            machine.calls.append("waiting")
            await gate.wait()
        return number * 2

    async def parent(argument: Any) -> Any:
        for number in range(10):
            await machine.engine.start("child", f"p/{number}", number)
        return [await machine.engine.result(f"p/{number}") for number in range(10)]

    machine.register("child", child)
    machine.register("parent", parent)
    running = asyncio.create_task(machine.engine.run("parent", "p", None))
    for number in range(10):
        await machine.until(f"child {number}")
    await asyncio.gather(*(machine.engine.result(f"p/{number}") for number in range(10) if number != 7))
    await machine.until("waiting")
    await machine.restart()
    with pytest.raises(RunStopped):
        await running
    gate.set()
    assert await machine.engine.run("parent", "p", None) == [number * 2 for number in range(10)]
    assert sorted(machine.calls) == sorted([*(f"child {number}" for number in range(10)), "waiting", "waiting"])


async def test_the_error_of_a_step_is_raised_again_with_its_type(machine: Machine) -> None:
    async def work(argument: Any) -> Any:
        try:
            await machine.step("spend", BudgetExceeded("No money left", why="It was 1 USD", next_step="Buy more"))
        except BudgetExceeded as error:
            await machine.step("pause", RunStopped("paused") if argument not in machine.calls else None)
            return str(error)

    machine.register("work", work)
    with pytest.raises(RunStopped):
        await machine.engine.run("work", "w", "resume")
    machine.calls.append("resume")
    await machine.restart()
    assert await machine.engine.run("work", "w", "resume") == "No money left. It was 1 USD. Buy more."
    assert machine.calls == ["spend", "pause", "resume", "pause"]


async def test_a_failed_workflow_stays_failed(machine: Machine) -> None:
    async def work(argument: Any) -> Any:
        machine.calls.append("work")
        raise InputError("Empty idea", next_step="Say what to build")

    machine.register("work", work)
    for _ in range(2):
        with pytest.raises(InputError, match="Say what to build"):
            await machine.engine.run("work", "w", None)
    await machine.restart()
    with pytest.raises(InputError, match="Say what to build"):
        await machine.engine.run("work", "w", None)
    with pytest.raises(InputError):
        await machine.engine.result("w")
    assert machine.calls == ["work"]


async def test_foreign_errors_become_engine_errors_the_first_time_too(machine: Machine) -> None:
    async def step_fails(argument: Any) -> Any:
        try:
            await machine.step("divide", ZeroDivisionError("by zero"))
        except EngineError as error:
            return str(error)

    async def workflow_fails(argument: Any) -> Any:
        raise KeyError("missing")

    machine.register("step", step_fails)
    machine.register("workflow", workflow_fails)
    assert "ZeroDivisionError: by zero" in await machine.engine.run("step", "s", None)
    for _ in range(2):
        with pytest.raises(EngineError, match="KeyError: 'missing'"):
            await machine.engine.run("workflow", "w", None)
        await machine.restart()


async def test_what_is_no_json_is_refused(machine: Machine) -> None:
    async def work(argument: Any) -> Any:
        return await machine.step("set", {1, 2})

    machine.register("work", work)
    with pytest.raises(EngineError, match=r"Step set of workflow w must .* JSON"):
        await machine.engine.run("work", "w", None)
    with pytest.raises(EngineError, match="JSON"):
        await machine.engine.run("work", "v", object())


async def test_cancel_is_quick_reaches_children_and_leaves_all_resumable(machine: Machine) -> None:
    async def wait() -> str:
        machine.calls.append("wait")
        await asyncio.sleep(0 if machine.calls.count("wait") > 1 else 60)
        return "waited"

    async def child(argument: Any) -> Any:
        return await machine.engine.step("wait", wait)

    async def parent(argument: Any) -> Any:
        await machine.step("before")
        await machine.engine.start("child", "p/c", None)
        return await machine.engine.result("p/c")

    machine.register("child", child)
    machine.register("parent", parent)
    running = asyncio.create_task(machine.engine.run("parent", "p", None))
    await machine.until("wait")
    began = time.monotonic()
    await machine.engine.cancel("p")
    assert time.monotonic() - began < 1
    with pytest.raises(RunStopped):
        await running
    with pytest.raises(RunStopped):
        await machine.engine.result("p/c")
    assert await machine.engine.run("parent", "p", None) == "waited"
    assert machine.calls == ["before", "wait", "wait"]
    await machine.engine.cancel("p")
    await machine.engine.cancel("unknown")


async def test_cancelling_the_caller_stops_the_run_but_cancelling_a_joiner_does_not(machine: Machine) -> None:
    gate = asyncio.Event()

    async def work(argument: Any) -> Any:
        machine.calls.append("work")
        await gate.wait()
        return "done"

    machine.register("work", work)
    owner = asyncio.create_task(machine.engine.run("work", "w", None))
    await machine.until("work")
    joiner, other = (asyncio.create_task(machine.engine.run("work", "w", None)) for _ in range(2))
    await asyncio.sleep(0.01)
    joiner.cancel()
    await asyncio.wait([joiner])
    assert not owner.done()
    owner.cancel()
    await asyncio.wait([owner])
    assert owner.cancelled()
    with pytest.raises(RunStopped):
        await other
    gate.set()
    assert await machine.engine.run("work", "w", None) == "done"


async def test_run_again_while_it_stops_waits_and_then_resumes(machine: Machine) -> None:
    async def work(argument: Any) -> Any:
        machine.calls.append("work")
        if machine.calls.count("work") == 1:
            try:
                await asyncio.sleep(60)
            finally:
                await asyncio.sleep(0.05)
                machine.calls.append("cleaned")
        return "done"

    machine.register("work", work)
    running = asyncio.create_task(machine.engine.run("work", "w", None))
    await machine.until("work")
    stopping = asyncio.create_task(machine.engine.cancel("w"))
    await asyncio.sleep(0)
    assert await machine.engine.run("work", "w", None) == "done"
    assert machine.calls == ["work", "cleaned", "work"]
    await stopping
    await asyncio.wait([running])
    assert isinstance(running.exception(), RunStopped)


@pytest.mark.parametrize("in_step", [True, False])
async def test_what_fails_while_it_is_stopped_is_not_recorded(machine: Machine, in_step: bool) -> None:
    async def tidied_badly() -> str:
        machine.calls.append("work")
        if machine.calls.count("work") == 1:
            try:
                await asyncio.sleep(60)
            finally:
                raise SandboxError("A folder vanished while it was cleared away")
        return "done"

    async def work(argument: Any) -> Any:
        return await (machine.engine.step("tidy", tidied_badly) if in_step else tidied_badly())

    machine.register("work", work)
    running = asyncio.create_task(machine.engine.run("work", "w", None))
    await machine.until("work")
    await machine.engine.cancel("w")
    await asyncio.wait([running])
    assert isinstance(running.exception(), RunStopped)
    assert await machine.engine.run("work", "w", None) == "done"


async def test_a_stopped_reason_reaches_the_caller_and_is_not_recorded(machine: Machine) -> None:
    async def work(argument: Any) -> Any:
        try:
            return await machine.step("ask", ModelUnavailable("No network") if not machine.calls else "hello")
        except ModelUnavailable as error:
            raise RunStopped("Paused: no network") from error

    async def stops(argument: Any) -> Any:
        machine.calls.append("stops")
        if machine.calls.count("stops") == 1:
            raise RunStopped("Paused: no network")
        return "hello"

    machine.register("work", work)
    machine.register("stops", stops)
    for _ in range(2):
        with pytest.raises(RunStopped, match="no network"):
            await machine.engine.run("work", "w", None)
    assert machine.calls == ["ask"]  # the error is the step's outcome, so only the workflow part runs again
    with pytest.raises(RunStopped, match="no network"):
        await machine.engine.run("stops", "s", None)
    assert await machine.engine.run("stops", "s", None) == "hello"


async def test_children_do_not_outlive_a_parent_that_fails(machine: Machine) -> None:
    async def child(argument: Any) -> Any:
        machine.calls.append("child")
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            machine.calls.append("child stopped")
            raise

    async def parent(argument: Any) -> Any:
        await machine.engine.start("child", "p/c", None)
        await machine.until("child")
        raise InputError("no")

    machine.register("child", child)
    machine.register("parent", parent)
    with pytest.raises(InputError):
        await machine.engine.run("parent", "p", None)
    await machine.until("child stopped")


async def test_keys_are_the_same_after_a_replay_and_unique(machine: Machine) -> None:
    keys: list[list[str]] = [[], []]
    attempt = 0

    async def with_keys() -> Any:
        keys[attempt].append(machine.engine.next_key())
        return machine.engine.workflow_id

    async def work(argument: Any) -> Any:
        keys[attempt].append(machine.engine.next_key())
        assert await machine.engine.step("one", with_keys) == "w"
        keys[attempt].append(machine.engine.next_key())
        await asyncio.create_task(noted_in_task())
        if attempt == 0:
            raise RunStopped("later")
        await machine.engine.step("two", with_keys)

    async def noted_in_task() -> None:
        keys[attempt].append(machine.engine.next_key())

    machine.register("work", work)
    with pytest.raises(RunStopped):
        await machine.engine.run("work", "w", None)
    attempt = 1
    await machine.engine.run("work", "w", None)
    assert keys == [["w/0", "w/0.0", "w/1", "w/2"], ["w/0", "w/1", "w/2", "w/1.0"]]
    assert machine.engine.next_key() == ""
    assert machine.engine.workflow_id == ""


async def test_steps_and_keys_work_from_threads_that_call_back(machine: Machine) -> None:
    async def work(argument: Any) -> Any:
        loop = asyncio.get_running_loop()

        def synchronous_agent() -> list[str]:
            key = machine.engine.next_key()
            called = asyncio.run_coroutine_threadsafe(as_coroutine(machine.step("from thread", "value")), loop)
            inner = asyncio.run_coroutine_threadsafe(key_of_loop(), loop)
            return [key, called.result(10), inner.result(10)]

        found = await asyncio.to_thread(synchronous_agent)
        if "again" not in machine.calls:
            raise RunStopped("later")
        return [*found, machine.engine.next_key()]

    async def as_coroutine(work: Awaitable[Any]) -> Any:
        return await work

    async def key_of_loop() -> str:
        return machine.engine.next_key()

    machine.register("work", work)
    with pytest.raises(RunStopped):
        await machine.engine.run("work", "w", None)
    machine.calls.append("again")
    await machine.restart()
    assert await machine.engine.run("work", "w", None) == ["w/0", "value", "w/1", "w/2"]
    assert machine.calls == ["from thread", "again"]


async def test_cancel_stops_a_step_that_a_thread_waits_for(machine: Machine) -> None:
    seen: list[BaseException] = []

    async def forever() -> None:
        machine.calls.append("forever")
        await asyncio.sleep(60)

    async def work(argument: Any) -> Any:
        loop = asyncio.get_running_loop()

        def synchronous_agent() -> None:
            for _ in range(2):
                try:
                    asyncio.run_coroutine_threadsafe(machine.engine.step("forever", forever), loop).result(10)
                except BaseException as error:
                    seen.append(error)
            machine.calls.append("thread over")

        await asyncio.to_thread(synchronous_agent)

    machine.register("work", work)
    running = asyncio.create_task(machine.engine.run("work", "w", None))
    await machine.until("forever")
    await machine.engine.cancel("w")
    await asyncio.wait([running])
    await machine.until("thread over")
    assert machine.calls == ["forever", "thread over"]
    assert [type(error).__name__ for error in seen] == ["CancelledError", "RunStopped"]


async def test_a_step_within_a_step_just_runs(machine: Machine) -> None:
    async def inner() -> str:
        machine.calls.append("inner")
        return machine.engine.next_key()

    async def outer() -> str:
        return await machine.engine.step("inner", inner)

    async def work(argument: Any) -> Any:
        return [await machine.engine.step("outer", outer), await machine.step("after", "next")]

    machine.register("work", work)
    assert await machine.engine.run("work", "w", None) == ["w/0.0", "next"]
    assert await machine.step("outside", "plain") == "plain"
    assert machine.calls == ["inner", "after", "outside"]


async def test_start_is_idempotent_and_an_id_keeps_its_name_and_argument(machine: Machine) -> None:
    async def work(argument: Any) -> Any:
        return await machine.step("work", argument)

    machine.register("work", work)
    machine.register("other", work)
    for _ in range(2):
        await machine.engine.start("work", "w", (1,))
    assert await machine.engine.result("w") == [1]
    assert machine.calls == ["work"]
    for name, argument in (("work", 2), ("other", [1])):
        with pytest.raises(EngineError, match="Workflow w exists"):
            await machine.engine.run(name, "w", argument)
    with pytest.raises(EngineError, match="registered as unknown"):
        await machine.engine.run("unknown", "u", None)
    with pytest.raises(EngineError, match="no workflow nothing"):
        await machine.engine.result("nothing")


async def test_steps_in_another_order_are_noticed(machine: Machine) -> None:
    async def work(argument: Any) -> Any:
        await machine.step("second" if machine.calls else "first")
        raise RunStopped("later")

    machine.register("work", work)
    with pytest.raises(RunStopped):
        await machine.engine.run("work", "w", None)
    with pytest.raises(EngineError, match="Step 0 of workflow w"):
        await machine.engine.run("work", "w", None)


async def test_a_workflow_cancelled_before_it_began_does_not_begin(machine: Machine) -> None:
    async def work(argument: Any) -> Any:
        machine.calls.append("work")

    machine.register("work", work)
    await machine.engine.run("work", "warm", None)
    starting = asyncio.create_task(machine.engine.start("work", "w", None))
    await asyncio.sleep(0)
    await machine.engine.cancel("w")
    await starting
    assert machine.calls == ["work"]
    with pytest.raises(RunStopped):
        await machine.engine.result("w")
    await machine.engine.run("work", "w", None)
    assert machine.calls == ["work", "work"]


async def test_a_step_in_flight_is_cancelled_when_its_workflow_ends(machine: Machine) -> None:
    async def long() -> None:
        machine.calls.append("long")
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            machine.calls.append("cancelled")
            raise

    async def work(argument: Any) -> Any:
        beside = asyncio.create_task(machine.engine.step("long", long))
        beside.add_done_callback(lambda task: task.cancelled() or task.exception())
        await machine.until("long")

    machine.register("work", work)
    await machine.engine.run("work", "w", None)
    await machine.until("cancelled")


async def test_a_task_that_outlives_its_workflow_makes_no_steps(machine: Machine) -> None:
    late: list[asyncio.Task[Any]] = []
    gate = asyncio.Event()

    async def afterwards() -> Any:
        await gate.wait()
        return await machine.step("late")

    async def work(argument: Any) -> Any:
        late.append(asyncio.create_task(afterwards()))

    machine.register("work", work)
    await machine.engine.run("work", "w", None)
    gate.set()
    with pytest.raises(EngineError, match="Workflow w is over"):
        await late[0]
    assert machine.calls == []


async def test_close_stops_what_runs_and_is_safe_twice(machine: Machine) -> None:
    async def work(argument: Any) -> Any:
        machine.calls.append("work")
        await asyncio.sleep(60)

    machine.register("work", work)
    running = asyncio.create_task(machine.engine.run("work", "w", None))
    await machine.until("work")
    began = time.monotonic()
    await machine.engine.close()
    await machine.engine.close()
    assert time.monotonic() - began < 2
    with pytest.raises(RunStopped):
        await running
    assert await asyncio.to_thread(lambda: "threads still work") == "threads still work"
