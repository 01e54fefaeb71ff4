"""The product's own store, filled for an evaluation."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from agentinfra.memory.chunk import Chunk, ParsedFile
from agentinfra.memory.search_store import Floats, SearchStore
from agentinfra.memory.store import FileStamp, MemoryStore

T = TypeVar("T")
Embed = Callable[[list[str]], Floats]


class EvaluationIndex:
    """A store and the door to it, for one thread.

    Args:
        store: Open, and empty.
    """

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self._files: dict[str, ParsedFile] = {}

    async def run(self, work: Callable[[SearchStore], T]) -> T:
        """The result of the work."""
        return work(self._store)

    def show(self, files: Mapping[str, ParsedFile]) -> list[Chunk]:
        """Let these be all files; returns the chunks of those that are not as they were before."""
        changed = {path: file for path, file in files.items() if self._files.get(path) is not file}
        with self._store.transaction():
            self._store.remove_files(self._files.keys() - files.keys())
            for path, file in changed.items():
                self._store.put_file(path, FileStamp(0, 0), file)
        self._files = dict(files)
        return [chunk for file in changed.values() for chunk in file.chunks]

    def keep(self, model: str, chunks: Iterable[Chunk], embed: Embed) -> None:
        """Keep vectors of chunks."""
        each = {chunk.hash: chunk.embedded_text for chunk in chunks}
        with self._store.transaction():
            self._store.put_vectors(model, list(each), embed(list(each.values())))


@contextmanager
def evaluation_index() -> Generator[EvaluationIndex]:
    """An index in a folder that is gone afterwards."""
    with TemporaryDirectory(prefix="agentinfra-retrieval-") as folder:
        store = MemoryStore.open(Path(folder, "index.db"))
        try:
            yield EvaluationIndex(store)
        finally:
            store.close()
