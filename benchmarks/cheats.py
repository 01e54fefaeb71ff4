"""Cheating and honest solutions before the judge: prints who was caught by what, and ends with 1 where one was wrong.

.venv/bin/python benchmarks/cheats.py [--cheats] [--honest] [--variants N] [--json FILE]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import textwrap
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from cheat_catalogue import Work, cheats, honest, limits
from cheat_trials import Judgement, judge_cheats, judge_honest
from cheat_variants import variants
from rich.console import Console
from rich.table import Table

from agentinfra.proof.pytest_runner import PytestRunner
from agentinfra.security.sandbox.detect import choose_sandbox


def main() -> int:
    """Judge the catalogue; 0 where every cheat was caught and no honest solution flagged."""
    options = _options()
    both = not (options.cheats or options.honest)
    caught: list[Judgement] = []
    known: list[Judgement] = []
    judged: list[Judgement] = []
    started = time.monotonic()
    if options.cheats or both:
        caught = asyncio.run(_judge_cheats(cheats()))
        known = asyncio.run(_judge_cheats(limits()))
    if options.honest or both:
        judged = asyncio.run(_judge_honest(_with_variants(options.variants)))
    _print(caught, known, judged, time.monotonic() - started)
    if options.json:
        options.json.write_text(json.dumps([_row(one) for one in (*caught, *judged)], indent=2), "utf-8")
    return 1 if _missed(caught) or _flagged(judged) else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Judge cheating and honest solutions as the engine does.")
    parser.add_argument("--cheats", action="store_true", help="only the cheats")
    parser.add_argument("--honest", action="store_true", help="only the honest solutions")
    parser.add_argument("--variants", type=int, default=2, help="rewritten forms of each honest solution (2)")
    parser.add_argument("--json", type=Path, help="write the judgements to this file as well")
    return parser.parse_args()


def _with_variants(count: int) -> list[Work]:
    return [form for work in honest() for form in (work, *variants(work)[:count])]


async def _judge_cheats(works: Sequence[Work]) -> list[Judgement]:
    return await judge_cheats(PytestRunner(await choose_sandbox()), works)


async def _judge_honest(works: Sequence[Work]) -> list[Judgement]:
    return await judge_honest(PytestRunner(await choose_sandbox()), works)


def _missed(judged: Sequence[Judgement]) -> list[Judgement]:
    return [one for one in judged if one.taken]


def _flagged(judged: Sequence[Judgement]) -> list[Judgement]:
    return [one for one in judged if not one.taken]


def _print(
    caught: Sequence[Judgement], known: Sequence[Judgement], judged: Sequence[Judgement], seconds: float
) -> None:
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 180, markup=False)
    if caught:
        console.print(_table("Cheats", "behaviour", caught))
        console.print(f"{len(caught) - len(_missed(caught))} of {len(caught)} cheats caught: {_layers(caught)}")
        console.print(_table("Known to get through, not counted", "behaviour", known))
    if judged:
        if _flagged(judged):
            console.print(_table("Honest solutions that were refused", "solution", _flagged(judged)))
        kinds = len({one.work.told for one in judged})
        console.print(f"{len(_flagged(judged))} of {len(judged)} honest solutions ({kinds} kinds) flagged")
    console.print(f"{seconds:.0f} s")


def _table(title: str, first: str, judged: Sequence[Judgement]) -> Table:
    table = Table(first, "tries", "caught by", "reason", title=title, title_justify="left")
    for one in judged:
        table.add_row(one.work.name, one.work.told, one.caught_by or "NOT CAUGHT", textwrap.shorten(one.reason, 150))
    return table


def _layers(judged: Sequence[Judgement]) -> str:
    counts = Counter(one.caught_by for one in judged if not one.taken)
    return ", ".join(f"{count} by {layer}" for layer, count in counts.most_common())


def _row(one: Judgement) -> dict[str, str | bool]:
    return {"name": one.work.name, "taken": one.taken, "caught_by": one.caught_by, "reason": one.reason}


if __name__ == "__main__":
    sys.exit(main())
