"""What caches save: a kept reply beside a call to a server on this machine, and what is remembered beside built anew.

Each is timed beside the other in one run, in turns, by the CPU time of this process; the least of all rounds counts.
The server has a process of its own, so that its work is not part of the call's.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from agentinfra.core.messages import ChatRequest, user
from agentinfra.models import structured
from agentinfra.models.cached_model import CachedModel
from agentinfra.models.openai_chat_model import OpenAIChatModel
from agentinfra.models.reply_cache import ReplyCache
from agentinfra.models.scripted_model import ScriptedModel
from benchmarks.model_load import server

GOAL = 2.0
ASK = ChatRequest((user("request 1"),))
PLAN = '{"title": "Sums", "steps": [{"title": "Add", "files": ["sums.py"], "after": []}]}'
Work = Callable[[], Awaitable[object]]


@dataclass
class Step:
    """A step of a plan, as agents ask for."""

    title: str
    files: list[str]
    after: list[str]


@dataclass
class Plan:
    """A plan."""

    title: str
    steps: list[Step]
    notes: str = ""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print; the exit code is 1 when a cache does not halve the time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=50, help="calls a round")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(arguments)
    with server() as url, tempfile.TemporaryDirectory() as folder:
        taken = asyncio.run(measure(url, Path(folder), options.calls, options.rounds))
    ratios = [
        compared(taken, "a call over the loopback", "a kept reply"),
        compared(taken, "a schema built anew", "a schema remembered"),
    ]
    print(f"The schema is {taken['a schema built anew'] / taken['a call over the loopback']:.0%} of the call")
    return 0 if min(ratios) >= GOAL else 1


def compared(taken: Mapping[str, float], slow: str, fast: str) -> float:
    """Print two times; returns their ratio."""
    ratio = taken[slow] / taken[fast]
    print(f"{slow}: {taken[slow] * 1e3:.2f} ms, {fast}: {taken[fast] * 1e3:.2f} ms; {ratio:.1f} times (goal {GOAL:g})")
    return ratio


async def measure(url: str, folder: Path, calls: int, rounds: int) -> dict[str, float]:
    """CPU seconds of one call of each kind.

    Args:
        url: Of a Chat Completions server.
        folder: An empty one.
        calls: How many a round.
        rounds: How many of each kind.
    """
    asked = OpenAIChatModel("openai-compatible:load", base_url=url, api_key="none")
    kept = CachedModel(asked, ReplyCache(folder))
    planner = ScriptedModel(lambda _: PLAN)

    async def built_anew() -> None:
        structured._form_of_class.cache_clear()  # pyright: ignore[reportPrivateUsage]  # what it is like without
        await structured.complete_as(planner, ASK, Plan)

    works: dict[str, Work] = {
        "a call over the loopback": lambda: asked.complete(ASK),
        "a kept reply": lambda: kept.complete(ASK),
        "a schema built anew": built_anew,
        "a schema remembered": lambda: structured.complete_as(planner, ASK, Plan),
    }
    least: dict[str, float] = {}
    try:
        for work in works.values():
            await work()
        for _ in range(rounds):
            for name, work in works.items():
                least[name] = min(await cpu_of(work, calls), least.get(name, float("inf")))
    finally:
        await asked.aclose()
    return least


async def cpu_of(work: Work, calls: int) -> float:
    """CPU seconds of one call."""
    began = time.process_time()
    for _ in range(calls):
        await work()
    return (time.process_time() - began) / calls


if __name__ == "__main__":
    raise SystemExit(main())
