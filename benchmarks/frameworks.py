"""AgentInfra's agent loop beside a plain asyncio loop and other frameworks, all measured in one run.

Every contestant does the same job (``benchmarks/contestants/task.py``) with a model that answers at once, in its own
virtual environment and a fresh process for each figure, in turn, so that a busy machine slows them alike. CPU time,
least of many samples. The environments are made on the first run, below the user's cache folder.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_cache_path

HERE = Path(__file__).resolve().parent / "contestants"
KINDS: tuple[str, ...] = ("import", "ready", "construct", "run", "many-50", "many-1000", "memory", "flat")
ROUNDS = {"import": 5, "run": 3, "many-50": 3, "many-1000": 3}
OURS, FLOOR = "agentinfra_agent", "plain_loop"
# These rise with speed; of the others less is better.
RATES = ("many-50", "many-1000")


@dataclass(frozen=True, slots=True)
class Contestant:
    """A program in ``contestants/`` and what its environment needs.

    Attributes:
        module: Its module.
        package: What is installed for it; empty for what runs in this environment.
    """

    module: str
    package: str = ""


CONTESTANTS = (
    Contestant(FLOOR),
    Contestant(OURS),
    Contestant("agent_framework_core", "agent-framework-core==1.23.0"),
    Contestant("agno_agent", "agno==3.1.10"),
    Contestant("pydantic_ai_slim", "pydantic-ai-slim==2.68.0"),
    Contestant("openai_agents", "openai-agents==0.24.0"),
    Contestant("langgraph_nodes", "langgraph==1.2.22"),
)

Figures = Mapping[str, Mapping[str, float]]
"""By contestant and kind: seconds, runs a CPU second, or bytes."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the tables and the goals; the exit code is 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", metavar="MODULE", help="contestants, besides the floor and ours")
    chosen = parser.parse_args(arguments).only
    contestants = [one for one in CONTESTANTS if chosen is None or one.module in {FLOOR, OURS, *chosen}]
    pythons = {one.module: environment(one) for one in contestants}
    figures: dict[str, dict[str, float]] = {one: {} for one in pythons}
    for kind in KINDS:
        # Ten thousand runs take some of the others many minutes, and only our own growth is a goal.
        measured = [one for one in pythons if kind != "flat" or one in (OURS, FLOOR)]
        print(f"Measuring {kind}", file=sys.stderr)
        samples = [{one: measure(pythons[one], kind, one) for one in measured} for _ in range(ROUNDS.get(kind, 1))]
        for one in measured:
            figures[one][kind] = typical(kind, [sample[one] for sample in samples])
    print(table(figures))
    return show_goals(figures)


def environment(contestant: Contestant) -> str:
    """The Python that the contestant runs in; its virtual environment is made where it is missing."""
    if not contestant.package:
        return sys.executable
    folder = user_cache_path("agentinfra") / "benchmarks" / contestant.package.replace("==", "-")
    python = folder / "bin" / "python"
    if not (folder / "complete").exists():
        print(f"Installing {contestant.package}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True, timeout=300)
        subprocess.run([python, "-m", "pip", "install", "-q", contestant.package], check=True, timeout=1800)
        (folder / "complete").touch()
    return str(python)


def measure(python: str, kind: str, module: str) -> float:
    """One figure of one contestant, from a fresh process with bytecode cached."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    command = [python, str(HERE / "measure.py"), kind, module]
    done = subprocess.run(command, cwd=HERE, env=env, capture_output=True, text=True, timeout=600, check=False)
    if done.returncode:
        raise SystemExit(f"{module} failed at {kind}: {done.stderr.strip()[-2000:]}")
    return float(json.loads(done.stdout.splitlines()[-1])["figure"])


def typical(kind: str, samples: Sequence[float]) -> float:
    """The least time, the best rate, or the median of whole processes."""
    if kind in RATES:
        return max(samples)
    return min(samples) if kind == "run" else statistics.median(samples)


def table(figures: Figures) -> str:
    """All figures with their ratio to the plain loop, as Markdown."""
    heads = ("import ms", "ready ms", "construct µs", "run µs", "runs/CPU-s, 50", "runs/CPU-s, 1,000", "agent kB")
    scales = (1e3, 1e3, 1e6, 1e6, 1, 1, 1e-3)
    lines = [f"| contestant | {' | '.join(heads)} | growth over 10,000 runs, MB |", f"|--|{'--:|' * 8}"]
    floor = figures[FLOOR]
    for name, row in figures.items():
        cells = [_cell(row[kind], scale, _ratio(kind, row, floor)) for kind, scale in zip(KINDS, scales, strict=False)]
        growth = f"{row['flat'] / 1e6:.1f}" if "flat" in row else "not measured"
        lines.append(f"| {name} | {' | '.join(cells)} | {growth} |")
    return "\n".join(lines)


def _ratio(kind: str, row: Mapping[str, float], floor: Mapping[str, float]) -> float:
    return floor[kind] / row[kind] if kind in RATES else row[kind] / floor[kind]


def _cell(value: float, scale: float, ratio: float) -> str:
    return f"{value * scale:,.{0 if value * scale >= 100 else 1}f} ({ratio:,.1f})"


def show_goals(figures: Figures) -> int:
    """Print each goal with what was measured; returns 1 where one is missed."""
    ours, floor = figures[OURS], figures[FLOOR]
    rivals = [row for name, row in figures.items() if name not in (OURS, FLOOR)]
    goals = [
        ("one-tool run, times the plain loop", ours["run"] / floor["run"], "≤", 10.0),
        ("runs a CPU second at 1,000 to those at 50", ours["many-1000"] / ours["many-50"], "≥", 0.8),
        ("import, times the plain loop's", ours["import"] / floor["import"], "≤", 2.5),
        ("kB an agent", ours["memory"] / 1000, "≤", 5.0),
        ("MB grown over 10,000 runs", ours["flat"] / 1e6, "≤", 2.0),
    ]
    if rivals:
        best = max(row["many-1000"] for row in rivals)
        goals.append(("1,000 runs at once, times the best rival's rate", ours["many-1000"] / best, "≥", 8.0))
    missed = [what for what, got, sign, goal in goals if not (got <= goal if sign == "≤" else got >= goal)]
    for what, got, sign, goal in goals:
        print(f"{what}: {got:.2f} (goal {sign} {goal:g}){' MISSED' if what in missed else ''}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
