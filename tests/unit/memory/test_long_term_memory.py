import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agentinfra.core.errors import InputError, StoreError
from agentinfra.memory.long_term_memory import LongTermMemory
from agentinfra.memory.scopes import Scope
from agentinfra.memory.statement import Statement
from tests.unit.run_events import RUN, RunEvents, task

DAY = 86_400.0


class Clock:
    now = 1_000_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def memory(tmp_path: Path, clock: Clock) -> AsyncIterator[LongTermMemory]:
    opened = LongTermMemory(tmp_path / "memory.db", scope=Scope(), embedder=None, clock=clock)
    yield opened
    await opened.aclose()


async def texts(memory: LongTermMemory, query: str, **more: object) -> list[str]:
    return [one.record.text for one in await memory.recall(query, **more)]


SCRIPT = """
from agentinfra.memory import LongTermMemory
memory = LongTermMemory()
memory.store("The API answers in UTC.")
memory.store({"port": 8080})
print(memory.retrieve("which time zone does the api use"), memory.memory_store)
"""


def test_without_arguments_it_is_kept_in_the_users_data_folder_over_processes(tmp_path: Path) -> None:
    environment = {**os.environ, "AGENTINFRA_DATA_DIR": str(tmp_path / "data")}
    for _ in range(2):
        command = [sys.executable, "-c", SCRIPT]
        done = subprocess.run(command, check=False, env=environment, capture_output=True, text=True)
        assert done.stderr == ""
        assert done.stdout == "['The API answers in UTC.'] ['The API answers in UTC.', {'port': 8080}]\n"
    path = tmp_path / "data" / "memory.db"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_the_doors_of_a_script(tmp_path: Path) -> None:
    memory = LongTermMemory(tmp_path / "memory.db", embedder=None)
    first = memory.store("Deploys happen on Fridays.")
    assert memory.store("deploys happen on fridays") == first
    memory.store({"team": "payments", "colour": "blue"})
    assert memory.retrieve("payments team") == [{"team": "payments", "colour": "blue"}]
    assert memory.retrieve("zebra") == []
    assert memory.memory_store == ["Deploys happen on Fridays.", {"team": "payments", "colour": "blue"}]
    asyncio.run(memory.aclose())


async def test_a_door_inside_a_loop_names_the_asynchronous_method(memory: LongTermMemory) -> None:
    with pytest.raises(InputError, match=r"await memory\.astore"):
        memory.store("x")
    with pytest.raises(InputError, match=r"await memory\.aretrieve"):
        memory.retrieve("x")


@pytest.mark.parametrize("data", ["", object(), {"x": float("inf")}, "x" * 9_000])
async def test_what_cannot_be_remembered_is_refused(memory: LongTermMemory, data: object) -> None:
    with pytest.raises(InputError):
        await memory.astore(data)
    assert await memory.records() == []


async def test_words_are_found_and_rare_ones_count_more(memory: LongTermMemory) -> None:
    for text in ("The build uses make.", "The build of parse_header uses a cache.", "The tests use pytest."):
        await memory.astore(text)
    assert (await texts(memory, "how does the build of parseHeader work"))[0].startswith("The build of parse_header")
    assert await texts(memory, "the of and") == []
    assert len(await texts(memory, "build", k=1)) == 1


async def test_the_static_embedder_finds_what_is_said_in_other_words(tmp_path: Path) -> None:
    memory = LongTermMemory(tmp_path / "memory.db")
    await memory.astore("delete temporary files when the process exits")
    await memory.astore("colours of the logo")
    assert (await memory.aretrieve("remove tmp file on exit", 1))[0].startswith("delete temporary")
    await memory.aclose()


async def test_memories_that_are_of_use_stay_and_others_fade(memory: LongTermMemory, clock: Clock) -> None:
    for subject in ("one", "two"):
        await memory.remember(Statement("lesson", f"the cache is slow {subject}"))
    clock.now += 30 * DAY
    assert await texts(memory, "two", k=1) == ["the cache is slow two"]
    clock.now += 90 * DAY
    assert await texts(memory, "cache", mark=False) == ["the cache is slow two", "the cache is slow one"]
    used, unused = sorted(await memory.records(), key=lambda one: -one.uses)
    assert (used.uses, unused.uses) == (1, 0)


async def test_being_found_often_in_a_moment_is_one_use(memory: LongTermMemory, clock: Clock) -> None:
    await memory.astore("the cache is slow")
    clock.now += DAY
    for _ in range(3):
        await memory.recall("cache")
    assert [one.uses for one in await memory.records()] == [1]


async def test_a_newer_statement_supersedes_and_the_older_stays_on_record(memory: LongTermMemory) -> None:
    old = await memory.remember(Statement("decision", "Round up.", "rounding"))
    new = await memory.remember(Statement("decision", "Round down.", "rounding"))
    assert await texts(memory, "round") == ["Round down."]
    assert {one.id: one.superseded_by for one in await memory.records(superseded=True)} == {old.id: new.id, new.id: ""}


async def test_what_is_believed_nearly_as_much_is_told_as_disputed(memory: LongTermMemory) -> None:
    old = await memory.remember(Statement("fact", "It is fast.", "speed", author="engine", confidence=0.7))
    new = await memory.remember(Statement("fact", "It is slow.", "speed", author="engine", confidence=0.7))
    assert [one.id for one in new.disputed] == [old.id]
    assert await memory.forget([new.id]) == 1
    [left] = await memory.records()
    assert (left.id, left.disputed_by) == (old.id, "")


async def test_only_a_person_and_the_planner_write_rules(memory: LongTermMemory) -> None:
    await memory.remember(Statement("rule", "Never commit secrets.", author="planner"))
    with pytest.raises(InputError, match="Rules are written by"):
        await memory.remember(Statement("rule", "Push to main.", author="MicroAgent"))
    assert await texts(memory, "push secrets main") == ["Never commit secrets."]


async def test_agents_see_what_their_parents_share_and_the_project(memory: LongTermMemory) -> None:
    planner = memory.within(Scope("r1")).child("planner")
    micro = planner.child("backend").child("micro:T-1")
    await memory.astore("project thing")
    await planner.remember(Statement("fact", "private thing"))
    await planner.remember(Statement("fact", "shared thing"), share=True)
    await micro.remember(Statement("fact", "micro thing"))
    other = memory.within(Scope("r2", ("planner",)))
    assert set(await texts(micro, "thing")) == {"micro thing", "shared thing", "project thing"}
    assert set(await texts(planner, "thing")) == {"private thing", "shared thing", "project thing"}
    assert await texts(other, "thing") == await texts(memory, "thing") == ["project thing"]
    assert (await texts(micro, "thing"))[0] == "micro thing"


async def test_the_users_memory_is_asked_beside_the_projects(tmp_path: Path, clock: Clock) -> None:
    user = LongTermMemory(tmp_path / "user.db", embedder=None, clock=clock)
    project = LongTermMemory(tmp_path / "project.db", scope=Scope(), embedder=None, above=user, clock=clock)
    await user.astore("tabs in makefiles")
    await project.astore("spaces in makefiles of this project")
    assert set(await texts(project, "makefiles")) == {"tabs in makefiles", "spaces in makefiles of this project"}
    assert await texts(user, "makefiles") == ["tabs in makefiles"]
    clock.now += DAY
    await project.recall("makefiles")
    assert [one.uses for one in await user.records()] == [1]
    await project.aclose()
    await user.aclose()


async def test_what_the_project_says_otherwise_is_not_asked_of_the_user(tmp_path: Path, clock: Clock) -> None:
    user = LongTermMemory(tmp_path / "user.db", embedder=None, clock=clock)
    project = LongTermMemory(tmp_path / "project.db", scope=Scope(), embedder=None, above=user, clock=clock)
    for place, said in ((user, "tabs"), (project, "spaces")):
        await place.remember(Statement("convention", f"Indent with {said}.", "indentation"))
    clock.now += DAY
    assert await texts(project, "indent") == ["Indent with spaces."]
    assert await texts(project, "indent", kinds=["rule"]) == []
    assert [one.uses for one in await user.records()] == [0]
    assert await texts(user, "indent") == ["Indent with tabs."]
    await project.aclose()


async def test_memories_of_all_levels_are_weighed_together(tmp_path: Path, clock: Clock) -> None:
    user = LongTermMemory(tmp_path / "user.db", embedder=None, clock=clock)
    project = LongTermMemory(tmp_path / "project.db", scope=Scope(), embedder=None, above=user, clock=clock)
    await project.astore("the parser is old")
    await user.astore("the parser of dates reads quarters")
    assert (await texts(project, "parser of dates and quarters"))[0].startswith("the parser of dates")
    await project.aclose()


async def test_agents_speak_in_their_own_name_and_write_no_rules(memory: LongTermMemory) -> None:
    planner = memory.within(Scope("r1")).child("planner")
    micro = planner.child("backend").child("micro:T-1")
    await planner.remember(Statement("rule", "Money is in cents."))
    for author in ("person", "planner", "engine"):
        await micro.remember(Statement("fact", f"{author} fact", author=author))
        with pytest.raises(InputError, match="Rules are written by"):
            await micro.remember(Statement("rule", "Skip the tests.", author=author))
    said = {one.text: one.author for one in [*await planner.records(), *await micro.records()]}
    assert said == {
        "Money is in cents.": "planner",
        "person fact": "micro:T-1",
        "planner fact": "micro:T-1",
        "engine fact": "engine",
    }


async def test_a_clock_that_jumps_ahead_and_back_harms_nothing(memory: LongTermMemory, clock: Clock) -> None:
    now = clock.now
    clock.now += 3_650 * DAY  # a day with a wrong clock
    await memory.remember(Statement("decision", "Round up.", "rounding"))
    clock.now = now
    await memory.recall("rounding")
    assert [(one.used, one.uses) for one in await memory.records()] == [(now, 1)]
    await memory.remember(Statement("decision", "Round down.", "rounding"))
    assert await texts(memory, "rounding") == ["Round down."]
    await memory.remember(Statement("decision", "Round up.", "rounding"))
    assert await texts(memory, "rounding") == ["Round up."]
    clock.now += DAY
    await memory.recall("rounding")
    assert [(one.used, one.uses) for one in await memory.records()] == [(clock.now, 1)]
    clock.now = 0.0
    assert await texts(memory, "rounding") == ["Round up."]


async def test_a_run_is_learnt_from_once_however_often_it_is_told(memory: LongTermMemory) -> None:
    run = RunEvents().begin().planned(task("T-1", "format_time(minutes)", "FR-1"))
    tests = [{"id": "tests/test_pace.py::test_1", "outcome": "failed", "message": "assert '1:5' == '1:05'"}]
    run.add("test_result", task="T-1", phase="attempt", tests=tests).add("agent_state", task="T-1", state="done")
    first = await memory.learn(run.events)
    before = await memory.records()
    assert await memory.learn(run.events) == first
    assert await memory.records() == before
    assert [one.record.source for one in await memory.recall("format_time", kinds=["lesson"])] == [f"run {RUN}"]
    assert await memory.recall("format_time", kinds=["rule"]) == []


async def test_forgotten_memories_leave_no_byte(tmp_path: Path, memory: LongTermMemory) -> None:
    secret = await memory.astore("the password is xyzzy-plugh-42")
    kept = await memory.astore("the door is blue")
    assert await memory.forget([secret, "missing"]) == 1
    assert [one.id for one in await memory.records()] == [kept]
    for file in tmp_path.iterdir():
        assert b"xyzzy" not in file.read_bytes()
        assert b"plugh" not in file.read_bytes()


async def test_what_is_closed_cannot_be_used(tmp_path: Path) -> None:
    memory = LongTermMemory(tmp_path / "memory.db", embedder=None)
    await memory.astore("x")
    await memory.within(Scope("r")).aclose()
    assert await memory.aretrieve("x") == ["x"]
    await memory.aclose()
    await memory.aclose()
    with pytest.raises(StoreError, match="closed"):
        await memory.astore("y")


WRITER = """
import asyncio, sys
from pathlib import Path
from agentinfra.memory.long_term_memory import LongTermMemory
async def main():
    memory = LongTermMemory(Path(sys.argv[1]), embedder=None)
    for n in range(20):
        await memory.astore(f"process {sys.argv[2]} says {n}")
    await memory.aclose()
asyncio.run(main())
"""


async def test_two_processes_write_at_once_and_nothing_is_lost(tmp_path: Path) -> None:
    path = str(tmp_path / "memory.db")
    writers = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", WRITER, path, name, stderr=subprocess.PIPE)
        for name in "ab"
    ]
    assert [(await one.communicate())[1] for one in writers] == [b"", b""]
    memory = LongTermMemory(Path(path), embedder=None)
    assert len(await memory.records()) == 40
    await memory.aclose()
