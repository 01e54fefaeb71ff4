"""The editor extension in a real editor, under a run of 2,000 tasks that tells ten updates a second.

    python -m benchmarks.extension

The editor is that of the tests (``make test SUITES=vscode`` installs it), the package is built anew, and the server is
``benchmarks/extension_server.py``. Its window shows all of the extension's views. Activation: what the editor itself
says about it, loading and running it, median over fresh windows. CPU: share of a core of the process that the
editor runs extensions in, over 20 seconds. Memory: what is alive in that process after its rubbish was collected,
over 10,000 events, the last third against the first one.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import statistics
import sys
import tempfile
import time
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import expect
from websockets.sync.client import connect
from websockets.sync.connection import Connection

from scripts.build_extension import build
from tests.vscode.workbench import CodeServer, Workbench, opened

HOME = Path(__file__).parent.parent / "tests" / "vscode"
TASKS, RATE, SIZE = 2000, 10, 20
EVENTS, WARM_UP_EVENTS, CPU_SECONDS = 10_000, 3_000, 20.0
WINDOWS = 5
LIMIT_SECONDS = 120.0
ACTIVATION_GOAL, CPU_GOAL, GROWTH_GOAL = 150.0, 0.20, 0.05
INSPECTOR = "http://127.0.0.1:9229/json/list"


@dataclass(frozen=True, slots=True)
class Bench:
    """An editor that shows the run.

    Attributes:
        workbench: Its window.
        place: The benchmark's own folder, by which its processes are known.
        counted: Where the server tells how many events there were.
    """

    workbench: Workbench
    place: Path
    counted: Path

    def events(self) -> int:
        """How many events the server has sent."""
        return int(self.counted.read_text("ascii") or 0) if self.counted.exists() else 0

    def wait_for(self, number: int) -> None:
        """Wait until so many events were sent; the window lives meanwhile."""
        self.workbench.until(lambda: self.events() >= number, LIMIT_SECONDS)

    def host(self) -> int:
        """The process that runs the extension: the youngest of this editor's."""
        found = [int(one.name) for one in Path("/proc").glob("[0-9]*") if _is_host(one, self.place)]
        return max(found)


@contextmanager
def shown(place: Path, tasks: int) -> Generator[Bench]:
    """An editor with the extension, its folder open and all its views in sight."""
    folder, counted = place / "project", place / "counted"
    folder.mkdir()
    (folder / "spec.md").write_text("# A shop\n", "utf-8")
    server = [sys.executable, "-P", "-m", "benchmarks.extension_server", folder, tasks, RATE, SIZE, counted]
    settings = {"agentinfra.server.command": [str(word) for word in server]}
    editor = CodeServer(HOME, place, settings, {"PYTHONPATH": str(HOME.parents[1])})
    editor.install(build())
    with editor.running(), opened(editor, folder) as workbench:
        workbench.show("AgentInfra")
        expect(workbench.rows("Tasks").filter(has_text="T-2 ")).to_be_visible(timeout=LIMIT_SECONDS * 1000)
        yield Bench(workbench, place, counted)


def activation_milliseconds(bench: Bench, windows: int) -> list[float]:
    """Milliseconds that each of some fresh windows took to load and to activate the extension."""
    times: list[float] = []
    for _ in range(windows):
        bench.workbench.page.reload()
        bench.workbench.show("AgentInfra")
        expect(bench.workbench.rows("Tasks").filter(has_text="T-2 ")).to_be_visible(timeout=LIMIT_SECONDS * 1000)
        bench.workbench.command("Show Running Extensions")
        row = bench.workbench.page.locator(".runtime-extensions-editor .monaco-list-row").filter(has_text="AgentInfra")
        told = row.locator(".activation-time")
        expect(told).to_contain_text("ms", timeout=LIMIT_SECONDS * 1000)
        times.append(float(re.findall(r"([\d.]+)\s*ms", told.inner_text())[0]))
        bench.workbench.page.keyboard.press("Control+W")
    return times


def cpu_share(bench: Bench, seconds: float) -> tuple[float, float]:
    """The share of a core that the extension's process takes, and the events that there were a second."""
    host, before = bench.host(), bench.events()
    begun, used = time.monotonic(), _cpu_seconds(host)
    bench.workbench.page.wait_for_timeout(seconds * 1000)
    lasted = time.monotonic() - begun
    return (_cpu_seconds(host) - used) / lasted, (bench.events() - before) / lasted


def live_megabytes(bench: Bench, events: int, samples: int = 12) -> list[float]:
    """Megabytes alive in the extension's process at even steps over some events."""
    os.kill(bench.host(), signal.SIGUSR1)  # opens its inspector
    first = bench.events()
    found: list[float] = []
    with _inspector() as line:
        for at in range(samples):
            bench.wait_for(first + events * at // (samples - 1))
            _ask(line, "HeapProfiler.collectGarbage")
            found.append(_ask(line, "Runtime.getHeapUsage")["usedSize"] / 2**20)
    return found


@contextmanager
def _inspector() -> Generator[Connection]:
    end = time.monotonic() + LIMIT_SECONDS
    while True:
        try:
            with urllib.request.urlopen(INSPECTOR, timeout=5) as answer:
                (target,) = json.load(answer)
            break
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
    with connect(target["webSocketDebuggerUrl"], max_size=None, compression=None, ping_interval=None) as line:
        yield line


def _ask(line: Connection, method: str) -> dict[str, Any]:
    line.send(json.dumps({"id": 1, "method": method}))
    while (answer := json.loads(line.recv(LIMIT_SECONDS))).get("id") != 1:
        pass
    return answer["result"]


def _is_host(process: Path, place: Path) -> bool:
    try:
        words = (process / "cmdline").read_bytes()
        return b"--type=extensionHost" in words and f"HOME={place}".encode() in (process / "environ").read_bytes()
    except OSError:
        return False


def _cpu_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def growth(samples: list[float]) -> float:
    """How much more the last third is than the first one, as a share of it."""
    third = len(samples) // 3
    return statistics.median(samples[-third:]) / statistics.median(samples[:third]) - 1


def measure(tasks: int, windows: int) -> bool:
    """Measure and print; whether the goals are met."""
    with tempfile.TemporaryDirectory() as name, shown(Path(name), tasks) as bench:
        times = activation_milliseconds(bench, windows)
        activation = statistics.median(times)
        print(f"activation: {activation:.0f} ms, slowest {max(times):.0f} ms (goal {ACTIVATION_GOAL:.0f})")
        bench.wait_for(bench.events() + WARM_UP_EVENTS)
        share, rate = cpu_share(bench, CPU_SECONDS)
        print(f"{tasks:,} tasks, {rate / SIZE:.1f} updates a second of {SIZE} events: {share:.1%} of a core", end=" ")
        print(f"(goal {CPU_GOAL:.0%})")
        megabytes = live_megabytes(bench, EVENTS)
        print(f"alive over {EVENTS:,} events: {', '.join(f'{one:.1f}' for one in megabytes)} MB")
        print(f"last third against the first: {growth(megabytes):+.1%} (goal {GROWTH_GOAL:+.0%})")
    return activation <= ACTIVATION_GOAL and share <= CPU_GOAL and growth(megabytes) <= GROWTH_GOAL


def main() -> int:
    """Run it; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=TASKS)
    parser.add_argument("--windows", type=int, default=WINDOWS)
    arguments = parser.parse_args()
    return 0 if measure(arguments.tasks, arguments.windows) else 1


if __name__ == "__main__":
    sys.exit(main())
