"""How fast a workspace's index is made and kept fresh, beside semble, all in one run.

The tree is a choice of Python files of this interpreter: its standard library and what is installed. Each figure comes
from a process of its own, in turn, so that a busy machine slows all alike; the least CPU time of the rounds counts.
Semble is installed into an environment of its own below the user's cache folder; it is given our word vectors, because
its own lie on a model hub only. Where it cannot be installed, parsing all files is what ours is compared with.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from agentinfra.memory.embedders.minilm_file import minilm_file
from agentinfra.memory.embedders.static import TABLE
from benchmarks.frameworks import Contestant, environment
from benchmarks.indexing_measures import Cold, Edited, Tier, cold, edit, floor, make_tree, restart
from benchmarks.memory_store import apart

SEMBLE = Contestant("semble_index", "semble==0.7.0")
SEMBLE_SECONDS = 600.0
WORDS_GOAL, STATIC_GOAL = 0.3, 0.6
"""CPU time of semble's."""
FOUND_GOAL, PASSES_GOAL, RESTART_GOAL = 100.0, 10, 0.1
STATIC_MEGABYTES, MINILM_MEGABYTES = 150.0, 300.0


@dataclass
class Measured:
    """All figures of one run.

    Attributes:
        floors: CPU seconds of parsing alone, each round.
        cold: What making an index took, each round, by whose it is.
        restarts: CPU seconds to see that nothing has changed.
        edited: What became of edits.
        minilm: What making an index of a few files took with MiniLM; None where it is not installed.
        without_semble: Why semble is not compared with; "" where it is.
    """

    floors: list[float] = field(default_factory=list[float])
    cold: dict[str, list[Cold]] = field(default_factory=dict[str, list[Cold]])
    restarts: list[float] = field(default_factory=list[float])
    edited: Edited | None = None
    minilm: Cold | None = None
    without_semble: str = ""


Goal = tuple[str, float, float]
"""What is measured, what it is, and what it is to be at most."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print; the exit code is 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=1800)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--edits", type=int, default=60)
    parser.add_argument("--rewrites", type=int, default=500)
    parser.add_argument("--minilm-files", type=int, default=20, help="MiniLM takes a hundred times as long as static")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--no-semble", action="store_true", help="do not install it")
    options = parser.parse_args(arguments)
    with TemporaryDirectory(prefix="agentinfra-indexing-") as folder:
        root = Path(folder, "tree")
        megabytes = make_tree(root, options.files, options.seed)
        print(f"{options.files} files of Python, {megabytes:.1f} MB, load {os.getloadavg()[0]:.1f}\n", flush=True)
        python, why = ("", "not asked for") if options.no_semble else _semble()
        measured = Measured(without_semble=why)
        for number in range(options.rounds):
            _measure_round(root, Path(folder, str(number)), python, measured)
        last = Path(folder, str(options.rounds - 1), "static")
        measured.restarts += [apart(restart, root, last, "static") for _ in range(options.rounds)]
        measured.edited = apart(edit, root, last, options.edits, options.rewrites, options.seed)
        if options.minilm_files and minilm_file().is_file():
            few = Path(folder, "few")
            make_tree(few, options.minilm_files, options.seed)
            measured.minilm = apart(cold, few, Path(folder, "minilm"), "minilm")
    return report(measured)


def _measure_round(root: Path, folder: Path, semble: str, measured: Measured) -> None:
    measured.floors.append(apart(floor, root))
    tiers: tuple[Tier, ...] = ("words", "static")
    for tier in tiers:
        measured.cold.setdefault(tier, []).append(apart(cold, root, folder / tier, tier))
    if semble:
        measured.cold.setdefault("semble", []).append(_cold_semble(semble, root, folder / "semble"))


def _semble() -> tuple[str, str]:
    """The interpreter of semble's environment, and why there is none."""
    try:
        return environment(SEMBLE), ""
    except (OSError, subprocess.SubprocessError) as error:
        return "", f"not installed: {error}"


def _cold_semble(python: str, root: Path, target: Path) -> Cold:
    target.mkdir(parents=True)
    offline = {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "OPENBLAS_NUM_THREADS": "1"}
    caches = {"XDG_CACHE_HOME": str(target), "SEMBLE_CACHE_LOCATION": str(target)}
    program = Path(__file__).with_name("contestants") / f"{SEMBLE.module}.py"
    command = [python, "-P", program, root, TABLE, target]
    env = {**os.environ, **offline, **caches}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=SEMBLE_SECONDS, check=False)
    if done.returncode:
        raise SystemExit(f"semble failed: {done.stderr.strip()[-2000:]}")
    return Cold(**json.loads(done.stdout.splitlines()[-1]))


def report(measured: Measured) -> int:
    """Print the tables and the goals; 1 where one is missed."""
    _print_cold(measured)
    _print_rest(measured)
    missed = [what for what, got, most in goals(measured) if not got <= most]
    for what, got, most in goals(measured):
        print(f"{what}: {got:.2f} (goal ≤ {most:g}){' MISSED' if what in missed else ''}")
    return 1 if missed else 0


def goals(measured: Measured) -> list[Goal]:
    """What is to be reached, and what was."""
    of_semble = [(WORDS_GOAL, "words"), (STATIC_GOAL, "static")] if "semble" in measured.cold else []
    found: list[Goal] = [
        (f"CPU time of a new index, {tier}, × semble's", _cpu(measured, tier) / _cpu(measured, "semble"), most)
        for most, tier in of_semble
    ]
    found.append(("CPU seconds to see that nothing changed", min(measured.restarts), RESTART_GOAL))
    found.append(("MB at most, static", max(one.megabytes for one in measured.cold["static"]), STATIC_MEGABYTES))
    if measured.minilm is not None:
        found.append(("MB at most, MiniLM", measured.minilm.megabytes, MINILM_MEGABYTES))
    if measured.edited is not None:
        found.append(("ms from an edit until it is found, p95", _percentile(measured.edited.found, 95), FOUND_GOAL))
        found.append(("looks at a file that was rewritten", measured.edited.passes, PASSES_GOAL))
    return found


def _print_cold(measured: Measured) -> None:
    base = "semble" if "semble" in measured.cold else ""
    whole = _cpu(measured, base) if base else min(measured.floors)
    print(f"| a new index | CPU s | wall s | × {base or 'parsing'} | files | chunks | MB at most |")
    print("|--|--|--|--|--|--|--|")
    print(f"| parsing alone | {min(measured.floors):.2f} | | {min(measured.floors) / whole:.2f} | | | |")
    for name, rounds in measured.cold.items():
        best = min(rounds, key=lambda one: one.cpu)
        most = max(one.megabytes for one in rounds)
        ratio = f"{best.cpu:.2f} | {best.wall:.1f} | {best.cpu / whole:.2f}"
        print(f"| {name} | {ratio} | {best.files} | {best.chunks} | {most:.0f} |")
    if measured.without_semble:
        print(f"\nsemble: {measured.without_semble}; compared with parsing alone")


def _print_rest(measured: Measured) -> None:
    edited = measured.edited
    if edited is not None:
        print("\n| after an edit | p50 | p95 |\n|--|--|--|")
        rows = {"ms until it can be found": edited.indexed, "ms until it is found": edited.found, "CPU ms": edited.cpu}
        for name, values in rows.items():
            print(f"| {name} | {_percentile(values, 50):.0f} | {_percentile(values, 95):.0f} |")
        print(
            f"\nRewritten for {edited.rewritten:.1f} s, indexed {edited.passes} times; {edited.megabytes:.0f} MB then"
        )
    told = f"unchanged: {min(measured.restarts):.3f} CPU s"
    few = measured.minilm
    print(f"{told}; MiniLM: {few.megabytes:.0f} MB at most, {few.chunks} chunks\n" if few is not None else f"{told}\n")


def _cpu(measured: Measured, name: str) -> float:
    return min(one.cpu for one in measured.cold[name])


def _percentile(values: Sequence[float], at: int) -> float:
    return float(np.percentile(values, at))


if __name__ == "__main__":
    sys.exit(main())
