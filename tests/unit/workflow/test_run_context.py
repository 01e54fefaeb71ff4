"""What a run's agents are shown of the repository, out of a real index and repository."""

import os
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from agentinfra.core.config import workspace_folder
from agentinfra.core.errors import RunStopped
from agentinfra.core.tasks import Task
from agentinfra.core.token_estimate import text_tokens
from agentinfra.environment.git_workspace import GitWorkspace
from agentinfra.memory.long_term_memory import project_memory
from agentinfra.memory.workspace_memory import WorkspaceMemory
from agentinfra.spec.requirements import Requirement, Spec
from agentinfra.workflow.event_log import SqliteEventLog
from agentinfra.workflow.memory_engine import MemoryEngine
from agentinfra.workflow.run import Run
from agentinfra.workflow.run_context import TOKENS, RunContext
from agentinfra.workflow.run_options import RunOptions
from agentinfra.workflow.run_parts import RunParts

RUN = "261122-101500-ab12"
FILES = {
    "pace.py": "from metres import climb\n\n\ndef walking_time(km, up):\n    return km / 4 + climb(up)\n",
    "metres.py": "def climb(up):\n    '''Hours that metres up take.'''\n    return up / 500\n",
    "clock.py": "def hours_of_a_hike(start, end):\n    '''How long a hike takes.'''\n    return end - start\n",
}
SPEC = Spec("Hikes", "", "", (Requirement("FR-1", "Walking time", "How long a hike takes, climbs included."),))
TASK = Task("T-1", "walking_time(km, up)", ("FR-1",), ("pace.py",), ("walking_time(km, up)",))
Opened = Callable[[], RunContext]


@pytest.fixture(autouse=True)
def own_git(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def git(tmp_path: Path) -> GitWorkspace:
    """A repository whose files are committed, but for one."""
    opened = GitWorkspace.open(tmp_path / "work", init=True, scratch=tmp_path / "scratch")
    for name, text in FILES.items():
        (opened.root / name).write_text(text)
    told = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    for arguments in (("add", "."), (*told, "commit", "-qm", "Begin")):
        subprocess.run(["git", *arguments], cwd=opened.root, check=True)
    (opened.root / "notes.md").write_text("# How long a hike takes\n\nwalking_time: my password is tea\n")
    return opened


@pytest.fixture
def log(tmp_path: Path):
    opened = SqliteEventLog(tmp_path / "events.db")
    yield opened
    opened.close()


@pytest.fixture
async def opened(git: GitWorkspace, data: Path, log: SqliteEventLog) -> AsyncIterator[Opened]:
    made: list[RunContext] = []

    def make() -> RunContext:
        made.append(RunContext(RUN, log, git, data))
        return made[-1]

    yield make
    for one in made:
        await one.aclose()


async def indexed(git: GitWorkspace, data: Path) -> None:
    memory = WorkspaceMemory.open(git.root, data=data)
    await memory.index()
    await memory.aclose()


async def test_it_shows_the_map_what_the_file_uses_and_what_is_like_it(git: GitWorkspace, data: Path, opened: Opened):
    await indexed(git, data)
    shown = await opened().around(TASK, SPEC, ())
    assert "=== map repository " in shown
    assert "metres.py:\n  def climb(up)  #1" in shown
    assert "=== used metres.py:1-3 (climb is used by pace.py) ===\ndef climb(up):" in shown
    assert "=== similar clock.py:1-3 (fits the question) ===" in shown
    assert text_tokens(shown) <= TOKENS


async def test_the_tasks_own_file_what_others_write_and_what_is_not_committed_are_left_out(
    git: GitWorkspace, data: Path, opened: Opened
):
    await indexed(git, data)
    shown = await opened().around(TASK, SPEC, ["metres.py"])
    assert "clock.py" in shown
    assert not any(word in shown for word in ("def walking_time", "def climb", "metres.py", "notes.md", "password"))


async def test_where_there_is_no_index_there_is_nothing_and_none_is_made(
    git: GitWorkspace, data: Path, opened: Opened, log: SqliteEventLog
):
    assert await opened().around(TASK, SPEC, ()) == ""
    assert not data.exists()
    lessons = project_memory(git.root, data)  # lies in the same file
    await lessons.astore("a hike takes long")
    await lessons.aclose()
    assert await opened().around(TASK, SPEC, ()) == ""
    memory = WorkspaceMemory.open(git.root, data=data)
    assert await memory.count_files() == 0
    await memory.aclose()
    assert not log.read(RUN)


async def test_an_index_is_brought_up_to_date_first(git: GitWorkspace, data: Path, opened: Opened):
    await indexed(git, data)
    (git.root / "clock.py").write_text("def hours_of_a_hike(sunrise):\n    return sunrise\n")
    assert "hours_of_a_hike(sunrise)" in await opened().around(TASK, SPEC, ())


async def test_an_index_that_cannot_be_read_is_told_once_and_fails_nothing(
    git: GitWorkspace, data: Path, opened: Opened, log: SqliteEventLog
):
    await indexed(git, data)
    with closing(sqlite3.connect(workspace_folder(git.root, data) / "memory.db")) as database:
        database.execute("PRAGMA user_version = 9999")
    context = opened()
    assert [await context.around(TASK, SPEC, ()) for _ in range(2)] == ["", ""]
    [told] = log.read(RUN)
    assert told.data["text"].startswith("The index was not used: ")


async def test_after_a_resume_a_task_is_shown_the_same_and_nothing_that_others_write(
    git: GitWorkspace, data: Path, opened: Opened, log: SqliteEventLog
):
    await indexed(git, data)
    absent = cast("Any", None)
    parts = RunParts(MemoryEngine(), log, git, absent, absent, absent, model_for=absent, context=opened())
    run = Run(RUN, RunOptions("hikes", git.root), parts, spec=SPEC)
    run.tasks = {"T-1": TASK, "T-2": replace(TASK, id="T-2", files=("clock.py",))}
    told: list[str] = []

    async def work(_: Any) -> None:
        told.append(await run.surroundings(TASK))
        if len(told) == 1:
            (git.root / "metres.py").write_text("def climb(): ...\n")
            await indexed(git, data)
            raise RunStopped("The process ends")

    parts.engine.register("job", work)
    with pytest.raises(RunStopped):
        await parts.engine.run("job", "job", {})
    await parts.engine.run("job", "job", {})
    assert "def climb(up)" in told[0]
    assert "clock.py" not in told[0]
    assert told[0] == told[1]


async def test_a_run_whose_requests_go_on_record_shows_nothing(log: SqliteEventLog, git: GitWorkspace):
    absent = cast("Any", None)
    parts = RunParts(MemoryEngine(), log, git, absent, absent, absent, model_for=absent)
    assert await Run(RUN, RunOptions("hikes", git.root), parts, spec=SPEC).surroundings(TASK) == ""
