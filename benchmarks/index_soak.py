"""Kills and damage while a workspace is indexed: does the index open, is it whole, does it go on, is nothing lost?

A process that learns something and then indexes a workspace is ended by SIGKILL at a random moment; the workspace
changes, and the next process goes on. After each kill the file must open and be whole, and must hold all that was
acknowledged as learnt. In the end it must equal an index of the same files that was made in peace. ``--damages`` spoils
random pages of such a file instead: searching and indexing must go on, with all that was learnt. ``--files`` measures a
workspace of many small files.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agentinfra.core.config import workspace_folder
from agentinfra.core.errors import AgentInfraError
from agentinfra.memory.indexer import RACY_NS
from agentinfra.memory.long_term_memory import LongTermMemory
from agentinfra.memory.workspace_memory import WorkspaceMemory
from benchmarks.index_soak_workspace import change_workspace, content, faults, make_workspace

PAGE = 4096
_CHILD = """
import asyncio, sys
from pathlib import Path
from agentinfra.core.config import workspace_folder
from agentinfra.memory.indexer import RACY_NS
from agentinfra.memory.long_term_memory import LongTermMemory
from agentinfra.memory.workspace_memory import WorkspaceMemory

async def main(root, data, lesson):
    index = WorkspaceMemory.open(root, data=data)
    print("begun", flush=True)
    memory = LongTermMemory(workspace_folder(root, data) / "memory.db", embedder=None)
    await memory.astore(lesson)
    print("learnt", flush=True)
    await index.index()
    print("indexed", flush=True)
    await memory.aclose()
    await index.aclose()
    print("closed", flush=True)

asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]))
"""


@dataclass
class Soak:
    """What came of it.

    Attributes:
        stages: How far the processes came that were killed.
        wrong: What should not have been.
        learnt: The lessons that were acknowledged.
    """

    stages: Counter[str] = field(default_factory=Counter[str])
    wrong: list[str] = field(default_factory=list[str])
    learnt: list[str] = field(default_factory=list[str])


def run_kills(folder: Path, kills: int, files: int, seed: int) -> Soak:
    """Kill the indexing process again and again, and compare the result with an index made in peace."""
    dice, soak, root, data = random.Random(seed), Soak(), folder / "workspace", folder / "data"
    make_workspace(root, files)
    path = workspace_folder(root, data) / "memory.db"
    whole = _whole(root, folder / "first")
    for number in range(kills):
        lesson = f"lesson {seed} {number}"
        stage = _killed(root, data, lesson, dice.uniform(0, whole))
        soak.stages[stage] += 1
        soak.learnt += [lesson] if stage not in ("", "begun") else []
        soak.wrong += [f"kill {number}: {one}" for one in _looked_at(path, soak.learnt)]
        change_workspace(root, dice)
    soak.wrong += _compared(folder, root, data)
    return soak


def _whole(root: Path, data: Path) -> float:
    """How long a process takes that is not killed, from when it has begun."""
    with subprocess.Popen([sys.executable, "-c", _CHILD, str(root), str(data), "x"], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        began = time.monotonic()
        process.stdout.read()
    return time.monotonic() - began


def _killed(root: Path, data: Path, lesson: str, seconds: float) -> str:
    """How far a process came until it was killed, so long after it had begun."""
    command = [sys.executable, "-c", _CHILD, str(root), str(data), lesson]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdout is not None
        stage = process.stdout.readline().decode().strip()
        select.select([], [], [], seconds)
        os.killpg(process.pid, signal.SIGKILL)
        told = process.stdout.read().decode().split()
    return told[-1] if told else stage


def _looked_at(path: Path, learnt: Sequence[str]) -> list[str]:
    try:
        held = asyncio.run(_lessons(path))
        index = faults(path) if _has_index(path) else []
    except AgentInfraError as error:
        return [f"does not open: {error}"]
    return index + [f"lost {one!r}" for one in learnt if one not in held]


def _has_index(path: Path) -> bool:
    from agentinfra.memory.store import MemoryStore  # noqa: PLC0415

    MemoryStore.open(path).close()
    return True


async def _lessons(path: Path) -> set[str]:
    memory = LongTermMemory(path, embedder=None)
    try:
        return {record.text for record in await memory.records()}
    finally:
        await memory.aclose()


async def _index(root: Path, data: Path) -> None:
    memory = WorkspaceMemory.open(root, data=data)
    try:
        await memory.index()
    finally:
        await memory.aclose()


def _compared(folder: Path, root: Path, data: Path) -> list[str]:
    """In what the index differs from one that is made in peace."""
    asyncio.run(_index(root, data))
    asyncio.run(_index(root, folder / "peace"))
    killed, peace = (content(workspace_folder(root, one) / "memory.db") for one in (data, folder / "peace"))
    wrong = [f"{name} differ from those of an index made in peace" for name in peace if killed[name] != peace[name]]
    return wrong + faults(workspace_folder(root, data) / "memory.db")


def run_damages(folder: Path, damages: int, files: int, seed: int) -> Soak:
    """Spoil pages of an index with lessons, and go on with it."""
    dice, soak, root, data = random.Random(seed), Soak(), folder / "workspace", folder / "data"
    make_workspace(root, files)
    path = workspace_folder(root, data) / "memory.db"
    asyncio.run(_index(root, data))
    asyncio.run(_learn(path, [f"lesson {number}" for number in range(50)]))
    whole, copy = path.read_bytes(), Path(f"{path}.records").read_bytes()
    wanted = content(path)
    for number in range(damages):
        shutil.rmtree(path.parent)
        path.parent.mkdir(mode=0o700)
        path.write_bytes(_spoilt(whole, dice))
        Path(f"{path}.records").write_bytes(copy)
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            soak.wrong += [f"damage {number}: {one}" for one in asyncio.run(_used(root, data, path, wanted))]
        soak.stages["noticed" if told else "unnoticed"] += 1
    return soak


def _spoilt(content: bytes, dice: random.Random) -> bytes:
    """A file with one to five pages of noise, zeros or other pages, or cut off."""
    spoilt = bytearray(content)
    if dice.random() < 0.1:
        return content[: dice.randrange(len(content))]
    for _ in range(dice.randint(1, 5)):
        at = dice.randrange(len(content) // PAGE) * PAGE
        other = dice.randrange(len(content) // PAGE) * PAGE
        spoilt[at : at + PAGE] = dice.choice((dice.randbytes(PAGE), bytes(PAGE), content[other : other + PAGE]))
    return bytes(spoilt)


async def _learn(path: Path, lessons: Sequence[str]) -> None:
    memory = LongTermMemory(path, embedder=None)
    for lesson in lessons:
        await memory.astore(lesson)
    await memory.aclose()


async def _used(root: Path, data: Path, path: Path, wanted: dict[str, list[tuple[object, ...]]]) -> list[str]:
    """What went wrong in using it; where nothing was noticed, what is there is still what is wanted or less."""
    wrong: list[str] = []
    memory = WorkspaceMemory.open(root, data=data)
    try:
        for query in ("read a file", "class path", "return value"):
            await memory.search(query)
        await memory.index()
        await memory.check()
        await memory.index()
    except AgentInfraError as error:
        wrong.append(f"{type(error).__name__}: {error}")
    finally:
        await memory.aclose()
    held = await _lessons(path)
    wrong += [] if len(held) == 50 else [f"{50 - len(held)} lessons are lost"]
    try:
        now = content(path)
        return wrong + [f"{name} are others" for name in wanted if now[name] != wanted[name]] + faults(path)
    except AgentInfraError as error:
        return [*wrong, f"cannot be read: {error}"]


def run_files(folder: Path, files: int, pause: float = RACY_NS / 1e9) -> str:
    """What a workspace of many small files takes: at first, once more for those that were just written, unchanged."""
    root, data = folder / "workspace", folder / "data"
    for number in range(files):
        place = root / f"d{number % 100}" / f"e{number // 100 % 10}"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"f{number}.py").write_text(f"def made_{number}(value):\n    return value + {number}\n")
    told: list[str] = []
    for name in ("first", "just written", "unchanged"):
        wall, cpu = time.monotonic(), time.process_time()
        asyncio.run(_index(root, data))
        told.append(f"{name}: {time.monotonic() - wall:.1f} s wall, {time.process_time() - cpu:.1f} CPU-s")
        time.sleep(pause)
    size = sum(one.stat().st_size for one in workspace_folder(root, data).iterdir())
    return f"{files:,} files: {'; '.join(told)}; {size / 1e6:.0f} MB"


def main() -> int:
    """Run what is asked for; 1 where anything went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--damages", type=int, default=0)
    parser.add_argument("--files", type=int, default=0, help="of the workspace with many small files")
    parser.add_argument("--modules", type=int, default=200, help="of the workspace that is killed or damaged")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    wrong: list[str] = []
    for name, count in (("kills", given.kills), ("damages", given.damages)):
        with tempfile.TemporaryDirectory() as folder:
            run = run_kills if name == "kills" else run_damages
            if count:
                soak = run(Path(folder), count, given.modules, given.seed)
                print(f"{count} {name}: {dict(soak.stages)}; {len(soak.wrong)} wrong")
                wrong += soak.wrong
    if given.files:
        with tempfile.TemporaryDirectory() as folder:
            print(run_files(Path(folder), given.files))
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
