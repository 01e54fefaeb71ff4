"""Which definitions a name may stand for, as far as names and imports tell. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import PurePosixPath

from agentinfra.memory.chunk import Definition, Reference

Place = tuple[str, Definition]
"""A definition and the file it stands in."""
MOST_MEANINGS = 3
"""A name that is defined more often, and not in an imported file, could stand for anything."""
_WORD = re.compile(r"[\w$-]+")
_SUFFIX = re.compile(r"\.(?:[cm]?[jt]sx?|svelte|css|json)$")
_PACKAGE_FILES = ("__init__", "index")


def last_name(name: str) -> str:
    """The last part of a dotted name."""
    return name.rpartition(".")[2]


class Imports:
    """The modules that a file imports.

    Args:
        references: The file's.
    """

    def __init__(self, references: Iterable[Reference]) -> None:
        self._modules: set[tuple[str, ...]] = set()
        self._names: set[str] = set()
        for reference in references:
            if reference.kind == "import":
                # Whether the last part is a module or a name in one cannot be seen.
                parts = tuple(_WORD.findall(_SUFFIX.sub("", reference.name)))
                self._modules |= {parts, parts[:-1]}
                self._names |= set(parts[-1:])
        self._modules.discard(())

    def covers(self, path: str) -> bool:
        """Whether one of them may be the file."""
        parts = module_parts(path)
        return any(parts[start:] in self._modules for start in range(len(parts)))

    def names(self, name: str) -> bool:
        """Whether the name itself is imported."""
        return name in self._names


@lru_cache(maxsize=1 << 14)
def module_parts(path: str) -> tuple[str, ...]:
    """The parts of the name under which a file is imported: ``a/b.py`` is a, b and ``a/index.ts`` is a."""
    file = PurePosixPath(path)
    stem = file.name.partition(".")[0]
    return file.parts[:-1] if stem in _PACKAGE_FILES else (*file.parts[:-1], stem)


def resolve(name: str, path: str, imports: Imports, candidates: Sequence[Place]) -> list[Place]:
    """What a name stands for in a file: what the file itself defines, else what it imports.

    A plain name may also stand for what only few files define outside of everything else: many languages see their
    neighbours without an import. The method of an unknown object may not: half of the world has a ``get``.

    Args:
        name: As the file writes it, dotted or not.
        path: The file.
        imports: What it imports.
        candidates: All definitions whose last name is the same.
    """
    candidates = [place for place in candidates if _fits(name, place)]
    own = [place for place in candidates if place[0] == path]
    if own:
        return own
    imported = [place for place in candidates if imports.covers(place[0])]
    if imported or "." in name or imports.names(name) or len(candidates) > MOST_MEANINGS:
        return imported
    return candidates


def _fits(name: str, place: Place) -> bool:
    """A plain name means no member of a class; a dotted one a module's function only after the module's name."""
    path, definition = place
    if "." not in name:
        return "." not in definition.symbol
    return "." in definition.symbol or module_parts(path)[-1:] == (name.split(".")[-2],)
