"""Many model calls at once: OpenAIChatModel beside the bare SDK that it stands on, in one run.

Both stream the same answers from the same loopback server, which has a process of its own. They take turns, so that a
busy machine slows them alike; the least CPU time and the shortest wall time of each count. OpenAIChatModel opens a
connection for each request to the loopback, and so does the SDK here; with its own setting, which keeps a hundred open,
it stands beside them for what that costs when so many are in flight.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from openai import AsyncOpenAI

from agentinfra.core.interfaces import ModelProfile
from agentinfra.core.messages import ChatRequest, user
from agentinfra.models.openai_chat_model import OpenAIChatModel

ROOT = Path(__file__).resolve().parent.parent
GOAL = 1.25
OURS, BARE = "OpenAIChatModel", "bare SDK"
Ask = Callable[[str], Awaitable[str]]
"""Sends a question and returns the whole text of the answer."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One batch of requests.

    Attributes:
        wall: Seconds.
        cpu: Seconds of this process.
    """

    wall: float
    cpu: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print; the exit code is 1 when the goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=1000, help="how many are in flight at once")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(arguments)
    with server() as url:
        samples = asyncio.run(measure(url, options.requests, options.rounds))
    for name, taken in samples.items():
        cpu, wall = least(taken) / options.requests, min(one.wall for one in taken)
        print(f"{name}: {options.requests / wall:.0f} requests/s, {cpu * 1000:.2f} ms of CPU a request")
    ratio = least(samples[OURS]) / least(samples[BARE])
    print(f"CPU ratio: {ratio:.2f} (goal {GOAL}), {options.requests} requests at once, {options.rounds} rounds")
    return 0 if ratio <= GOAL else 1


def least(samples: Sequence[Sample]) -> float:
    """The least CPU time of the samples."""
    return min(one.cpu for one in samples)


@contextmanager
def server() -> Generator[str]:
    """The address of a server in a process of its own."""
    command = [sys.executable, "-m", "tests.conformance.load_server"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.stdin.close()


async def measure(url: str, requests: int, rounds: int) -> dict[str, list[Sample]]:
    """Samples of all, by name, after a request of each to warm up."""
    model = OpenAIChatModel("load:m", base_url=url, profile=ModelProfile(concurrency=requests))
    bare = AsyncOpenAI(base_url=url, api_key="none", default_headers={"Connection": "close"})
    keeping = AsyncOpenAI(base_url=url, api_key="none")

    async def ask_model(question: str) -> str:
        return (await model.complete(ChatRequest((user(question),)))).text

    contestants: dict[str, Ask] = {
        OURS: ask_model,
        BARE: lambda question: ask_sdk(bare, question),
        "bare SDK, connections kept": lambda question: ask_sdk(keeping, question),
    }
    for ask in contestants.values():
        await ask("request 0")
    samples: dict[str, list[Sample]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, ask in contestants.items():
            samples[name].append(await batch(ask, requests))
    await asyncio.gather(model.aclose(), bare.close(), keeping.close())
    return samples


async def batch(ask: Ask, requests: int) -> Sample:
    """All requests at once; each must get its own answer."""
    questions = [f"request {number}" for number in range(requests)]
    wall, cpu = time.perf_counter(), time.process_time()
    answers = await asyncio.gather(*(ask(question) for question in questions))
    sample = Sample(time.perf_counter() - wall, time.process_time() - cpu)
    assert all(question in answer for question, answer in zip(questions, answers, strict=True))
    return sample


async def ask_sdk(client: AsyncOpenAI, question: str) -> str:
    """The same request by the SDK alone."""
    stream = await client.chat.completions.create(
        model="m",
        messages=[{"role": "user", "content": question}],
        max_tokens=1024,
        temperature=0.2,
        stream=True,
        stream_options={"include_usage": True},
    )
    async with stream:
        return "".join([chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices])


if __name__ == "__main__":
    sys.exit(main())
