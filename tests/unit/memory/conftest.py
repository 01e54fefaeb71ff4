"""Real indexes of a few files."""

import itertools

import pytest

from agentinfra.memory.embedders.static import StaticEmbedder
from agentinfra.memory.parsing.parser import parse_file
from agentinfra.memory.store import FileStamp, MemoryStore

STATIC = StaticEmbedder()


class Index:
    """A store with files in it, and the door to it."""

    def __init__(self, path, files, embedder):
        self.store = MemoryStore.open(path)
        with self.store.transaction():
            for name, text in files.items():
                self.store.put_file(name, FileStamp(0, len(text)), parse_file(name, text.encode()))
        if embedder is not None:
            self.keep(embedder.name, embedder.embed_now([chunk.embedded_text for chunk in self.chunks]))

    @property
    def chunks(self):
        return [one.chunk for path in self.store.stamps() for one in self.store.file_chunks(path)]

    def keep(self, model, vectors):
        with self.store.transaction():
            self.store.put_vectors(model, [chunk.hash for chunk in self.chunks], vectors)

    async def run(self, work):
        return work(self.store)


@pytest.fixture
def index_of(tmp_path):
    """Makes indexes, with the vectors of the static embedder unless another or none is wanted."""
    opened = []
    numbers = itertools.count()

    def make(files, embedder=STATIC):
        opened.append(Index(tmp_path / f"index-{next(numbers)}.db", files, embedder))
        return opened[-1]

    yield make
    for index in opened:
        index.store.close()
