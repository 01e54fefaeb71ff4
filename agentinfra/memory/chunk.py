"""What the index is made of: pieces of files, and what is defined and used in them."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal, NamedTuple

ChunkKind = Literal["function", "class", "section", "markup", "style", "query", "config", "cell", "window"]
"""What a chunk is; ``window`` where nothing is known of the language."""
ReferenceKind = Literal["call", "import", "name"]


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a file that is found as one.

    Attributes:
        start: Its first line, from 1.
        end: Its last line, included.
        kind: What it is.
        symbol: The dotted name of what it defines, such as ``Queue.put``; "" where it defines nothing.
        text: Its lines, as they stand in the file.
    """

    start: int
    end: int
    kind: ChunkKind
    symbol: str
    text: str

    @property
    def hash(self) -> str:
        """The key under which its vectors are kept, over branches, moves and workspaces: its name and its text."""
        return hash_of(self.symbol, self.text)

    @property
    def embedded_text(self) -> str:
        """What is embedded of it: its name and its text, as its key says."""
        return f"{self.symbol}\n{self.text}".strip()


def hash_of(symbol: str, text: str) -> str:
    """The hash of a chunk with this symbol and this text."""
    return blake2b(f"{symbol}\0{text}".encode(errors="surrogatepass"), digest_size=16).hexdigest()


class Definition(NamedTuple):
    """A name that a file defines.

    Attributes:
        symbol: The dotted name.
        kind: Function, class, or whatever else the language has.
        line: Where, from 1.
        signature: Its head on one line, for a map of the repository.
    """

    symbol: str
    kind: str
    line: int
    signature: str = ""


class Reference(NamedTuple):
    """A name that a file uses.

    Attributes:
        name: As it is written; dotted where it is.
        kind: How it is used.
        line: Where, from 1.
    """

    name: str
    kind: ReferenceKind
    line: int


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """All that the index keeps of one file.

    Attributes:
        language: Its language's name, "text" where it is unknown.
        chunks: In the order of the file.
        definitions: In the order of the file.
        references: In the order of the file.
    """

    language: str
    chunks: tuple[Chunk, ...]
    definitions: tuple[Definition, ...] = ()
    references: tuple[Reference, ...] = ()
