from collections.abc import Sequence

import numpy as np
import pytest

from agentinfra.core.errors import InputError
from agentinfra.memory.embedders.static import StaticEmbedder
from agentinfra.memory.vector_memory import VectorDatabaseMemory
from agentinfra.memory.vector_store import NumpyVectorStore


class Letters:
    """Embeds a text as how often each letter occurs."""

    dimensions = 26

    def __init__(self, name: str = "letters") -> None:
        self.name = name
        self.embedded: list[str] = []

    async def embed(self, texts: Sequence[str], *, query: bool = False) -> np.ndarray:
        self.embedded += [] if query else texts
        counts = [[text.lower().count(chr(97 + n)) + 1e-3 for n in range(26)] for text in texts]
        array = np.array(counts, dtype=np.float32)
        return array / np.linalg.norm(array, axis=1, keepdims=True)

    async def aclose(self) -> None:
        self.name = "closed"


@pytest.fixture
def memory() -> VectorDatabaseMemory:
    return VectorDatabaseMemory(Letters(), NumpyVectorStore())


def test_a_script_stores_and_retrieves(memory: VectorDatabaseMemory) -> None:
    memory.store("aaab", {"of": "x"})
    kept = memory.store({"zz": "zz"}, {"of": "y"})
    assert [match.entry.text for match in memory.retrieve("aa", 1)] == ["aaab"]
    assert [match.entry.id for match in memory.retrieve("aa", where={"of": "y"})] == [kept]
    assert memory.forget(kept) == 1
    assert len(memory.retrieve("z")) == 1


async def test_the_same_id_replaces_and_no_id_adds(memory: VectorDatabaseMemory) -> None:
    first, second = await memory.astore("one"), await memory.astore("one")
    assert first != second
    assert await memory.astore("two", id=first) == first
    assert sorted(match.entry.text for match in await memory.aretrieve("o")) == ["one", "two"]


async def test_another_embedder_embeds_what_is_there_anew_and_once() -> None:
    store, first, second = NumpyVectorStore(), Letters(), Letters("letters-2")
    await VectorDatabaseMemory(first, store).astore_many([(f"text {n}", {}, None) for n in range(300)])
    memory = VectorDatabaseMemory(second, store)
    assert len(await memory.aretrieve("text", 400)) == 300
    await memory.aretrieve("text")
    assert len(second.embedded) == 300


@pytest.mark.parametrize("data", ["", "  ", object(), float("nan"), {1, 2}])
async def test_what_cannot_be_remembered_is_refused_and_nothing_is_stored(
    memory: VectorDatabaseMemory, data: object
) -> None:
    with pytest.raises(InputError):
        await memory.astore_many([("fine", {}, None), (data, {}, None)])
    assert await memory.aretrieve("fine") == []


async def test_doors_name_the_asynchronous_method_inside_a_loop(memory: VectorDatabaseMemory) -> None:
    with pytest.raises(InputError, match=r"await memory\.astore"):
        memory.store("x")


async def test_the_embedder_that_comes_along_finds_by_words_of_like_meaning() -> None:
    memory = VectorDatabaseMemory(StaticEmbedder(), NumpyVectorStore())
    await memory.astore("def read_file(path): return open(path).read()")
    await memory.astore("def send_email(address, subject): smtp.send(address, subject)")
    [best] = await memory.aretrieve("load the contents of a file", 1)
    assert "read_file" in best.entry.text


async def test_closing_closes_the_embedder(memory: VectorDatabaseMemory) -> None:
    await memory.aclose()
    assert memory.embedder.name == "closed"
