"""The idea benchmark: what the product makes of ideas, beside the same model asked once for all files.

    make ideas ARGS="--ideas FOLDER --model local:qwen2.5-coder-1.5b"

Every cell (a case, a side, a seed) is stored when it is finished; the same command again goes on with what is missing.
Measure in a checkout that nobody works in: a change to the package makes its cells those of another product.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean
from typing import TypeVar

from idea_cases import Case, load_cases
from idea_cells import Cell, CellFile, Version, comparable, is_of, kind_of, machine, version
from idea_judge import Judge
from idea_one_call import OneCallSide
from idea_product import AgentInfraSide
from idea_sides import Side
from idea_table import markdown

from agentinfra.core.errors import AgentInfraError, InputError
from agentinfra.models.catalog import CATALOG, DEFAULT_MODEL
from agentinfra.models.download import ensure_model
from agentinfra.models.model_manager import ModelManager
from agentinfra.security.clean import clean_line
from agentinfra.security.sandbox.detect import choose_sandbox
from agentinfra.workflow.figures import count, duration

IDEAS_VARIABLE = "AGENTINFRA_IDEAS"
COMMAND = Path(sys.executable).with_name("agentinfra")
RESULTS = Path(__file__).resolve().parent / "results"
STOPPED = 130

Number = TypeVar("Number", int, float)


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asks for; its help says more.

    Attributes:
        ideas: Folder of the cases; None only where nothing is measured.
        model: ``provider:name``.
        base_url: Address of an OpenAI-compatible endpoint.
        seeds: Number of seeds, which are 1 to that.
        minutes: Limit of a cell.
        only: Beginnings of the names of cases.
        out: File of the results.
        side: The one side to measure; None for both.
        any_commit: Whether cells of other states of the product count.
        keep: Folder for what was built.
        markdown: Whether only to print.
    """

    ideas: Path | None
    model: str
    base_url: str | None
    seeds: int
    minutes: float
    only: tuple[str, ...]
    out: Path
    side: str | None
    any_commit: bool
    keep: Path | None
    markdown: bool


@dataclass(frozen=True, slots=True)
class Slot:
    """A cell that can be measured."""

    case: Case
    side: Side
    seed: int

    @property
    def name(self) -> str:
        """Case, seed and side."""
        return f"{self.case.name}, seed {self.seed}, {self.side.name}"


def both_sides(options: Options) -> tuple[Side, ...]:
    """The product in this environment, and the same model alone."""
    product = AgentInfraSide(COMMAND, options.model, minutes=options.minutes, base_url=options.base_url)
    one_call = OneCallSide(
        lambda: ModelManager(base_url=options.base_url).get_model(options.model), minutes=options.minutes
    )
    return product, one_call


def main(arguments: Sequence[str] | None = None, sides: Callable[[Options], Sequence[Side]] = both_sides) -> int:
    """Measure what is missing and print the table.

    Args:
        arguments: The command line; None takes the process's.
        sides: Makes what is compared.

    Returns:
        0 when all is measured, 1 when something could not be, 130 when stopped from the keyboard.
    """
    options = parse(arguments)
    try:
        store = CellFile(options.out)
        if not options.markdown:
            asyncio.run(measure_all(options, store, sides(options)))
    except KeyboardInterrupt:
        print(f"\nStopped. What is finished stands in {options.out}; the same command goes on.", file=sys.stderr)
        return STOPPED
    except (AgentInfraError, OSError) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    print(f"\n{markdown(comparable(store.cells, options.model, any_commit=options.any_commit))}")
    return 0


def parse(arguments: Sequence[str] | None) -> Options:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="ideas.py", description="Measure what becomes of ideas.")
    add = parser.add_argument
    ideas = os.environ.get(IDEAS_VARIABLE)
    add("--ideas", type=Path, default=Path(ideas) if ideas else None, help=f"folder of the cases (${IDEAS_VARIABLE})")
    add("--model", default=f"local:{DEFAULT_MODEL}", metavar="PROVIDER:NAME")
    add("--base-url", help="address of an OpenAI-compatible endpoint, for both sides")
    add("--seeds", type=seed_count, default=3, metavar="N", help="seeds 1 to N (default 3)")
    add("--minutes", type=limit, default=15.0, metavar="M", help="limit per cell (default 15)")
    add("--only", type=names, default=(), metavar="01,05", help="beginnings of the names of the cases to measure")
    add("--out", type=Path, metavar="FILE", help="where the cells are kept (default benchmarks/results/MODEL.json)")
    one_side = parser.add_mutually_exclusive_group()
    one_side.add_argument("--baseline-only", dest="side", action="store_const", const="one-call")
    one_side.add_argument("--product-only", dest="side", action="store_const", const="agentinfra")
    add("--any-commit", action="store_true", help="count stored cells of other commits too; the table says which")
    add("--keep", type=Path, metavar="FOLDER", help="keep what each cell built, with the run's events")
    add("--markdown", action="store_true", help="measure nothing; print the table of what is stored")
    given = parser.parse_args(arguments)
    if given.ideas is None and not given.markdown:
        parser.error(f"--ideas (or {IDEAS_VARIABLE}) is needed: the project carries no cases")
    given.out = given.out or RESULTS / f"{re.sub('[^A-Za-z0-9.]+', '-', given.model)}.json"
    return Options(**vars(given))


def seed_count(text: str) -> int:
    """A number of seeds from the command line."""
    return at_least(1, int(text))


def limit(text: str) -> float:
    """A number of minutes from the command line."""
    return at_least(0.01, float(text))


def names(text: str) -> tuple[str, ...]:
    """Names with commas between them."""
    return tuple(filter(None, (part.strip() for part in text.split(","))))


def at_least(least: float, number: Number) -> Number:
    """The number itself.

    Raises:
        ValueError: It is smaller.
    """
    if not least <= number < math.inf:
        raise ValueError(f"{number} is not at least {least}")
    return number


async def measure_all(options: Options, store: CellFile, sides: Sequence[Side]) -> None:
    """Measure every cell that is missing, one after the other.

    Raises:
        AgentInfraError: A side cannot work here at all, or the package was changed meanwhile.
    """
    start = version()
    slots = list(missing(options, store, sides, start))
    if not slots:
        return
    most = duration(len(slots) * options.minutes * 60)
    print(f"{count(len(slots), 'cell')} to measure, at most {most}; Ctrl-C is safe.")
    judge = Judge(await choose_sandbox())
    await fetch_model(options.model)
    for number, slot in enumerate(slots, 1):
        now = version()
        if slot.side.name == "agentinfra" and not options.any_commit:
            require_same(start, now)
        print(f"[{number}/{len(slots)}] {slot.name}: ", end="", flush=True)
        store.add(await measure(slot, judge, options, now))
        print(f"{outcome(store.cells[-1])}{remaining(slots[number:], store.cells)}", flush=True)


async def fetch_model(name: str) -> None:
    """Have the file of an embedded model there before any clock runs."""
    entry = CATALOG.get(name.removeprefix("local:")) if name.startswith("local:") else None
    if entry:
        await ensure_model(entry)


def missing(options: Options, store: CellFile, sides: Sequence[Side], now: Version) -> Iterator[Slot]:
    """The cells that are not stored yet, a seed at a time, so that early results are of all cases."""
    cases = load_cases(options.ideas or Path(), options.only)
    stored = {
        (cell.case, cell.case_digest, cell.seed, cell.kind)
        for cell in store.cells
        if options.any_commit or is_of(cell, now.source)
    }
    for seed in range(1, options.seeds + 1):
        for case in cases:
            for side in sides:
                kind = kind_of(side.name, options.model, side.settings)
                if options.side in (None, side.name) and (case.name, case.digest, seed, kind) not in stored:
                    yield Slot(case, side, seed)


def require_same(start: Version, now: Version) -> None:
    """Do not mix two products in one table without being told to.

    Raises:
        InputError: The package is not what it was at the start.
    """
    if now.source != start.source:
        raise InputError(
            "The package was changed while it was measured",
            why="The cells from here on would be those of another product",
            next_step="Measure in a checkout of its own, or pass --any-commit",
        )


async def measure(slot: Slot, judge: Judge, options: Options, now: Version) -> Cell:
    """Let a side build a case, and judge what it made.

    Raises:
        AgentInfraError: The side or the sandbox does not work, which is no result.
    """
    total = len(await judge.items(slot.case))
    with work_folder(options.keep, slot) as folder:
        made = await slot.side.deliver(slot.case, slot.seed, folder)
        passed = await judge.passed(slot.case, made.tree)
    return Cell(
        case=slot.case.name,
        case_digest=slot.case.digest,
        step=slot.case.step,
        side=slot.side.name,
        seed=slot.seed,
        model=options.model,
        settings=dict(slot.side.settings),
        passed=passed,
        total=total,
        seconds=round(made.seconds, 1),
        input_tokens=made.input_tokens,
        output_tokens=made.output_tokens,
        tries=made.tries,
        tasks=made.tasks,
        done=made.done,
        note=made.note,
        source=now.source,
        commit=now.commit,
        dirty=now.dirty,
        machine=machine(),
        date=datetime.now(UTC).isoformat(timespec="seconds"),
    )


@contextmanager
def work_folder(keep: Path | None, slot: Slot) -> Generator[Path]:
    """A fresh folder for a cell, which stays only where it is to be kept."""
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="agentinfra-idea-", ignore_cleanup_errors=True) as folder:
            yield Path(folder)
    else:
        folder = keep.resolve() / f"{slot.case.name}-{slot.side.name}-{slot.seed}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        yield folder


def outcome(cell: Cell) -> str:
    """A cell in one line."""
    tasks = f", {cell.done}/{cell.tasks} tasks done" if cell.tasks else ""
    note = f" ({clean_line(cell.note)})" if cell.note else ""
    return f"{cell.passed}/{cell.total} tests in {duration(cell.seconds)}{tasks}{note}"


def remaining(slots: Sequence[Slot], cells: Sequence[Cell]) -> str:
    """How long the rest may take, by the mean of each side's cells so far; "" where there is no rest."""
    if not slots:
        return ""
    left = 0.0
    for side in {slot.side.name for slot in slots}:
        own = [cell.seconds for cell in cells if cell.side == side]
        if not own:
            return f"; {len(slots)} to go"
        left += fmean(own) * sum(slot.side.name == side for slot in slots)
    return f"; about {duration(left)} to go"


if __name__ == "__main__":
    sys.exit(main())
