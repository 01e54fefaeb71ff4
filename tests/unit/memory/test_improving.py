"""Better vectors in idle time, by a real store and cache."""

import asyncio
import hashlib

import numpy as np
import pytest

from agentinfra.core.errors import ModelUnavailable
from agentinfra.memory.improving import BATCH, Improver
from agentinfra.memory.store import MemoryStore
from agentinfra.memory.store_thread import StoreThread
from agentinfra.memory.vector_cache import VectorCache
from agentinfra.memory.workspace_memory import WorkspaceMemory

LIMIT = 20
FUNCTIONS = 3 * BATCH + 5


class Better:
    """Keeps what it is asked; stops, or fails, after as many texts as it is told."""

    name = "better"
    dimensions = 64

    def __init__(self):
        self.texts, self.stop_after, self.fail_after, self.stopped = [], 10**9, 10**9, asyncio.Event()

    async def embed(self, texts, *, query=False):
        if len(self.texts) >= self.fail_after:
            raise ModelUnavailable("The embedder is away", next_step="Fetch it")
        if len(self.texts) >= self.stop_after:
            self.stopped.set()
            await asyncio.sleep(LIMIT)
        self.texts += texts
        rows = [np.frombuffer(hashlib.sha512(text.encode()).digest(), np.uint8) / 255 for text in texts]
        return np.array([row / np.linalg.norm(row) for row in rows], dtype=np.float32)

    async def aclose(self):
        """Nothing is held."""


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "workspace"
    folder.mkdir()
    for n in range(FUNCTIONS):
        (folder / f"tea{n}.py").write_text(f"def brew_{n}(cups):\n    '''Brew tea.'''\n    return cups * {n}\n")
    return folder


@pytest.fixture
async def opened(root, tmp_path):
    """Memories of the workspace, closed at the end."""
    made = []

    def make(better):
        made.append(WorkspaceMemory.open(root, data=tmp_path / "data", better=better))
        return made[-1]

    yield make
    for one in made:
        await one.aclose()


async def test_every_chunk_gets_a_better_vector_once_and_it_is_told(opened):
    better, told = Better(), []
    memory = opened(better)
    chunks = (await memory.index()).chunks
    assert chunks > 2 * BATCH
    assert await memory.improve(lambda *both: told.append(both)) == chunks
    assert told == [*((n, chunks) for n in range(BATCH, chunks, BATCH)), (chunks, chunks)]
    assert len(better.texts) == chunks
    assert await memory.improve(lambda *both: told.append(both)) == 0
    assert len(better.texts) == chunks


async def test_what_was_made_before_it_was_stopped_is_kept(opened):
    better = Better()
    memory = opened(better)
    chunks = (await memory.index()).chunks
    better.stop_after = 2 * BATCH
    work = asyncio.create_task(memory.improve())
    await asyncio.wait_for(better.stopped.wait(), LIMIT)
    work.cancel()
    await asyncio.wait((work,))
    assert work.cancelled()
    again = opened(Better())
    assert await again.improve() == chunks - 2 * BATCH


async def test_another_workspace_with_the_same_chunks_asks_the_embedder_for_none(opened, root, tmp_path):
    memory = opened(Better())
    await memory.index()
    await memory.improve()
    other = tmp_path / "other"
    root.rename(other)
    better = Better()
    second = WorkspaceMemory.open(other, data=tmp_path / "data", better=better)
    await second.index()
    assert await second.improve() > 0
    assert better.texts == []
    await second.aclose()


async def test_the_search_takes_the_vectors_instead_of_asking_again(opened):
    better = Better()
    memory = opened(better)
    await memory.index()
    await memory.improve()
    better.texts.clear()
    hits = await memory.search("brew the tea")
    assert "better" in hits[0].why
    assert better.texts == ["brew the tea"]


async def test_an_embedder_that_fails_is_told_and_what_it_made_stays(opened):
    better = Better()
    memory = opened(better)
    chunks = (await memory.index()).chunks
    better.fail_after = BATCH
    with pytest.raises(ModelUnavailable, match="Fetch it"):
        await memory.improve()
    better.fail_after = 10**9
    assert await memory.improve() == chunks - BATCH


async def test_while_files_are_followed_vectors_are_made_and_new_files_come_first(opened, root):
    better, done = Better(), asyncio.Queue()
    memory = opened(better)
    better.stop_after = BATCH
    looks = memory.follow(on_vectors=lambda made, of: done.put_nowait((made, of)))
    chunks = (await anext(looks)).report.chunks
    following = asyncio.create_task(anext(looks))
    assert await asyncio.wait_for(done.get(), LIMIT) == (BATCH, chunks)
    await asyncio.wait_for(better.stopped.wait(), LIMIT)
    (root / "new.py").write_text("def steep(pot):\n    return pot\n")
    assert (await asyncio.wait_for(following, LIMIT)).report.changed == 1
    better.stop_after = 10**9
    better.texts.clear()
    following = asyncio.create_task(anext(looks))
    assert await asyncio.wait_for(done.get(), LIMIT) == (BATCH, chunks + 1 - BATCH)
    assert any("steep" in text for text in better.texts[:BATCH])
    following.cancel()
    await asyncio.wait((following,))
    await looks.aclose()


async def test_while_files_are_followed_a_failure_is_told_once_and_following_goes_on(opened, root):
    better, told = Better(), []
    better.fail_after = 0
    memory = opened(better)
    looks = memory.follow(on_trouble=told.append)
    await anext(looks)
    for name in ("one", "two"):
        following = asyncio.create_task(anext(looks))
        await asyncio.sleep(0.1)
        (root / f"{name}.py").write_text(f"def {name}():\n    return 1\n")
        assert (await asyncio.wait_for(following, LIMIT)).report.changed == 1
    assert told == ["There are no better vectors: The embedder is away. Fetch it."]
    await looks.aclose()


async def test_chunks_that_are_gone_meanwhile_are_left_out(root, tmp_path):
    path = tmp_path / "memory.db"
    store, cache = StoreThread(lambda: MemoryStore.open(path), path), VectorCache(tmp_path / "cache.db")

    class Forgetful(Improver):
        async def missing(self):
            return ["0" * 40]

    better = Better()
    assert await Forgetful(store, better, cache).improve() == 1
    assert better.texts == []
    await store.aclose()
    await cache.aclose()


async def test_without_a_better_embedder_there_is_nothing_to_do(opened):
    memory = opened(None)
    await memory.index()
    assert await memory.improve() == 0
    assert np.isfinite((await memory.search("brew"))[0].score)
