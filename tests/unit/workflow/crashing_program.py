"""A program for test_durable.py to kill: ``python crashing_program.py <database> <effects> [steps]``.

One run with four children, each of which takes steps that write a line before and after their work.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from agentinfra.workflow.durable import DbosEngine

CHILDREN = 4


async def main(database: Path, effects: Path, steps: int) -> None:
    engine = DbosEngine(database)

    def note(line: str) -> None:
        with effects.open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    async def child(number: int) -> int:
        for step in range(steps):

            async def work(step: int = step) -> str:
                note(f"start {number} {step}")
                await asyncio.sleep(0.03)
                note(f"end {number} {step}")
                return engine.next_key()

            await engine.step(f"step {step}", work)
        return number * 10

    async def parent(count: int) -> list[int]:
        note("boot")
        for number in range(count):
            await engine.start("child", f"run/{number}", number)
        return [await engine.result(f"run/{number}") for number in range(count)]

    engine.register("child", child)
    engine.register("parent", parent)
    try:
        print(await engine.run("parent", "run", CHILDREN), flush=True)
    finally:
        await engine.close()


if __name__ == "__main__":
    os.umask(0o022)
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])))
