"""The index of a folder, and search in it."""

from __future__ import annotations

from typing import Literal

from agentinfra_server.protocol.message import message

IndexState = Literal["off", "indexing", "fresh", "trouble"]


@message
class SearchParams:
    """A question, a piece of code, or a name; ``paths`` is a pattern such as ``src/*.py``.

    Attributes:
        query: What to look for.
        folder: URI of the workspace folder; the first one where it is left out.
        limit: The most hits, 1 to 100.
        paths: Only files that fit.
    """

    query: str
    folder: str | None = None
    limit: int = 10
    paths: str | None = None


@message
class SearchHit:
    """A piece of a file; lines count from 0, the last one is included; a higher score is better."""

    uri: str
    start_line: int
    end_line: int
    symbol: str
    kind: str
    text: str
    score: float


@message
class SearchResult:
    """What was found, the best first; ``state`` is that of the index: all was looked at where it is "fresh"."""

    hits: list[SearchHit]
    state: IndexState


@message
class IndexGetParams:
    """Which folder's index; the first one's where it is left out."""

    folder: str | None = None


@message
class IndexStatus:
    """How far the index of a folder is.

    Attributes:
        folder: URI of the folder.
        state: "off" until something is looked for; "trouble" where it is not kept up to date.
        done: Files that were looked at.
        total: Files that there are.
        message: What keeps it from being up to date, or how it is kept so; "" for nothing of note.
    """

    folder: str
    state: IndexState
    done: int = 0
    total: int = 0
    message: str = ""
