"""The real weights of MiniLM: fetched if need be, built, and asked."""

import asyncio

import numpy as np
import pytest

from agentinfra.cli.models import build_minilm
from agentinfra.memory.embedders.minilm import MiniLMEmbedder
from agentinfra.memory.indexing_process import IndexingProcess
from agentinfra.memory.workspace_memory import WorkspaceMemory

pytestmark = pytest.mark.live

LIMIT = 120
CODE = (
    "def load(path):\n    with open(path) as stream:\n        return [line.rstrip() for line in stream]",
    "class Cache:\n    def evict(self):\n        del self.entries[min(self.entries, key=self.last_used.get)]",
    "export const sum = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0);",
)
ASKED = ("read a text file line by line", "remove the least recently used item", "add up all values of an array")


def test_what_is_asked_for_is_nearest():
    embedder = MiniLMEmbedder(asyncio.run(build_minilm()))
    vectors = asyncio.run(embedder.embed([*ASKED, *CODE]))
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert (vectors[:3] @ vectors[3:].T).argmax(1).tolist() == [0, 1, 2]


def test_known_sentences_lie_as_near_as_the_model_is_known_for():
    embedder = MiniLMEmbedder(asyncio.run(build_minilm()))
    one, same, other = asyncio.run(
        embedder.embed(["That is a happy person", "That is a very happy person", "Today is a sunny day"])
    )
    # In full precision: 0.943 and 0.257.
    assert one @ same == pytest.approx(0.943, abs=0.03)
    assert one @ other == pytest.approx(0.257, abs=0.05)


def test_a_followed_workspace_gets_its_vectors_in_idle_time_and_is_searched_by_them(tmp_path):
    async def follow_and_search() -> list[str]:
        root, data, done = tmp_path / "workspace", tmp_path / "data", asyncio.Event()
        root.mkdir()
        for name, text in zip(("load.py", "cache.py", "sum.ts"), CODE, strict=True):
            (root / name).write_text(text)

        def on_vectors(made: int, of: int) -> None:
            if made == of:
                done.set()

        async with IndexingProcess(root, data=data, embedder="minilm", on_vectors=on_vectors):
            await asyncio.wait_for(done.wait(), LIMIT)
        memory = WorkspaceMemory.open(root, data=data, embedder="minilm")
        assert await memory.improve() == 0
        found = [(await memory.search(asked))[0] for asked in ASKED]
        assert all(MiniLMEmbedder.name in hit.why for hit in found)
        await memory.aclose()
        return [hit.path for hit in found]

    asyncio.run(build_minilm())
    assert asyncio.run(follow_and_search()) == ["load.py", "cache.py", "sum.ts"]
