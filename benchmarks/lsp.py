"""The language server beside a bare pygls server and jedi-language-server, measured in turn in one run.

    python -m benchmarks.lsp

Start: from the start of the process to the answer to ``initialize``, wall seconds, median of rounds in turn.
Events: a run's log grows by thousands of events while the server shows it; every number must arrive, and
``run/get`` must bring the same. Memory: resident megabytes after ``initialized`` and a second of rest.

jedi-language-server is installed into an environment of its own below the user's cache folder on the first run.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

from agentinfra.core.config import workspace_folder
from agentinfra.core.events import EventDraft
from agentinfra.workflow.event_log import SqliteEventLog

BARE = (
    "from pygls.lsp.server import LanguageServer; server = LanguageServer('bare', '1');"
    "server.feature('textDocument/hover')(lambda params: None); server.start_io()"
)
RIVAL = "jedi-language-server==0.47.0"
_WRITER = """
import sys
from pathlib import Path
from agentinfra.core.events import EventDraft
from agentinfra.workflow.event_log import SqliteEventLog
log = SqliteEventLog(Path(sys.argv[1]))
for number in range(int(sys.argv[2])):
    log.append("run-1", EventDraft("agent_message_chunk", {"text": f"piece {number}"}, ("planner",)))
"""
ROUNDS = 9
EVENTS = 20_000
LIMIT_SECONDS = 60.0
START_GOAL, EVENTS_GOAL, MEMORY_GOAL = 1.3, 10_000.0, 120.0


@dataclass(frozen=True, slots=True)
class Line:
    """A connection to a server: just enough of the protocol."""

    process: asyncio.subprocess.Process

    def send(self, method: str, params: Any, number: int | None = None) -> None:
        """Send a request, or a notification without a number."""
        assert self.process.stdin
        body = json.dumps(
            {"jsonrpc": "2.0", "method": method, "params": params, **({"id": number} if number else {})}
        ).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)

    async def receive(self) -> dict[str, Any]:
        """The next message."""
        assert self.process.stdout
        header = await self.process.stdout.readuntil(b"\r\n\r\n")
        length = next(line for line in header.split(b"\r\n") if line.lower().startswith(b"content-length:"))
        return json.loads(await self.process.stdout.readexactly(int(length.partition(b":")[2])))

    async def result(self, number: int) -> Any:
        """The answer to a request; what comes before it is passed over."""
        while (message := await self.receive()).get("id") != number:
            pass
        return message.get("result")


@asynccontextmanager
async def started(command: Sequence[str], folder: Path, variables: Mapping[str, str]) -> AsyncGenerator[Line]:
    """A server that has answered ``initialize``."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        env={**os.environ, **variables},
        stdin=pipe,
        stdout=pipe,
        stderr=asyncio.subprocess.DEVNULL,
        limit=2**24,
    )
    line = Line(process)
    experimental = {"agentinfra": {"version": 1, "updates": True}}
    params = {
        "processId": None,
        "rootUri": folder.as_uri(),
        "capabilities": {"experimental": experimental},
        "workspaceFolders": [{"uri": folder.as_uri(), "name": "folder"}],
    }
    line.send("initialize", params, 1)
    try:
        async with asyncio.timeout(LIMIT_SECONDS):
            await line.result(1)
        yield line
    finally:
        process.kill()
        await process.communicate()


async def start_seconds(command: Sequence[str], folder: Path) -> float:
    """Seconds from the process's start to its answer."""
    begun = time.perf_counter()
    async with started(command, folder, {}):
        return time.perf_counter() - begun


async def resident_megabytes(command: Sequence[str], folder: Path) -> float:
    """Resident memory of an idle server."""
    async with started(command, folder, {}) as line:
        line.send("initialized", {})
        await asyncio.sleep(1)
        status = Path(f"/proc/{line.process.pid}/status").read_text("ascii")  # noqa: ASYNC240  (a file of the kernel)
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024


async def events_per_second(command: Sequence[str], folder: Path, count: int) -> tuple[float, bool]:
    """Events a second from the log through the server to its client, and whether all came, once and in order."""
    data = folder / "data"
    place = workspace_folder(folder, data)
    place.mkdir(parents=True)
    log = SqliteEventLog(place / "events.db")
    log.append("run-1", EventDraft("state_update", {"state": "building", "idea": "x"}))
    async with started(command, folder, {"AGENTINFRA_DATA_DIR": str(data)}) as line:
        line.send("initialized", {})
        line.send("agentinfra/run/get", {"runId": "run-1"}, 2)
        await line.result(2)
        begun = time.perf_counter()
        # As in a run: another process writes.
        writer = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-c", _WRITER, place / "events.db", str(count)
        )
        seen = await _seen(line, count)
        seconds = time.perf_counter() - begun
        await writer.wait()
        line.send("agentinfra/run/get", {"runId": "run-1", "sinceSeq": count - 10, "limit": 5000}, 3)
        rest = [event["seq"] for event in (await line.result(3))["events"]]
    log.close()
    return count / seconds, seen == list(range(2, count + 2)) and rest == list(range(count - 9, count + 2))


async def _seen(line: Line, count: int) -> list[int]:
    seen: list[int] = []
    async with asyncio.timeout(LIMIT_SECONDS):
        while len(seen) < count:
            message = await line.receive()
            if message.get("method") == "agentinfra/run/update":
                seen += [event["seq"] for event in message["params"]["events"]]
    return seen


def rival_command() -> tuple[str, ...]:
    """jedi-language-server in its own environment."""
    venv = user_cache_path("agentinfra") / "benchmarks" / "jedi-language-server"
    program = venv / "bin" / "jedi-language-server"
    if not program.exists():
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        subprocess.run([venv / "bin" / "pip", "install", "--quiet", RIVAL], check=True)
    return (str(program),)


async def measure(rounds: int, events: int) -> bool:
    """Measure and print; whether the goals are met."""
    ours = (sys.executable, "-P", "-m", "agentinfra_server")
    servers = {
        "bare pygls": (sys.executable, "-P", "-c", BARE),
        "agentinfra": ours,
        "jedi-language-server": rival_command(),
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        times = [[await start_seconds(command, folder) for command in servers.values()] for _ in range(rounds)]
        medians = [statistics.median(column) for column in zip(*times, strict=True)]
        for server, median in zip(servers, medians, strict=True):
            print(f"start to initialize, {server}: {median * 1000:.0f} ms, {median / medians[0]:.2f} x bare pygls")
        memory = {server: await resident_megabytes(command, folder) for server, command in servers.items()}
        for server, megabytes in memory.items():
            print(f"resident, idle, {server}: {megabytes:.0f} MB")
        rate, whole = await events_per_second(ours, folder, events)
        print(f"events through log and server: {rate:,.0f} a second, {'none' if whole else 'SOME'} lost or doubled")
    return (
        medians[1] / medians[0] <= START_GOAL and memory["agentinfra"] <= MEMORY_GOAL and rate >= EVENTS_GOAL and whole
    )


def main() -> int:
    """Run it; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--events", type=int, default=EVENTS)
    arguments = parser.parse_args()
    return 0 if asyncio.run(measure(arguments.rounds, arguments.events)) else 1


if __name__ == "__main__":
    sys.exit(main())
