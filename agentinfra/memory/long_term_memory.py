"""LongTermMemory: what was learnt, kept over runs and projects."""

from __future__ import annotations

import copy
import secrets
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

from agentinfra.core.config import data_folder, workspace_folder
from agentinfra.core.doors import door, wait
from agentinfra.core.errors import DamagedStore, InputError, StoreError
from agentinfra.core.events import Event
from agentinfra.core.interfaces import Embedder
from agentinfra.memory.consolidation import consolidate
from agentinfra.memory.judgement import check_author, judge, nearest
from agentinfra.memory.recall import Recollection, rank, searched_text
from agentinfra.memory.records import MemoryRecord, RecordStore
from agentinfra.memory.scopes import USER, Scope
from agentinfra.memory.statement import PERSON, PLANNER, MemoryKind, Statement
from agentinfra.memory.store_thread import StoreThread
from agentinfra.memory.vector_memory import as_text, static_embedder

T = TypeVar("T")
MAX_TEXT = 8_000
_MOMENT = 60.0  # seconds


@dataclass(frozen=True, slots=True)
class Remembered:
    """What became of a statement.

    Attributes:
        id: Of the record that holds it.
        disputed: Records that contradict it and are believed nearly as much: a person should say which holds.
    """

    id: str
    disputed: tuple[MemoryRecord, ...] = ()


class LongTermMemory:
    """Facts, decisions, conventions, lessons and rules, with their source, and how sure they are.

    ``LongTermMemory()`` is the user's: it is kept in ``memory.db`` in the user's data folder (``AGENTINFRA_DATA_DIR``
    moves it), and is the same in every project.

    Args:
        path: Its file; by default the user's.
        scope: Whose memories these are; None for the user's own.
        embedder: Finds what is said in other words: "static" comes along, None finds by words alone.
        above: The memory that is asked too, such as the user's beside a project's; it is closed with this one.
        store: The thread of a store that is open already, instead of a file; whoever opened it closes it.
        clock: Unix seconds.

    Attributes:
        path: Its file.
        scope: Whose memories these are.
        embedder: What compares meanings; None for nothing.
        above: The memory that is asked too.
    """

    def __init__(
        self,
        path: Path | None = None,
        *,
        scope: Scope | None = None,
        embedder: Embedder | Literal["static"] | None = "static",
        above: LongTermMemory | None = None,
        store: StoreThread[RecordStore] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.path = path or data_folder() / "memory.db"
        self.scope = scope
        self.embedder = static_embedder() if embedder == "static" else embedder
        self.above = above
        self._owns_store = store is None
        self._store = store or StoreThread(lambda: _open(self.path), self.path)
        self._clock = clock
        self._vectors: dict[tuple[str, str], Any] = {}

    @property
    def memory_store(self) -> list[Any]:
        """All data that is held, oldest first, as it was stored; of what was remembered in other ways its text."""
        return wait(self._held(), "await memory.records()")

    @door
    def store(self, data: Any) -> str:
        """Keep data; see :meth:`astore`."""
        return wait(self.astore(data), "await memory.astore(data)")

    @door
    def retrieve(self, query: str, k: int = 5) -> list[Any]:
        """What fits the query; see :meth:`aretrieve`."""
        return wait(self.aretrieve(query, k), "await memory.aretrieve(query)")

    async def astore(self, data: Any) -> str:
        """Keep a text, or anything that JSON can say, as a fact that a person states.

        Returns:
            Its id; storing the same again gives the same.

        Raises:
            InputError: It is empty, too long, or nothing that JSON can say.
            StoreError: The file cannot be written.
        """
        text = as_text(data)
        remembered = await self.remember(Statement("fact", text, data=None if isinstance(data, str) else data))
        return remembered.id

    async def aretrieve(self, query: str, k: int = 5) -> list[Any]:
        """What fits the query, best first, as it was stored.

        Raises:
            StoreError: The file cannot be read.
        """
        return [_data(one.record) for one in await self.recall(query, k)]

    async def remember(self, statement: Statement, *, share: bool = False) -> Remembered:
        """Keep a statement, and settle what it contradicts.

        What an agent says is its own word: it is neither a person's nor, unless it is the planner, the planner's.

        Args:
            statement: What is to be remembered.
            share: Whether an agent's children see it too.

        Raises:
            InputError: The author may not write it, or it is empty or too long.
            StoreError: The file cannot be written.
        """
        statement = _signed(statement, self.scope)
        check_author(statement)
        if len(statement.text) > MAX_TEXT:
            why = f"It has {len(statement.text):,} characters, and {MAX_TEXT:,} are the most"
            raise InputError("This is too long to be remembered", why=why, next_step="Say it in fewer words")
        return await self._run(lambda store: self._settle(store, statement, share))

    async def recall(
        self, query: str, k: int = 5, *, kinds: Collection[MemoryKind] = (), mark: bool = True
    ) -> list[Recollection]:
        """The memories that fit a question, best first, those of the memories above included.

        What a nearer scope says otherwise is left out; see :func:`agentinfra.memory.judgement.nearest`.

        Args:
            query: What is asked.
            k: Most to return.
            kinds: Which kinds; all where empty.
            mark: Whether being found counts as use, which keeps a memory from fading.

        Raises:
            StoreError: A file cannot be read.
        """
        held = {level: await level.records() for level in self._levels()}
        scopes = [*dict.fromkeys(scope for level in held for scope in level._scopes)]
        wanted = [one for records in held.values() for one in records if not kinds or one.kind in kinds]
        records = nearest(wanted, scopes)
        best = rank(query, records, self._clock(), await self._cosines(query, records), scopes)[:k]
        chosen = {one.record.id for one in best if mark}
        for level, own in held.items():
            with suppress(StoreError):  # such as of a full disk: what was found is worth more than the mark
                await level._mark(chosen & {one.id for one in own})
        return best

    async def learn(self, events: Sequence[Event]) -> tuple[Remembered, ...]:
        """Keep what a run taught; doing it twice adds nothing.

        Raises:
            StoreError: The file cannot be written.
        """
        return tuple([await self.remember(statement) for statement in consolidate(events)])

    async def records(self, *, superseded: bool = False) -> list[MemoryRecord]:
        """What this scope sees, oldest first, without the memory above.

        Args:
            superseded: Whether what holds no more is wanted too.
        """
        scopes = self._scopes
        held = await self._run(lambda store: store.memories())
        return [one for one in held if one.scope in scopes and (superseded or one.holds)]

    async def forget(self, ids: Collection[str]) -> int:
        """Remove memories so that no byte of them is left; how many there were.

        What a removed memory had superseded stays superseded; what it was in dispute with no longer is.
        """
        return await self._run(lambda store: _forget(store, set(ids)))

    async def check(self) -> bool:
        """Whether its file and that of the memory above are whole; a damaged one is moved aside and made again.

        What was remembered comes back from the copy that is kept beside the file.

        Raises:
            StoreError: A file cannot be read or written.
        """
        is_whole = await self.above.check() if self.above is not None else True
        try:
            await self._store.run(lambda store: store.check())
        except DamagedStore:
            await self._store.run(lambda store: store.check())
            return False
        return is_whole

    def within(self, scope: Scope) -> Self:
        """The same memory as another scope sees it, such as a run's or an agent's; it need not be closed."""
        view = copy.copy(self)
        view.scope = scope
        view._owns_store = False
        return view

    def child(self, name: str) -> Self:
        """The memory of an agent that this scope's delegates to.

        Raises:
            InputError: This is no run's memory.
        """
        return self.within((self.scope or Scope()).child(name))

    async def aclose(self) -> None:
        """Close the file, unless someone else opened it, and the memory above; safe to call twice."""
        if self._owns_store:
            await self._store.aclose()
            if self.above is not None:
                await self.above.aclose()

    def _levels(self) -> Iterator[LongTermMemory]:
        """Itself and the memories above it, nearest first."""
        level: LongTermMemory | None = self
        while level is not None:
            yield level
            level = level.above

    @property
    def _scopes(self) -> tuple[str, ...]:
        return self.scope.visible if self.scope else (USER,)

    async def _held(self) -> list[Any]:
        return [_data(record) for record in await self.records()]

    async def _run(self, work: Callable[[RecordStore], T]) -> T:
        """A damaged file is made again from its copy; the work is then done on that."""
        try:
            return await self._store.run(work)
        except DamagedStore:
            return await self._store.run(work)

    def _settle(self, store: RecordStore, statement: Statement, share: bool) -> Remembered:
        now = self._clock()
        place = USER if self.scope is None else self.scope.shared if share else self.scope.own
        new = MemoryRecord(id=_new_id(now), scope=place, created=now, used=now, **asdict(statement))
        with store.transaction():
            others = store.memories()
            verdict = judge(new, others, now)
            for record in verdict.records:
                store.put_memory(record)
        return Remembered(verdict.id, tuple(one for one in others if one.id in verdict.disputed))

    async def _mark(self, ids: Collection[str]) -> None:
        """Being of use twice in a moment is being of use once."""
        now = self._clock()

        def mark(store: RecordStore) -> None:
            with store.transaction():
                for record in store.memories():
                    if record.id in ids and abs(now - record.used) > _MOMENT:
                        store.put_memory(replace(record, used=now, uses=record.uses + 1))

        if ids:
            await self._run(mark)

    async def _cosines(self, query: str, records: Sequence[MemoryRecord]) -> dict[str, float]:
        if self.embedder is None or not records:
            return {}
        texts = {one.id: searched_text(one) for one in records}
        model = self.embedder.name
        new = list(dict.fromkeys(text for text in texts.values() if (model, text) not in self._vectors))
        if new:
            vectors = await self.embedder.embed(new)
            self._vectors.update(((model, text), vector) for text, vector in zip(new, vectors, strict=True))
        [asked] = await self.embedder.embed([query], query=True)
        return {name: float(self._vectors[model, text] @ asked) for name, text in texts.items()}


def project_memory(workspace: Path, data: Path | None = None) -> LongTermMemory:
    """What was learnt in a workspace, beside what the user had remembered; both are kept in the data folder.

    Args:
        workspace: The project's folder.
        data: Instead of the user's data folder.
    """
    user = LongTermMemory((data or data_folder()) / "memory.db")
    path = workspace_folder(workspace, data) / "memory.db"
    return LongTermMemory(path, scope=Scope(), embedder=user.embedder, above=user)


def _open(path: Path) -> RecordStore:
    from agentinfra.memory.record_store import SqliteRecordStore  # noqa: PLC0415  (brings SQLite)

    return SqliteRecordStore.open(path)


def _signed(statement: Statement, scope: Scope | None) -> Statement:
    """An agent's statement under its own name, where it claims another's."""
    agent = scope.agent if scope else ()
    name = PLANNER if agent == (PLANNER,) else agent[-1] if agent else ""
    return replace(statement, author=name) if name and statement.author in (PERSON, PLANNER) else statement


def _forget(store: RecordStore, ids: set[str]) -> int:
    with store.transaction():
        for record in store.memories():
            if record.disputed_by in ids and record.id not in ids:
                store.put_memory(replace(record, disputed_by=""))
    return store.remove_memories(ids)


def _new_id(now: float) -> str:
    return f"{int(now * 1000):011x}{secrets.token_hex(2)}"


def _data(record: MemoryRecord) -> Any:
    return record.text if record.data is None else record.data
