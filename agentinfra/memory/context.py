"""What somebody should have read before a task: out of the index, under a token budget, each piece with its source."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from glob import escape

from agentinfra.core.token_estimate import text_tokens
from agentinfra.memory.context_pieces import Piece, PieceKind, Section, join, pack
from agentinfra.memory.recall import Recollection, describe
from agentinfra.memory.records import MemoryRecord
from agentinfra.memory.repository_map import repository_map
from agentinfra.memory.search import Hit, HybridSearch
from agentinfra.memory.search_store import SearchStore, StoredChunk, StoreDoor
from agentinfra.memory.used_definitions import UsedDefinition, used_definitions

SIMILAR = 12
"""Chunks that are looked for."""
_SHARES = {"spec": 0.25, "map": 0.20, "lessons": 0.10, "files": 0.45, "used": 0.30, "similar": 0.20}
LEAST_LESSONS = 150
"""Tokens that lessons may take in a small context, too, if nothing else wants them."""
_STARTS = 3
"""Where no files are claimed, what the best of the similar ones use is followed."""
MAPPED_FILES = 1_500
"""A map of more files would take seconds."""
_WHOLE_FILE = 1 << 30
_CLAIMED = "claimed by the task"


@dataclass(frozen=True, slots=True)
class ContextRequest:
    """What context is wanted for.

    Attributes:
        query: The task or question, in words.
        files: Paths that the task claims; those that are not there yet are left out.
        spec: The parts of the specification that it is about.
        lessons: What was learnt and fits, the best first.
        within: The only paths of which something is shown; what claimed files outside use is followed. None for all.
        mapped: Whether to show the most important definitions of the repository, as seen from the files.
    """

    query: str
    files: tuple[str, ...] = ()
    spec: tuple[Piece, ...] = ()
    lessons: tuple[MemoryRecord, ...] = ()
    within: frozenset[str] | None = None
    mapped: bool = False

    def shows(self, path: str) -> bool:
        """Whether something of a file may be shown."""
        return self.within is None or path in self.within


@dataclass(frozen=True, slots=True)
class Context:
    """Pieces for a prompt.

    Attributes:
        pieces: In the order in which they should be read.
    """

    pieces: tuple[Piece, ...]

    @property
    def text(self) -> str:
        """All pieces, each below its source and reasons."""
        return "\n".join(map(str, self.pieces))

    @property
    def tokens(self) -> int:
        """What the text takes."""
        return text_tokens(self.text)


class ContextBuilder:
    """Builds context out of an index.

    Args:
        store: The index.
        search: Searches it.
    """

    def __init__(self, store: StoreDoor, search: HybridSearch) -> None:
        self._store = store
        self._search = search

    async def build(self, request: ContextRequest, tokens: int) -> Context:
        """The context; the same for the same index, request and budget.

        Args:
            request: What it is for.
            tokens: The most that its text takes, by the estimate of :mod:`agentinfra.core.token_estimate`.

        Raises:
            StoreError: The index cannot be read.
        """
        hits = [hit for hit in await self._search.search(request.query, SIMILAR) if request.shows(hit.path)]
        files = [piece for path in dict.fromkeys(request.files) for piece in await self._claimed(path, request, tokens)]
        start = [(path, 1, _WHOLE_FILE) for path in dict.fromkeys(piece.path for piece in files)]
        start = start or [(hit.path, hit.start, hit.end) for hit in hits[:_STARTS]]
        used = await self._store.run(lambda store: used_definitions(store, start))
        shown = {*request.files, *(piece.path for piece in request.spec)}
        files = [piece for piece in files if request.shows(piece.path)]
        similar = [_similar(hit) for hit in hits if hit.path not in shown]
        found = {
            "spec": _cut(request.spec, int(tokens * _SHARES["spec"])),
            "map": await self._map(request, int(tokens * _SHARES["map"])),
            "files": files if request.files else similar,  # what fits a question is what files are to a task
            "used": [_used(one) for one in used if request.shows(one.stored.path)],
            "similar": similar if request.files else [],
            "lessons": _lessons(request.lessons, max(LEAST_LESSONS, int(tokens * _SHARES["lessons"]))),
        }
        return Context(tuple(join(pack([Section(one, _SHARES[name]) for name, one in found.items()], tokens))))

    async def _map(self, request: ContextRequest, tokens: int) -> list[Piece]:
        if not request.mapped:
            return []
        head = Piece("repository", 0, 0, "", ("what most of it leans on, as seen from here",), "map")

        def drawn(store: SearchStore) -> str:
            if len(store.stamps()) > MAPPED_FILES:
                return ""
            room = max(tokens - head.tokens, 0)
            definitions = [place for place in store.definitions() if request.shows(place[0])]
            return repository_map(definitions, store.references(), mentioned=request.files, tokens=room)

        text = await self._store.run(drawn)
        return [replace(head, text=text)] if text else []

    async def _claimed(self, path: str, request: ContextRequest, tokens: int) -> list[Piece]:
        """A file as a whole where it fits into what files get, else its chunks, those first that fit the question."""
        chunks = await self._store.run(lambda store: store.file_chunks(path))
        if not chunks:
            return []
        whole = _whole(chunks)
        if whole is not None and whole.tokens * len(request.files) <= tokens * _SHARES["files"]:
            return [whole]
        hits = await self._search.search(request.query, len(chunks), paths=escape(path))
        found = [Piece(path, hit.start, hit.end, hit.text, (_CLAIMED,), "file") for hit in hits]
        return list(dict.fromkeys([*found, *(_piece(one, _CLAIMED, "file") for one in chunks)]))


def _cut(pieces: Sequence[Piece], tokens: int) -> list[Piece]:
    """As many of their first lines as fit."""
    kept: list[Piece] = []
    for piece in pieces:
        lines = piece.text.splitlines()
        while lines and _first(piece, lines).tokens > tokens:
            lines.pop()
        if lines:
            kept.append(_first(piece, lines))
            tokens -= kept[-1].tokens
    return kept


def _first(piece: Piece, lines: Sequence[str]) -> Piece:
    end = piece.start + len(lines) - 1 if piece.start else 0
    return replace(piece, end=end, text="\n".join(lines))


def _lessons(records: Sequence[MemoryRecord], tokens: int) -> list[Piece]:
    head = Piece("memory", 0, 0, "", ("learnt before",), "lessons")
    text = describe([Recollection(record, 0.0) for record in records], max(tokens - head.tokens, 0))
    return [replace(head, text=text)] if text else []


def _used(one: UsedDefinition) -> Piece:
    return _piece(one.stored, f"{one.symbol} is used by {one.user}", "used")


def _similar(hit: Hit) -> Piece:
    return Piece(hit.path, hit.start, hit.end, hit.text, ("fits the question",), "similar")


def _piece(stored: StoredChunk, reason: str, kind: PieceKind) -> Piece:
    return Piece(stored.path, stored.chunk.start, stored.chunk.end, stored.chunk.text, (reason,), kind)


def _whole(chunks: Iterable[StoredChunk]) -> Piece | None:
    """A file out of its chunks, between which there are but blank lines; None where they are parts of lines."""
    lines: list[str] = []
    path = ""
    for stored in chunks:
        path, chunk = stored.path, stored.chunk
        own = chunk.text.split("\n")
        if len(own) != chunk.end - chunk.start + 1 or chunk.start <= len(lines):
            return None
        lines += [""] * (chunk.start - 1 - len(lines)) + own
    return Piece(path, 1, len(lines), "\n".join(lines), (_CLAIMED,), "file")
