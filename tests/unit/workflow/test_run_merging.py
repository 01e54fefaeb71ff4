"""Tasks of a run on their way into the merge queue: with git, the sandbox and the engine, and code from a script."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from agentinfra.agents.project import Verdict, Workbench
from agentinfra.agents.test_suite import Case, Suite
from agentinfra.core.tasks import Task, TaskState
from agentinfra.environment.git_workspace import GitWorkspace
from agentinfra.models.scripted_model import ScriptedModel
from agentinfra.proof.pytest_runner import PytestRunner
from agentinfra.security.sandbox.detect import choose_sandbox
from agentinfra.spec.requirements import Example, Ground, Requirement, Spec
from agentinfra.workflow.event_log import SqliteEventLog
from agentinfra.workflow.leases import LeasedSandbox, LeasePool
from agentinfra.workflow.memory_engine import MemoryEngine
from agentinfra.workflow.run import MAX_RETURNS, Run
from agentinfra.workflow.run_options import RunOptions
from agentinfra.workflow.run_parts import RunParts
from agentinfra.workflow.run_state import reduce

DATE = "2026-01-02T03:04:05"
Code = Callable[[Workbench], Awaitable[Mapping[str, str]]]


@pytest.fixture(autouse=True)
def own_git(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)


class Place:
    """A run without a planner: tasks, their tests, and code that stands in for MicroAgents.

    Args:
        folder: An empty folder.
        parallel: Tasks at once.
    """

    def __init__(self, folder: Path, sandbox: LeasedSandbox, pool: LeasePool, parallel: int) -> None:
        self.log = SqliteEventLog(folder / "events.db")
        self.git = GitWorkspace.open(folder / "work", init=True, scratch=folder / "scratch")
        self.benches: dict[str, list[Workbench]] = {}
        parts = RunParts(
            MemoryEngine(),
            self.log,
            self.git,
            PytestRunner(sandbox),
            human=cast("Any", None),
            files=cast("Any", None),
            model_for=lambda _: ScriptedModel([]),
            parallel=parallel,
            commit_date=DATE,
            leases=pool,
        )
        self.run = Run("r1", RunOptions("an idea", folder / "work"), parts)

    async def begin(self, tasks: list[Task], base: Mapping[str, str]) -> None:
        self.run.start = await self.git.start_branch("r1", date=DATE)
        await self.git.commit_files("r1", base, "Begin", {}, DATE)
        requirements = tuple(
            Requirement(f"FR-{task.id}", task.title, "It does.", task.files[0], task.symbols) for task in tasks
        )
        self.run.spec = Spec("Numbers", "an idea", "", requirements)
        await self.run.publish_tasks(tasks)

    async def engineer(self, own: list[Task], code: Mapping[str, Code], suites: Mapping[str, Suite]) -> None:
        for task in own:
            assert (await self.run.lock_tests(task, suites[task.id])).ok

        async def work(bench: Workbench) -> Verdict:
            self.benches.setdefault(bench.task.id, []).append(bench)
            return await bench.submit(await code[bench.task.id](bench))

        await self.run.run_tasks(own, work)

    async def carry(self, engineers: Mapping[str, list[Task]], code: Mapping[str, Code], suites: Any) -> None:
        """Have the engineers do their tasks side by side, as workflows of a run."""

        async def job(_: Any) -> None:
            await self.run.delegate(
                [(name, lambda own=own: self.engineer(own, code, suites)) for name, own in engineers.items()]
            )

        self.run.parts.engine.register("job", job)
        async with asyncio.timeout(90):
            await self.run.parts.engine.run("job", "r1", {})

    def told(self, kind: str) -> list[Mapping[str, Any]]:
        return [event.data for event in self.log.read("r1") if event.kind == kind]


def task(number: int, *, needs: tuple[str, ...] = (), engineer: str = "Backend") -> Task:
    """A task that writes no Python, so that nothing but its tests is run."""
    name = f"T-{number}"
    return Task(name, f"Write m{number}", (f"FR-{name}",), (f"m{number}.txt",), (), needs, (), engineer)


def suite(number: int) -> Suite:
    call = f"[path.read_text() for path in Path().glob('m{number}.txt')]"
    case = Case("test_0", f"FR-T-{number}", Example(call, "returns", f"['{number}']", ground=Ground.STATED))
    return Suite(f"tests/test_m{number}.py", f"m{number}", (case,), ())


def writes(number: int, more: Mapping[str, str] | None = None, delay: float = 0.0) -> Code:
    async def code(_: Workbench) -> Mapping[str, str]:
        await asyncio.sleep(delay)
        return {f"m{number}.txt": str(number), **(more or {})}

    return code


@pytest.fixture
async def make(tmp_path: Path) -> Any:
    sandbox = await choose_sandbox(allow_unsandboxed=False)
    made: list[Place] = []

    def place(name: str, parallel: int) -> Place:
        (tmp_path / name).mkdir()
        pool = LeasePool(tmp_path / "leases")
        made.append(Place(tmp_path / name, LeasedSandbox(sandbox, pool), pool, parallel))
        return made[-1]

    yield place
    for one in made:
        one.log.close()


LIMIT = {"limit.py": "LIMIT = 10\n", "pytest.ini": "[pytest]\npythonpath = .\n"}


async def test_what_conflicts_is_done_again_on_top_and_sees_the_conflict(make: Callable[..., Place]) -> None:
    place = make("a", 3)
    tasks = [task(1), task(2), task(3)]
    started = asyncio.Barrier(2)

    def limits(number: int) -> Code:
        async def code(bench: Workbench) -> Mapping[str, str]:
            before = await bench.read("limit.py")
            if not bench.evidence:
                await started.wait()
            return {**await writes(number)(bench), "limit.py": f"{before.rstrip()} + {number}\n"}

        return code

    await place.begin(tasks, LIMIT)
    code = {"T-1": limits(1), "T-2": limits(2), "T-3": writes(3)}
    await place.carry({"Backend": tasks}, code, {f"T-{n}": suite(n) for n in (1, 2, 3)})

    state = reduce(place.log.read("r1"))
    assert {one.state for one in state.tasks} == {TaskState.DONE}
    limit = await place.git.read_file("agentinfra/r1", "limit.py")
    assert limit in ("LIMIT = 10 + 1 + 2\n", "LIMIT = 10 + 2 + 1\n")
    (returned,) = [data for data in place.told("change_resolved") if data["decision"] == "returned"]
    assert returned["reason"] == "It conflicts in limit.py"
    first, again = place.benches[returned["task"]]
    assert first.evidence == ""
    assert "<<<<<<< on the branch" in again.evidence
    assert " + " in await again.read("limit.py")
    assert state.commits.keys() == {"T-1", "T-2", "T-3"}


async def test_who_breaks_the_merged_tree_is_blocked_after_some_returns_and_named(make: Callable[..., Place]) -> None:
    place = make("a", 2)
    tasks = [task(1), task(2, needs=("T-1",)), task(3, needs=("T-2",))]
    await place.begin(tasks, LIMIT)
    breaks = writes(2, {"m1.txt": "changed"})
    code = {"T-1": writes(1), "T-2": breaks, "T-3": writes(3)}
    await place.carry({"Backend": tasks}, code, {f"T-{n}": suite(n) for n in (1, 2, 3)})

    states = {one.id: one for one in reduce(place.log.read("r1")).tasks}
    assert [one.state.value for one in states.values()] == ["done", "blocked", "skipped"]
    assert "tests/test_m1.py::test_0" in states["T-2"].reason
    assert len(place.benches["T-2"]) == MAX_RETURNS + 1
    (told, *_) = [data for data in place.told("test_result") if data["phase"] == "merge" and data["triage"]]
    assert set(told["triage"].values()) == {"new"}
    assert told["together"] == ["T-2"]


async def test_a_worktree_shows_what_was_merged_when_its_task_started(make: Callable[..., Place]) -> None:
    place = make("a", 1)
    tasks = [task(1), task(2)]
    await place.begin(tasks, LIMIT)
    seen: list[str] = []

    async def looks(bench: Workbench) -> Mapping[str, str]:
        seen.append(await bench.read("m1.txt"))
        return await writes(2)(bench)

    await place.carry({"Backend": tasks}, {"T-1": writes(1), "T-2": looks}, {f"T-{n}": suite(n) for n in (1, 2)})
    assert seen == ["1"]


async def test_two_engineers_merge_in_the_same_order_whatever_their_speed(make: Callable[..., Place]) -> None:
    commits: set[tuple[str, ...]] = set()
    for seed in range(2):
        place, chance = make(str(seed), 1), random.Random(seed)
        back = [task(1), task(4, needs=("T-2",))]
        front = [task(2, engineer="Frontend"), task(3, needs=("T-1",), engineer="Frontend")]
        await place.begin([*back, *front], LIMIT)
        code = {f"T-{number}": writes(number, delay=chance.uniform(0, 0.3)) for number in range(1, 5)}
        engineers = {"Backend": back, "Frontend": front}
        await place.carry(
            dict(sorted(engineers.items(), reverse=bool(seed))), code, {t: suite(int(t[2:])) for t in code}
        )
        commits.add(tuple(commit.sha for commit in await place.git.log("r1")))
        assert len(await place.git.merged_tasks("r1")) == 4
    assert len(commits) == 1
