"""Questions that are the name of something: a symbol, a file, a line of a file."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agentinfra.memory.name_resolution import Place
from agentinfra.memory.search_store import SearchStore, StoredChunk

MOST = 10
"""So many chunks come first at most: a name that is defined more often says too little."""
_SYMBOL = re.compile(
    r"(?:(?:async|export|abstract|static)\s+)*(?:(?:def|class|function|const|let|interface|type|enum)\s+)?"
    r"(?P<name>[^\W\d][\w$]*(?:(?:\.|::|#)[\w$]+)*)\s*(?:\(\s*\)?)?:?"
)
_FILE = re.compile(r"(?:\./)?(?P<path>\S*?[^\s:])(?::(?P<line>\d+)(?:[:-]\d+)?)?")


def exact_ids(store: SearchStore, query: str) -> list[int]:
    """The chunks that a query names, those of its very definition first; none where it is a question in words.

    Args:
        store: Where to look.
        query: Such as ``Queue.put``, ``def put(``, ``src/queue.py`` or ``queue.py:12``.
    """
    chunks = _of_symbol(store, query) or _of_file(store, query)
    return list(dict.fromkeys(chunk.id for chunk in chunks))[:MOST]


def _of_symbol(store: SearchStore, query: str) -> list[StoredChunk]:
    asked = _SYMBOL.fullmatch(query.strip())
    if asked is None:
        return []
    name = re.sub("::|#", ".", asked["name"])
    places = sorted(store.definitions(name=name), key=lambda place: _order(name, place))[:MOST]
    found = (store.chunk_at(path, definition.line) for path, definition in places)
    return [chunk for chunk in found if chunk is not None]


def _order(name: str, place: Place) -> tuple[bool, int, str, int]:
    path, definition = place
    return definition.symbol != name, definition.symbol.count("."), path, definition.line


def _of_file(store: SearchStore, query: str) -> Sequence[StoredChunk]:
    asked = _FILE.fullmatch(query.strip())
    if asked is None or not re.search(r"[./]", asked["path"]):
        return []
    path = asked["path"]
    paths = sorted((one for one in store.stamps() if f"/{one}".endswith(f"/{path}")), key=lambda one: (len(one), one))
    if asked["line"] is None:
        return [chunk for one in paths[:MOST] for chunk in store.file_chunks(one)[:MOST]]
    found = (store.chunk_at(one, int(asked["line"])) for one in paths[:MOST])
    return [chunk for chunk in found if chunk is not None]
