"""What the benchmark of indexing measures, each in a process of its own: a whole index, an edit, many, a restart."""

from __future__ import annotations

import asyncio
import random
import sysconfig
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Literal

import tree_sitter

from agentinfra.core.interfaces import Embedder
from agentinfra.memory.embedders.minilm import MiniLMEmbedder
from agentinfra.memory.embedders.minilm_file import minilm_file
from agentinfra.memory.index_report import Followed
from agentinfra.memory.parsing.languages import grammar_and_query, language_called
from agentinfra.memory.workspace_files import list_files
from agentinfra.memory.workspace_memory import WorkspaceMemory

Tier = Literal["words", "static", "minilm"]
WAIT_SECONDS = 300.0
REWRITE_SECONDS = 0.002
"""Between two rewrites of one file."""
QUIET_SECONDS = 1.5
"""After the last rewrite: what has not come by then does not come."""
_LEFT_OUT = frozenset(("site-packages", "node_modules"))
"""Folders that are another source, or that nobody indexes."""


@dataclass(frozen=True, slots=True)
class Cold:
    """What making an index took.

    Attributes:
        cpu: Seconds of the processor, modules imported.
        wall: Seconds of the clock.
        files: That are in the index.
        chunks: Pieces of them.
        megabytes: The most that the process had in memory.
    """

    cpu: float
    wall: float
    files: int
    chunks: int
    megabytes: float


@dataclass(frozen=True, slots=True)
class Edited:
    """What became of edits, each of one file, one after the other.

    Attributes:
        indexed: Milliseconds from the write until a search that begins finds it.
        found: Milliseconds from the write until a search has found it.
        cpu: Milliseconds of the processor for each, the search included.
        passes: Looks of the index at a file that was rewritten many times.
        rewritten: Seconds that the rewriting took.
        megabytes: What the process had in memory in the end.
    """

    indexed: list[float]
    found: list[float]
    cpu: list[float]
    passes: int
    rewritten: float
    megabytes: float


def make_tree(root: Path, files: int, seed: int) -> float:
    """Copy modules of the standard library and of installed packages, chosen by the seed; their megabytes."""
    sources = [Path(sysconfig.get_path(name)) for name in ("stdlib", "purelib")]
    found = [
        (path, Path(str(number), path.relative_to(source)))
        for number, source in enumerate(sources)
        for path in sorted(source.rglob("*.py"))
        if _LEFT_OUT.isdisjoint(path.relative_to(source).parts)
    ]
    random.Random(seed).shuffle(found)
    for path, name in found[:files]:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(path.read_bytes())
    return sum(path.stat().st_size for path in root.rglob("*.py")) / 1e6


def cold(root: Path, data: Path, tier: Tier) -> Cold:
    """Make an index."""
    _import()
    cpu, wall = time.process_time(), time.perf_counter()
    files, chunks = asyncio.run(_index(root, data, tier))
    return Cold(time.process_time() - cpu, time.perf_counter() - wall, files, chunks, _megabytes("VmHWM"))


def restart(root: Path, data: Path, tier: Tier) -> float:
    """Seconds of the processor to open an index and to see that no file has changed."""
    _import()
    cpu = time.process_time()
    asyncio.run(_index(root, data, tier))
    return time.process_time() - cpu


def floor(root: Path) -> float:
    """Seconds of the processor that reading and parsing all files takes, with nothing made of it."""
    python = language_called("python")
    assert python is not None
    parser = tree_sitter.Parser(grammar_and_query(python)[0])
    cpu = time.process_time()
    for path in root.rglob("*.py"):
        parser.parse(path.read_bytes())
    return time.process_time() - cpu


def edit(root: Path, data: Path, edits: int, rewrites: int, seed: int) -> Edited:
    """Edit files of an index that is followed, and rewrite one of them again and again."""
    _import()
    return asyncio.run(
        _edit([one.path for one in list_files(root)], root, data, (edits, rewrites), random.Random(seed))
    )


async def _index(root: Path, data: Path, tier: Tier) -> tuple[int, int]:
    memory = WorkspaceMemory.open(root, data=data, embedder=_embedder(tier))
    try:
        report = await memory.index()
    finally:
        await memory.aclose()
    return report.files, report.chunks


async def _edit(names: Sequence[str], root: Path, data: Path, counts: tuple[int, int], dice: random.Random) -> Edited:
    memory = WorkspaceMemory.open(root, data=data)
    edited = Edited([], [], [], 0, 0.0, 0.0)
    try:
        async with _followed(memory) as looks:
            skipped = await memory.skipped()
            files = [root / name for name in names if name not in skipped]
            for path in dice.choices(files, k=counts[0]):
                await _one_edit(memory, looks, path, dice, edited)
            passes, rewritten = await _rewrite(looks, dice.choice(files), counts[1])
    finally:
        await memory.aclose()
    return Edited(edited.indexed, edited.found, edited.cpu, passes, rewritten, _megabytes("VmRSS"))


@asynccontextmanager
async def _followed(memory: WorkspaceMemory) -> AsyncGenerator[asyncio.Queue[Followed]]:
    """The looks at the files, the first one taken already."""
    looks = asyncio.Queue[Followed]()

    async def follow() -> None:
        async with aclosing(memory.follow()) as followed:
            async for one in followed:
                looks.put_nowait(one)

    following = asyncio.create_task(follow())
    try:
        await asyncio.wait_for(looks.get(), WAIT_SECONDS)
        yield looks
    finally:
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following


async def _one_edit(
    memory: WorkspaceMemory, looks: asyncio.Queue[Followed], path: Path, dice: random.Random, edited: Edited
) -> None:
    name = "edited_" + "".join(dice.choices("abcdefghijklmnopqrstuvwxyz", k=12))
    content = await asyncio.to_thread(path.read_bytes)
    cpu, wall = time.process_time(), time.perf_counter()
    _appended(path, content, f"\n\ndef {name}(value):\n    return value\n")
    await asyncio.wait_for(looks.get(), WAIT_SECONDS)
    edited.indexed.append((time.perf_counter() - wall) * 1000)
    hits = await memory.search(name, 1)
    edited.found.append((time.perf_counter() - wall) * 1000)
    edited.cpu.append((time.process_time() - cpu) * 1000)
    if not hits or name not in hits[0].text:
        raise SystemExit(f"{name} in {path} was not found after it had been indexed")
    await asyncio.sleep(0.1)  # the next edit is one of its own


async def _rewrite(looks: asyncio.Queue[Followed], path: Path, rewrites: int) -> tuple[int, float]:
    content, began = await asyncio.to_thread(path.read_bytes), time.perf_counter()
    for number in range(rewrites):
        _appended(path, content, f"\nREWRITTEN = {number}\n")
        await asyncio.sleep(REWRITE_SECONDS)
    rewritten, passes = time.perf_counter() - began, 0
    with suppress(TimeoutError):
        while True:
            await asyncio.wait_for(looks.get(), QUIET_SECONDS)
            passes += 1
    return passes, rewritten


def _embedder(tier: Tier) -> Embedder | Literal["static"] | None:
    if tier == "minilm":
        return MiniLMEmbedder(minilm_file())
    return "static" if tier == "static" else None


def _import() -> None:
    """What is imported late for the sake of those who do not need it."""
    for name in ("apsw", "sqlite_vec", "watchdog.observers.inotify_c"):
        import_module(name)


def _appended(path: Path, content: bytes, more: str) -> None:
    path.write_bytes(content + more.encode())


def _megabytes(what: Literal["VmHWM", "VmRSS"]) -> float:
    """Of this process in memory: the most so far, or now."""
    status = Path("/proc/self/status").read_text().split()
    return int(status[status.index(f"{what}:") + 1]) / 1000
