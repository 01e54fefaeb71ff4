"""What was remembered, as it is kept."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from agentinfra.memory.statement import MemoryKind


@dataclass(frozen=True, slots=True)
class MemoryRecord:
    """A statement that was remembered, with its place, its time and what became of it.

    Attributes:
        id: Its key; ids sort by the time at which they were made.
        kind: What it is.
        text: What is said.
        scope: Who sees it; see :mod:`agentinfra.memory.scopes`.
        subject: What it is about; "" for nothing that could be contradicted.
        why: Why it is so.
        source: Where it is from.
        author: Who said it.
        confidence: How sure they were, from 0 to 1.
        tainted: Whether text of strangers went into it.
        data: What was stored, where it was more than a text; JSON.
        created: When, in Unix seconds.
        used: When it was last of use.
        uses: How often it was of use.
        superseded_by: Id of the record that holds in its place; "" while it holds itself.
        disputed_by: Id of a record that contradicts it and is believed nearly as much; "" for none.
    """

    id: str
    kind: MemoryKind
    text: str
    scope: str = "project"
    subject: str = ""
    why: str = ""
    source: str = ""
    author: str = "person"
    confidence: float = 1.0
    tainted: bool = False
    data: Any = None
    created: float = 0.0
    used: float = 0.0
    uses: int = 0
    superseded_by: str = ""
    disputed_by: str = ""

    @property
    def holds(self) -> bool:
        """Whether nothing newer stands in its place."""
        return not self.superseded_by


class RecordStore(Protocol):
    """Keeps records; used by one thread. :class:`agentinfra.memory.record_store.SqliteRecordStore` is one."""

    def memories(self) -> list[MemoryRecord]:
        """All records, oldest first."""
        ...

    def put_memory(self, record: MemoryRecord) -> None:
        """Keep a record, in the place of the one with the same id."""
        ...

    def remove_memories(self, ids: Collection[str]) -> int:
        """Remove records so that no byte of them is left; how many there were."""
        ...

    def check(self) -> None:
        """Look at all of it.

        Raises:
            DamagedStore: Something is not as it was written.
        """
        ...

    def transaction(self) -> AbstractContextManager[object]:
        """What is read and written within is one: no other process writes meanwhile, and all of it is kept or none."""
        ...

    def close(self) -> None:
        """Close the file."""
        ...
