"""An index in memory: the parsed files as they are, SQLite's own full-text search, and every vector looked at."""

from collections import OrderedDict
from dataclasses import dataclass
from fnmatch import fnmatchcase

import apsw

from agentinfra.memory.chunk import Chunk
from agentinfra.memory.embedders.static import StaticEmbedder
from agentinfra.memory.embedders.words import index_words
from agentinfra.memory.name_resolution import last_name
from agentinfra.memory.parsing.parser import parse_file


@dataclass(frozen=True)
class Stored:
    id: int
    path: str
    chunk: Chunk


class PlainIndex:
    """Both the store and the door to it."""

    def __init__(self, files, embedder=None):
        self.files = OrderedDict((path, parse_file(path, text.encode())) for path, text in sorted(files.items()))
        pairs = [(path, chunk) for path, file in self.files.items() for chunk in file.chunks]
        self.stored = {number: Stored(number, *pair) for number, pair in enumerate(pairs, 1)}
        self.kept = {}
        if embedder is not None:
            chunks = [chunk for _, chunk in pairs]
            self.keep(embedder.name, chunks, embedder.embed_now([chunk.embedded_text for chunk in chunks]))
        self.database = apsw.Connection(":memory:")
        self.database.execute("CREATE VIRTUAL TABLE words USING fts5(name, path, body, tokenize='porter unicode61')")
        rows = ((n, *map(index_words, (s.chunk.symbol, s.path, s.chunk.text))) for n, s in self.stored.items())
        self.database.executemany("INSERT INTO words(rowid, name, path, body) VALUES (?, ?, ?, ?)", rows)

    async def run(self, work):
        return work(self)

    def keep(self, model, chunks, vectors):
        self.kept[model] = {chunk.hash: vector for chunk, vector in zip(chunks, vectors, strict=True)}

    def stamps(self):
        return dict.fromkeys(self.files)

    def search_text(self, query, k, *, paths=None, kinds=None):
        asked = " OR ".join(f'"{word}"' for word in index_words(query).split())
        found = "SELECT rowid, -bm25(words, 3, 1, 1) FROM words WHERE words MATCH ? ORDER BY rank"
        rows = self.database.execute(found, (asked,)) if asked else ()
        return [row for row in rows if self._counts(row[0], paths, kinds)][:k]

    def search_vector(self, model, vector, k, *, paths=None, kinds=None):
        kept = self.kept.get(model, {})
        cosines = [(n, float(kept[s.chunk.hash] @ vector)) for n, s in self.stored.items() if s.chunk.hash in kept]
        return sorted((one for one in cosines if self._counts(one[0], paths, kinds)), key=lambda one: -one[1])[:k]

    def _counts(self, number, paths, kinds):
        one = self.stored[number]
        return (paths is None or fnmatchcase(one.path, paths)) and (kinds is None or one.chunk.kind in kinds)

    def vectors(self, model, hashes):
        return {key: self.kept[model][key] for key in hashes if key in self.kept.get(model, {})}

    def chunks(self, ids):
        return {number: self.stored[number] for number in ids}

    def chunk_at(self, path, line):
        return next((one for one in self.file_chunks(path) if one.chunk.start <= line <= one.chunk.end), None)

    def file_chunks(self, path):
        return [one for one in self.stored.values() if one.path == path]

    def definitions(self, name=None, path=None):
        every = [(at, each) for at, file in self.files.items() for each in file.definitions]
        return [
            one for one in every if path in (None, one[0]) and name in (None, one[1].symbol, last_name(one[1].symbol))
        ]

    def references(self, name=None, path=None):
        every = [(at, each) for at, file in self.files.items() for each in file.references]
        return [one for one in every if path in (None, one[0]) and name in (None, one[1].name)]


def index_of(files):
    """An index with the vectors of the static embedder."""
    return PlainIndex(files, StaticEmbedder())
