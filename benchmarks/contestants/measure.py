"""Measure one thing of one contestant in this process and print it as JSON: ``measure.py KIND CONTESTANT``.

Needs the standard library alone: it runs in each contestant's own environment.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import json
import sys
import time
from pathlib import Path
from types import ModuleType

import task

SAMPLES = 60
AGENTS = 10_000
RUNS = 10_000


def main(kind: str, contestant: str) -> None:
    """Measure and print."""
    sys.path.insert(0, str(Path(__file__).parent))
    module = importlib.import_module(contestant)
    if kind == "ready":
        module.make()
    # A whole process from its start: what an import pulls in may have been paid for by the interpreter already.
    figure = time.process_time() if kind in ("import", "ready") else asyncio.run(KINDS[kind](module))
    print(json.dumps({"figure": figure}))


async def construct(module: ModuleType) -> float:
    """Least CPU seconds to make an agent, after the first one."""
    module.make()
    return min(_cpu_of_making(module) for _ in range(SAMPLES))


async def one_run(module: ModuleType) -> float:
    """Least CPU seconds of a run with one tool call."""
    return min([await _cpu_of_running(module) for _ in range(SAMPLES)])


async def many(module: ModuleType, at_once: int) -> float:
    """Runs a CPU second with so many at once, each with an agent of its own."""
    await module.run(module.make())
    agents = [module.make() for _ in range(at_once)]
    counted, before = task.calls, time.process_time()
    answers = await asyncio.gather(*(module.run(agent) for agent in agents))
    spent = time.process_time() - before
    _require(answers == [task.ANSWER] * at_once and task.calls - counted == at_once)
    return at_once / spent


async def memory(module: ModuleType) -> float:
    """Bytes an agent when very many are alive, beyond what the first one loads."""
    first = [module.make()]
    gc.collect()
    before = resident_bytes()
    agents = [module.make() for _ in range(AGENTS)]
    gc.collect()
    grown = resident_bytes() - before
    _require(len(agents) + len(first) == AGENTS + 1)
    return grown / AGENTS


async def flat(module: ModuleType) -> float:
    """Growth of the process over very many runs, in bytes, after a tenth of them as warm-up."""
    agent_runs = 0
    for _ in range(RUNS // 10):
        await module.run(module.make())
    gc.collect()
    before = resident_bytes()
    for _ in range(RUNS):
        agent_runs += (await module.run(module.make())) == task.ANSWER
    gc.collect()
    _require(agent_runs == RUNS)
    return resident_bytes() - before


def resident_bytes() -> int:
    """Memory of this process that is in RAM."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def _cpu_of_making(module: ModuleType) -> float:
    before = time.process_time()
    module.make()
    return time.process_time() - before


async def _cpu_of_running(module: ModuleType) -> float:
    agent, counted, before = module.make(), task.calls, time.process_time()
    answer = await module.run(agent)
    spent = time.process_time() - before
    _require(answer == task.ANSWER and task.calls - counted == 1)
    return spent


def _require(done: bool) -> None:
    if not done:
        raise SystemExit("The contestant did not do the job: the tool must run once and the answer come back")


KINDS = {
    "construct": construct,
    "run": one_run,
    "many-50": lambda module: many(module, 50),
    "many-1000": lambda module: many(module, 1000),
    "memory": memory,
    "flat": flat,
}

if __name__ == "__main__":
    main(*sys.argv[1:])
