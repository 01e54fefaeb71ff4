"""CPU seconds of ``import agentinfra`` against a bare interpreter with asyncio, json and dataclasses.

All are started in turn, so that a busy machine slows them alike; the medians are compared. Goal: at most 2.5. The
names load on first use, so the cost of the agent classes, which a program pays when it takes one, stands beside it.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys

BARE = "import asyncio, json, dataclasses"
AGENTS = "PlannerAgent, EngineerAgent, MicroAgent, QAAgent, ModelManager"
ROUNDS = 15
GOAL = 2.5


def main() -> int:
    """Measure and print; the exit code is 1 when the goal is missed."""
    codes = (BARE, f"{BARE}; import agentinfra", f"{BARE}; from agentinfra import {AGENTS}")
    rounds = [[cpu_seconds(code) for code in codes] for _ in range(ROUNDS)]
    bare, package, agents = (statistics.median(times) for times in zip(*rounds, strict=True))
    print(f"CPU of a bare interpreter: {bare * 1000:.0f} ms")
    print(f"import agentinfra: {package * 1000:.0f} ms, ratio {package / bare:.2f} (goal {GOAL})")
    print(f"from agentinfra import {AGENTS}: {agents * 1000:.0f} ms, ratio {agents / bare:.2f}")
    return 0 if package / bare <= GOAL else 1


def cpu_seconds(code: str) -> float:
    """User and system time of a fresh interpreter that runs the code."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-P", "-c", code], check=True, timeout=60)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    sys.exit(main())
