"""Test runs that the merge queue needs for tasks that finish at the same moment, against merging one after the other.

Run it with ``.venv/bin/python benchmarks/merge_queue.py``; a row is one seed of :mod:`merge_scenario`. The exit code is
1 where a final tree is not green, a good task is missing, or a bad one came in.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

from merge_scenario import Piece, Result, Scenario, make_pieces

from agentinfra.proof.pytest_runner import PytestRunner
from agentinfra.proof.runner import TestRunner
from agentinfra.security.sandbox.detect import choose_sandbox

HEADER = "seed  side        whole runs  partial runs  seconds  sent back  good merged  bad named  final tree"
TOGETHER = 64


def main() -> int:
    """Play the seeds and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=50)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--no-floor", action="store_true", help="do not play it one after the other as well")
    options = parser.parse_args()
    sides = [TOGETHER] if options.no_floor else [TOGETHER, 1]
    print(HEADER)
    sound = [asyncio.run(play(seed, options.tasks, together)) for seed in options.seeds for together in sides]
    return 0 if all(sound) else 1


async def play(seed: int, count: int, together: int) -> bool:
    """Play one seed, print its row, and return whether it ended as it must."""
    runner: TestRunner = PytestRunner(await choose_sandbox(allow_unsandboxed=False))
    pieces = make_pieces(count, seed)
    with tempfile.TemporaryDirectory(prefix="agentinfra-merge-") as folder:
        started = time.monotonic()
        result = await Scenario(Path(folder), pieces, runner, together=together).play()
        seconds = time.monotonic() - started
    print(row(seed, "together" if together > 1 else "one by one", pieces, result, seconds), flush=True)
    return is_sound(pieces, result)


def row(seed: int, side: str, pieces: list[Piece], result: Result, seconds: float) -> str:
    """One line of the table."""
    good, bad = ({piece.id for piece in pieces if piece.is_bad is wanted} for wanted in (False, True))
    return (
        f"{seed:4}  {side:10}  {result.whole_runs:10}  {result.partial_runs:12}  {seconds:7.0f}  {result.returns:9}  "
        f"{f'{len(good & result.merged)}/{len(good)}':>11}  {f'{len(bad & set(result.refused))}/{len(bad)}':>9}  "
        f"{'green' if result.report.all_passed else 'red'}"
    )


def is_sound(pieces: list[Piece], result: Result) -> bool:
    """Whether the final tree is green, every good task is in it, and every bad one is named."""
    good = {piece.id for piece in pieces if not piece.is_bad}
    bad = {piece.id for piece in pieces} - good
    return result.report.all_passed and not good ^ result.merged and not bad ^ set(result.refused)


if __name__ == "__main__":
    sys.exit(main())
