"""Record the runs that the tests replay, on the real embedded model: ``record.py [NAME…] [--model provider:name]``.

Each scenario is run through the command line, its record is checked (nothing of this machine or moment in a request)
and replayed in another folder; only then it takes the place of the older one in ``recordings/``.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
RECORDINGS = HERE / "recordings"
AGENTINFRA = str(Path(sys.executable).with_name("agentinfra"))
MODEL = "local:qwen2.5-coder-1.5b"
SEEDS = (7, 8, 9, 10)
MINUTES = "40"  # a busy machine must not cut a record
STAMPS = (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d", r"\b1[6-9]\d{8}\b", r"(?<![\w.])/(?:tmp|home|root|usr|var|work)/\S")


@dataclass(frozen=True)
class Scenario:
    """A run to record.

    Attributes:
        name: Of the file.
        idea: What is built.
        options: Further options of ``agentinfra plan``.
        codes: Exit codes with which the record is of use.
        edits: What a person changes in the demo's accepted spec.md before this; none for a run of its own.
    """

    name: str
    idea: str
    options: tuple[str, ...] = ()
    codes: tuple[int, ...] = (0,)
    edits: tuple[tuple[str, str], ...] = ()


DEMO_IDEA = (HERE.parents[1] / "examples" / "demo_idea.md").read_text(encoding="utf-8")
MORE_WATER = (
    (
        "\n`pack.py`: `water_litres(minutes, people)` is half a",
        "\n`pack.py`: `water_litres(minutes, people)` is three quarters of a",
    ),
    ("`water_litres(150, 2)` gives 2.5 and `water_litres(60, 1)` gives 0.5.\n\nFile", "as in the examples.\n\nFile"),
    ("`water_litres(150, 2)` returns `2.5` _(stated)_", "`water_litres(160, 2)` returns `4.0`"),
    ("`water_litres(60, 1)` returns `0.5` _(stated)_", "`water_litres(60, 1)` returns `0.75`"),
)
"""A person's edit of the demo's specification: another rule for one requirement, the idea above it left as it was."""
SCENARIOS = (
    Scenario("demo", DEMO_IDEA),
    Scenario("change", DEMO_IDEA, edits=MORE_WATER),
    Scenario(
        "german",
        "Bitte ein kleines Modul `kasse.py` für unseren Vereinskiosk.\n\n"
        "`rueckgeld(preis, bezahlt)` gibt das Rückgeld in Cent als int: `rueckgeld(350, 500)` ergibt 150 und "
        "`rueckgeld(200, 200)` ergibt 0. Ist weniger bezahlt als der Preis, gibt es einen ValueError.\n",
        codes=(0, 1),
    ),
    Scenario("open", "Something that splits the bill of our pub quiz team fairly.", ("--mode", "plan")),
)


def main(arguments: list[str]) -> int:
    """Record the named scenarios, all without names; the exit code is 0 when every one succeeded."""
    parser = argparse.ArgumentParser(description="Record the runs that the tests replay.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(one.name for one in SCENARIOS))
    parser.add_argument("--model", default=MODEL, help=f"instead of {MODEL}")
    chosen = parser.parse_args(arguments)
    unknown = set(chosen.names) - {one.name for one in SCENARIOS}
    if unknown:
        parser.error(f"no scenario is called {', '.join(sorted(unknown))}")
    wanted = [one for one in SCENARIOS if not chosen.names or one.name in chosen.names]
    failed = [one.name for one in wanted if not record(one, chosen.model)]
    if failed:
        print(f"\nNot recorded, the older record stays: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def record(scenario: Scenario, model: str) -> bool:
    """Record a scenario with the first seed with which it ends as it should, and prove that it replays."""
    for seed in SEEDS:
        print(f"\n== {scenario.name}: {model}, seed {seed}", flush=True)
        with tempfile.TemporaryDirectory(prefix="agentinfra-record-") as folder:
            file, begun = Path(folder, "record.jsonl"), time.monotonic()
            code = plan(scenario, Path(folder, "first"), "--model", model, "--seed", str(seed), "--record", str(file))
            problem = problem_of(scenario, Path(folder), file, code)
            if not problem:
                RECORDINGS.mkdir(exist_ok=True)
                (RECORDINGS / f"{scenario.name}.jsonl").write_bytes(file.read_bytes())
                seconds, size = time.monotonic() - begun, file.stat().st_size
                print(f"== {scenario.name}: recorded, {size:,} bytes, {seconds:.0f} s", flush=True)
                return True
            print(f"== {scenario.name}: {problem}", file=sys.stderr, flush=True)
    return False


def plan(scenario: Scenario, place: Path, *options: str) -> int:
    """Run the scenario in a new folder with user folders of its own; models stay where they are."""
    place.mkdir()
    idea = place / "idea.md"
    idea.write_text(scenario.idea, encoding="utf-8")
    settings = ("--workspace", str(place / "workspace"), "--init", "--yes", "--budget-minutes", MINUTES)
    own = {"AGENTINFRA_DATA_DIR": str(place / "data"), "AGENTINFRA_CONFIG": str(place / "config.toml")}
    environment = {**os.environ, **own}
    what = ("--idea-file", str(idea))
    if scenario.edits:
        first = ("plan", *what, "--replay", str(RECORDINGS / "demo.jsonl"), *settings)
        for verb in (first, ("accept", "--workspace", str(place / "workspace"))):
            subprocess.run((AGENTINFRA, *verb), env=environment, check=True)
        edit(place / "workspace" / "spec.md", scenario.edits)
        what = ("--change",)
    command = (AGENTINFRA, "plan", *what, *settings, *scenario.options, *options)
    return subprocess.run(command, env=environment, check=False).returncode


def edit(file: Path, edits: Iterable[tuple[str, str]]) -> None:
    """Replace texts in a file, each of which has to be there."""
    text = file.read_text(encoding="utf-8")
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new)
    file.write_text(text, encoding="utf-8")


def problem_of(scenario: Scenario, folder: Path, file: Path, code: int) -> str:
    """Why a record is of no use, or ""."""
    if code not in scenario.codes:
        return f"the run ended with {code}"
    found = sorted(set(accidents(requests(file), (str(folder), str(Path.home())))))
    if found:
        return f"requests hold what no replay can repeat: {', '.join(found)}"
    replayed = plan(scenario, folder / "second", "--replay", str(file))
    return "" if replayed == code else f"its replay ended with {replayed}, the run with {code}"


def requests(file: Path) -> list[dict[str, Any]]:
    """The requests of a record."""
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return [line["request"] for line in lines[1:]]


def accidents(asked: Iterable[dict[str, Any]], words: Iterable[str] = ()) -> Iterator[str]:
    """Times, paths and given words in requests."""
    patterns = [*STAMPS, *(re.escape(word) for word in words)]
    for request in asked:
        text = json.dumps(request, ensure_ascii=False)
        yield from (found.group() for pattern in patterns for found in re.finditer(pattern, text))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
