"""What agents of a run are told, who sees what is shared, and what is left of it when the run is over."""

import os
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, cast

import pytest

from agentinfra.core.errors import ConfigError, InputError, RunStopped
from agentinfra.core.events import EventDraft
from agentinfra.core.tasks import Task
from agentinfra.environment.git_workspace import GitWorkspace
from agentinfra.memory.long_term_memory import LongTermMemory, project_memory
from agentinfra.memory.statement import Statement
from agentinfra.workflow.event_log import SqliteEventLog
from agentinfra.workflow.memory_engine import MemoryEngine
from agentinfra.workflow.run import Run
from agentinfra.workflow.run_memory import RunMemory
from agentinfra.workflow.run_options import RunOptions
from agentinfra.workflow.run_parts import RunParts
from tests.unit.run_events import RUN, RunEvents, task

PLANNER, BACKEND = ("planner",), ("planner", "backend")
MICRO = (*BACKEND, "MicroAgent:T-2")
FORMAT = Task("T-2", "format_time(minutes)", (), ("pace.py",), (), engineer="backend")
WATER = Task("T-3", "water_litres(minutes)", (), ("pace.py",), (), engineer="packing")


@pytest.fixture(autouse=True)
def own_git(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)


@pytest.fixture
def log(tmp_path: Path):
    opened = SqliteEventLog(tmp_path / "events.db")
    yield opened
    opened.close()


@pytest.fixture
def git(tmp_path: Path) -> GitWorkspace:
    """A repository with a commit."""
    opened = GitWorkspace.open(tmp_path / "work", init=True, scratch=tmp_path / "scratch")
    commit(tmp_path / "work")
    return opened


@pytest.fixture
async def opened(tmp_path: Path, log: SqliteEventLog, git: GitWorkspace) -> AsyncIterator[Callable[..., RunMemory]]:
    """Opens the run's memory, as each process does that works on it."""
    memories: list[RunMemory] = []

    def make(repository: GitWorkspace = git, **options: Any) -> RunMemory:
        project = project_memory(tmp_path / "work", tmp_path / "data")
        memories.append(RunMemory(RUN, log, repository, tmp_path / "run", project, **options))
        return memories[-1]

    yield make
    for one in memories:
        await one.aclose()


def commit(root: Path) -> None:
    (root / "README.md").write_text("Hikes\n")
    told = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    for arguments in (("add", "."), (*told, "commit", "-qm", "Begin")):
        subprocess.run(["git", *arguments], cwd=root, check=True)


def happened(log: SqliteEventLog, run: RunEvents) -> None:
    for event in run.events:
        log.append(RUN, EventDraft(event.kind, event.data, event.agent))


def one_task_done() -> RunEvents:
    """T-1 failed first and was then solved; a person answered a question."""
    run = (
        RunEvents().begin().add("question", id="Q-1", text="Round up?").add("answer", id="Q-1", text="no", by="person")
    )
    tasks = [
        task("T-1", "walking_minutes(km)"),
        task("T-2", FORMAT.title),
        task("T-3", WATER.title, engineer="packing"),
    ]
    run.planned(*tasks)
    failed = [{"id": "tests/test_pace.py::test_1", "outcome": "failed", "message": "assert 61 == 60"}]
    run.add("test_result", task="T-1", phase="attempt", tests=failed)
    return run.add("agent_state", task="T-1", state="done")


async def learnt(tmp_path: Path) -> dict[str, str]:
    """The texts that the project remembers, with their authors."""
    memory = project_memory(tmp_path / "work", tmp_path / "data")
    try:
        return {one.text: one.author for one in await memory.records()}
    finally:
        await memory.aclose()


async def test_what_a_task_taught_is_told_to_the_others_of_its_engineer_and_an_answer_to_all(opened, log) -> None:
    memory = opened()
    happened(log, one_task_done())
    told = await memory.recall(FORMAT)
    assert "walking_minutes(km) in pace.py: what failed first was test_1: assert 61 == 60" in told
    assert await memory.recall(FORMAT) == told
    assert "what failed" not in await memory.recall(WATER)
    rounding = Task("T-4", "round up", (), (), (), engineer="packing")
    assert "Round up? no" in await memory.recall(rounding)


async def test_a_run_that_read_the_web_marks_what_it_found_out(opened, log) -> None:
    memory = opened()
    happened(log, one_task_done().add("tool_call", id="1", title="fetch", kind="fetch"))
    [line] = [line for line in (await memory.recall(FORMAT)).splitlines() if "what failed" in line]
    assert "UNTRUSTED" in line


async def test_a_child_sees_what_its_parent_shares_and_no_one_elses(opened) -> None:
    memory = opened()
    planner, engineer = memory.of(PLANNER), memory.of(BACKEND)
    await planner.remember(Statement("fact", "the client is in Japan"), share=True)
    await planner.remember(Statement("fact", "Japan was a guess"))
    await engineer.remember(Statement("fact", "Japan uses metres", tainted=True), share=True)

    async def seen(agent: tuple[str, ...]) -> dict[str, bool]:
        return {one.record.text: one.record.tainted for one in await memory.of(agent).recall("japan")}

    shared = {"the client is in Japan": False}
    assert await seen(MICRO) == {**shared, "Japan uses metres": True}
    assert await seen(("planner", "packing")) == shared
    assert await seen(PLANNER) == {**shared, "Japan was a guess": False}
    assert await seen(("planner", "a/b*", "*")) == shared  # names that would mean another scope


async def test_the_runs_word_counts_more_than_the_projects_and_that_more_than_the_users(opened, tmp_path) -> None:
    memory = opened()
    project = project_memory(tmp_path / "work", tmp_path / "data")
    for place, said in ((project.above, "tabs"), (project, "two spaces")):
        await place.remember(Statement("convention", f"Indent with {said}.", "indentation", author="engine"))
    await project.above.remember(Statement("convention", "Indent SQL by hand.", "SQL"))

    async def told() -> str:
        return await memory.recall(Task("T-9", "indent with", (), (), (), engineer="backend"))

    assert "two spaces" in await told() and "by hand" in await told() and "tabs" not in await told()
    await memory.of(BACKEND).remember(
        Statement("convention", "Indent with four spaces.", "indentation", author="engine"), share=True
    )
    assert "four spaces" in await told() and "two spaces" not in await told()
    assert "two spaces" in str(await project.recall("indent with"))
    await project.aclose()


async def test_a_project_that_begins_is_told_of_its_own_run_alone(opened, log, tmp_path) -> None:
    memory = opened(GitWorkspace.open(tmp_path / "new", init=True, scratch=tmp_path / "scratch-2"))
    await (above := project_memory(tmp_path / "work", tmp_path / "data")).astore("format_time is slow")
    await above.aclose()
    assert await memory.recall(FORMAT) == ""
    happened(log, one_task_done())
    assert "what failed" in await memory.recall(FORMAT) and "slow" not in await memory.recall(FORMAT)
    assert "slow" in await opened().recall(FORMAT)


async def test_only_what_the_planner_orders_and_the_engine_saw_outlives_the_run(opened, log, tmp_path) -> None:
    memory = opened()
    happened(log, one_task_done())
    await memory.recall(FORMAT)
    planner, micro = memory.of(PLANNER), memory.of(MICRO)
    await planner.remember(Statement("rule", "Money is in cents."), share=True)
    await planner.remember(Statement("decision", "Ask nobody.", tainted=True), share=True)
    await planner.remember(Statement("fact", "Only a thought."))
    await planner.remember(Statement("fact", "A tool said so.", author="search"), share=True)
    await micro.remember(Statement("fact", "I am great.", author="planner"), share=True)
    for author in ("person", "planner", "MicroAgent"):
        with pytest.raises(InputError, match="Rules are written by"):
            await micro.remember(Statement("rule", "Skip the tests.", author=author))
    assert "I am great." in {one.text for one in await micro.records() if one.author == "MicroAgent:T-2"}
    for _ in range(2):
        await memory.learn()
    kept = await learnt(tmp_path)
    lesson = "walking_minutes(km) in pace.py: what failed first was test_1: assert 61 == 60"
    assert kept == {lesson: "engine", "Round up? no": "person", "Money is in cents.": "planner"}
    assert list((tmp_path / "run").iterdir()) == []  # what was learnt is in the project's memory, and forgotten there


async def test_a_task_that_is_done_again_later_is_told_what_was_learnt(opened, log) -> None:
    happened(log, one_task_done())
    first = opened()
    told = await first.recall(FORMAT)
    await first.learn()
    await first.aclose()
    assert told and await opened().recall(FORMAT) == told


async def test_a_file_that_cannot_be_removed_is_told(opened, log, tmp_path) -> None:
    (tmp_path / "run" / "memory.db.damaged").mkdir(parents=True)
    memory = opened()
    await memory.learn()
    [event] = log.read(RUN)
    assert event.data["text"].startswith("The run's own memory stays in its folder: ")


async def test_what_was_shared_is_there_after_a_resume_and_once(opened, log) -> None:
    happened(log, one_task_done())
    first = opened()
    told = await first.recall(FORMAT)
    await first.of(PLANNER).remember(Statement("fact", "format_time counts in minutes"), share=True)
    await first.aclose()
    again = opened()
    assert set((await again.recall(FORMAT)).splitlines()) - set(told.splitlines()) == {
        "- [fact] format_time counts in minutes"
    }
    assert len([one for one in await again.of(MICRO).records() if one.kind == "lesson"]) == 1


async def test_what_goes_on_record_does_not_depend_on_what_was_learnt(opened, log, tmp_path) -> None:
    memory = opened(is_told=False)
    run = run_with(memory, log, tmp_path)
    happened(log, one_task_done())
    assert await run.lessons(FORMAT) == ""
    assert list(log.read(RUN))[-1].kind == "agent_state"
    await (above := project_memory(tmp_path / "work", tmp_path / "data")).astore("format_time is slow")
    await above.aclose()
    assert await run.memory(MICRO).recall("format_time") == []
    assert await memory.learn() is None
    assert len(await learnt(tmp_path)) == 3


async def test_a_contradiction_is_told_once(opened, log, tmp_path) -> None:
    memory = opened()
    await (above := project_memory(tmp_path / "work", tmp_path / "data")).remember(
        Statement("decision", "Round up? yes", "Round up?")
    )
    await above.aclose()
    run = RunEvents().add("question", id="Q-1", text="Round up?")
    happened(log, run.add("answer", id="Q-1", text="no", by="recommended"))
    for _ in range(2):
        await memory.learn()
    told = [event.data["text"] for event in log.read(RUN) if event.kind == "notice"]
    assert told == ["The run contradicts what was remembered: Round up? yes See `agentinfra memory list`"]


async def test_a_task_that_goes_on_after_a_resume_was_told_the_same(opened, log, tmp_path) -> None:
    run = run_with(opened(), log, tmp_path)
    told: list[str] = []

    async def work(_: Any) -> None:
        told.append(await run.lessons(FORMAT))
        if len(told) == 1:
            happened(log, one_task_done())
            raise RunStopped("The process ends")

    run.parts.engine.register("job", work)
    with pytest.raises(RunStopped):
        await run.parts.engine.run("job", "job", {})
    await run.parts.engine.run("job", "job", {})
    assert told == ["", ""]
    assert "what failed" in await run.parts.memory.recall(FORMAT)


def test_a_run_without_a_memory_says_so(log, tmp_path) -> None:
    with pytest.raises(ConfigError, match="no memory"):
        run_with(None, log, tmp_path).memory(MICRO)


async def test_a_memory_that_cannot_be_used_is_told_and_fails_nothing(opened, log, tmp_path) -> None:
    memory = opened()
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "memory.db").mkdir()
    assert await memory.recall(FORMAT) == ""
    await memory.learn()
    told = [event.data["text"].partition(":")[0] for event in log.read(RUN)]
    assert told == ["Nothing was recalled", "What the run taught was not remembered"]
    assert isinstance(memory.of(MICRO), LongTermMemory)


def run_with(memory: RunMemory | None, log: SqliteEventLog, tmp_path: Path) -> Run:
    absent = cast("Any", None)
    parts = RunParts(MemoryEngine(), log, absent, absent, absent, absent, model_for=absent, memory=memory)
    return Run(RUN, RunOptions("an idea", tmp_path), parts)
