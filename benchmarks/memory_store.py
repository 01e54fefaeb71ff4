"""How fast the memory's index is searched: beside the memory's bandwidth, and beside other ways to scan vectors.

Chunks are functions of Python's standard library, again and again with other words in them; questions are what its
documentation says. Each part has a process of its own. The floor is what reading all vectors once takes, at the rate
that is measured beside the scans. Times are CPU times, which a busy machine changes less, with wall times beside them.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import numpy as np

from agentinfra.memory.database import open_database
from agentinfra.memory.embedders.static import StaticEmbedder
from agentinfra.memory.search import HybridSearch
from agentinfra.memory.store import MemoryStore
from agentinfra.memory.store_thread import StoreThread
from agentinfra.memory.store_words import merge_words
from benchmarks.memory_store_corpus import fill
from benchmarks.memory_store_scans import OURS, Scan, Scans, scans

T = TypeVar("T")
USUAL, LARGE = 70_000, 500_000
QUERY_GOALS = {USUAL: (15.0, 30.0), LARGE: (60.0, float("inf"))}
"""Milliseconds of CPU, p50 and p95, up to so many chunks."""
SCAN_GOAL, MEGABYTES_GOAL = 3.0, 150.0
_SCANNED_QUESTIONS = 50
_WARM_UP = 5


@dataclass(frozen=True, slots=True)
class Times:
    """Milliseconds of each question.

    Attributes:
        cpu: Of the whole process.
        wall: As a clock shows them.
    """

    cpu: list[float]
    wall: list[float]

    def __str__(self) -> str:
        """A row's cells: p50 and p95 of both."""
        return " | ".join(f"{np.percentile(each, at):.1f}" for each in (self.cpu, self.wall) for at in (50, 95))


@dataclass(frozen=True, slots=True)
class Searched:
    """What one process measured.

    Attributes:
        words: Search by words alone.
        hybrid: Search by words, meaning and name.
        before: Its resident megabytes before its first search.
        after: Those at the end.
    """

    words: Times
    hybrid: Times
    before: float
    after: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print; the exit code is 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chunks", type=int, nargs="+", default=[USUAL], help=f"sizes, such as {USUAL} {LARGE}")
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args(arguments)
    good = [measure(chunks, options.questions, options.seed) for chunks in options.chunks]
    return 0 if all(good) else 1


def measure(chunks: int, questions: int, seed: int) -> bool:
    """Measure and print one size; whether its goals are reached."""
    with TemporaryDirectory(prefix="agentinfra-memory-store-") as folder:
        path = Path(folder, "memory.db")
        asked = apart(fill, path, chunks, questions, seed)
        size, load = path.stat().st_size / 1e6, os.getloadavg()[0]
        print(f"\n{chunks} chunks, {len(asked)} questions, {size:.0f} MB on disk, load {load:.1f} when filled\n")
        found = apart(scans, path, asked[:_SCANNED_QUESTIONS])
        batches = apart(search, path, asked)
        apart(merge, path)
        merged = apart(search, path, asked)
    report_scans(found)
    report_searches({"as written": batches, "words merged": merged})
    return reached(chunks, next(each for each in found.scans if each.name == OURS), found.floor, merged)


def reached(chunks: int, scan: Scan, floor: float, searched: Searched) -> bool:
    """Whether the goals for this size are; the vectors that are held come on top of the memory's."""
    p50, p95 = (float(np.percentile(searched.hybrid.cpu, at)) for at in (50, 95))
    most = QUERY_GOALS[USUAL if chunks <= USUAL else LARGE]
    small = searched.after <= MEGABYTES_GOAL + scan.megabytes
    return small and scan.milliseconds <= SCAN_GOAL * floor and p50 <= most[0] and p95 <= most[1]


def apart(work: Callable[..., T], *arguments: object) -> T:
    """The result of work in a process of its own, which has one thread for numbers."""
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(work, *arguments).result()


def merge(path: Path) -> None:
    """Do what an indexer may do when it has written much."""
    with closing(open_database(path)) as connection:
        merge_words(connection)


def search(path: Path, questions: Sequence[str]) -> Searched:
    """Ask every question by words, and then by all; each once, after a few others."""
    return asyncio.run(_search(path, questions))


async def _search(path: Path, questions: Sequence[str]) -> Searched:
    store = StoreThread(lambda: MemoryStore.open(path), path)
    before = megabytes()
    hybrid = await _ask(HybridSearch(store, StaticEmbedder()), questions)
    after = megabytes()
    words = await _ask(HybridSearch(store), questions)
    await store.aclose()
    return Searched(words, hybrid, before, after)


async def _ask(searching: HybridSearch, questions: Sequence[str]) -> Times:
    for question in questions[:_WARM_UP]:
        await searching.search(question)
    times = Times([], [])
    for question in questions[_WARM_UP:] or questions:
        cpu, wall = time.process_time(), time.perf_counter()
        await searching.search(question)
        times.cpu.append((time.process_time() - cpu) * 1000)
        times.wall.append((time.perf_counter() - wall) * 1000)
    return times


def megabytes() -> float:
    """What of this process is in memory now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def report_scans(found: Scans) -> None:
    """Print the scans' table."""
    print(f"One thread reads {found.rate:.1f} GB/s: all vectors as floats once, the floor, in {found.floor:.2f} ms.\n")
    print("| scan | CPU ms | wall ms | × floor | MB read | × floor of those | recall@10 |\n|--|--|--|--|--|--|--|")
    for each in found.scans:
        own = each.megabytes / found.rate
        ratios = f"{each.milliseconds / found.floor:.2f} | {each.megabytes:.1f} | {each.milliseconds / own:.1f}"
        print(f"| {each.name} | {each.milliseconds:.2f} | {each.wall:.2f} | {ratios} | {each.recall:.3f} |")


def report_searches(searched: Mapping[str, Searched]) -> None:
    """Print the searches' table."""
    print("\n| search | index | CPU ms p50 | p95 | wall ms p50 | p95 |\n|--|--|--|--|--|--|")
    for state, each in searched.items():
        print(f"| words alone | {state} | {each.words} |\n| words, meaning, name | {state} | {each.hybrid} |")
    for state, each in searched.items():
        print(f"\n{state}: {each.before:.0f} MB resident before the first search, {each.after:.0f} MB after the last")


if __name__ == "__main__":
    sys.exit(main())
