"""The language server beside a bare pygls server and jedi-language-server, measured in turn in one run.

    python -m benchmarks.lsp

Start: from the start of the process to the answer to ``initialize``, wall seconds, median of rounds in turn.
Events: a run's log grows by thousands of events while the server shows it; every number must arrive, and
``run/get`` must bring the same. Memory: resident megabytes after ``initialized`` and a second of rest.
Code actions: from the request to the answer, anywhere in a file of 2,000 lines, while the server shows a run of eight
agents that write 100 pieces a second each. Keystrokes: from a change of that file to the answer to a request behind it
that costs nothing, while the first look of the index is under way; a kernel that lets a computing process finish its
tick makes a part of it, which is what the bare server beside the same work shows.

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
from contextlib import asynccontextmanager, nullcontext
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
_STREAM = """
import sys, time
from pathlib import Path
from agentinfra.core.events import EventDraft
from agentinfra.workflow.event_log import SqliteEventLog
log = SqliteEventLog(Path(sys.argv[1]))
begun, number = time.monotonic(), 0
while True:
    for agent in range(8):
        path = ("planner", f"agent-{agent}")
        log.append("run-1", EventDraft("agent_message_chunk", {"text": f"piece {number}"}, path))
    number += 1
    time.sleep(max(0.0, begun + number / 100 - time.monotonic()))
"""
_FUNCTION = """def function_{0}(left, right):
    \"\"\"Add them.\"\"\"
    if left:
        return left + right
    return right


"""
LINES = 2_000
ASKED, TYPED, INDEXED_FILES = 300, 500, 2000
ROUNDS = 9
EVENTS = 20_000
LIMIT_SECONDS = 60.0
START_GOAL, EVENTS_GOAL, MEMORY_GOAL = 1.3, 10_000.0, 120.0
ACTION_GOAL, KEYSTROKE_GOAL = 20.0, 5.0


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


async def action_milliseconds(command: Sequence[str], folder: Path, count: int) -> list[float]:
    """Milliseconds to the answer to each request for code actions while a run streams."""
    data = folder / "streaming"
    place = workspace_folder(folder, data)
    place.mkdir(parents=True)
    log = SqliteEventLog(place / "events.db")
    log.append("run-1", EventDraft("state_update", {"state": "building", "idea": "x"}))
    settings = {"AGENTINFRA_DATA_DIR": str(data), "OPENAI_API_KEY": "none"}
    async with started(command, folder, settings) as line:
        uri = _open(line, folder)
        line.send("agentinfra/run/get", {"runId": "run-1"}, 2)
        await line.result(2)
        writer = await asyncio.create_subprocess_exec(sys.executable, "-P", "-c", _STREAM, place / "events.db")
        try:
            return await _timed(line, uri, count)
        finally:
            writer.kill()
            await writer.wait()
            log.close()


async def _timed(line: Line, uri: str, count: int) -> list[float]:
    times: list[float] = []
    for number in range(-10, count):  # the first ones load what is needed
        spot = {"line": number * 37 % LINES, "character": 4}
        asked: dict[str, Any] = {
            "textDocument": {"uri": uri},
            "range": {"start": spot, "end": spot},
            "context": {"diagnostics": []},
        }
        begun = time.perf_counter()
        line.send("textDocument/codeAction", asked, 1000 + number)
        assert await line.result(1000 + number)
        times += [(time.perf_counter() - begun) * 1000] if number >= 0 else []
        await asyncio.sleep(0.02)
    return times


async def keystroke_milliseconds(command: Sequence[str], folder: Path, count: int, asked: str | None) -> list[float]:
    """Milliseconds until a change is handled and what comes behind it is answered, after a question of the index.

    Args:
        command: The server.
        folder: An empty one.
        count: Changes.
        asked: The method by which the index is asked and so begins. A server that has none gets the same work beside
            it, and is told nothing of it.
    """
    _fill(folder)
    times: list[float] = []
    beside = indexing(folder) if asked is None else nullcontext()
    async with beside, started(command, folder, {"AGENTINFRA_DATA_DIR": str(folder / "indexing")}) as line:
        uri = _open(line, folder)
        if asked is not None:
            line.send(asked, {"query": "function"}, 2)
            while (await line.receive()).get("method") != "agentinfra/index/update":
                pass
        for number in range(count):
            spot = {"line": number * 37 % LINES, "character": 0}
            change = {"range": {"start": spot, "end": spot}, "text": "x"}
            begun = time.perf_counter()
            document = {"uri": uri, "version": number + 2}
            line.send("textDocument/didChange", {"textDocument": document, "contentChanges": [change]})
            line.send("agentinfra/nothing", {}, 1000 + number)
            await line.result(1000 + number)
            times.append((time.perf_counter() - begun) * 1000)
            await asyncio.sleep(0.01)
    return times


@asynccontextmanager
async def indexing(folder: Path) -> AsyncGenerator[None]:
    """The index's own program, at work on a folder."""
    program = (sys.executable, "-P", "-X", "utf8", "-m", "agentinfra.memory.indexing_program", str(folder))
    process = await asyncio.create_subprocess_exec(
        *program, "--data", str(folder / "indexing"), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
    )
    try:
        yield
    finally:
        process.kill()
        await process.wait()


def _fill(folder: Path) -> None:
    folder.mkdir()
    for number in range(INDEXED_FILES):
        (folder / f"module_{number}.py").write_text("".join(map(_FUNCTION.format, range(20))), "utf-8")


def _open(line: Line, folder: Path) -> str:
    """Open a file of LINES lines."""
    line.send("initialized", {})
    uri = (folder / "code.py").as_uri()
    text = "".join(_FUNCTION.format(number) for number in range(LINES // 7 + 1))
    document = {"uri": uri, "languageId": "python", "version": 1, "text": text}
    line.send("textDocument/didOpen", {"textDocument": document})
    return uri


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
        actions = await action_milliseconds(ours, folder, ASKED)
        print(f"code actions while 8 agents stream: {_spread(actions)}")
        bare = await keystroke_milliseconds(servers["bare pygls"], folder / "bare", TYPED, None)
        print(f"keystrokes, bare pygls while our index works beside it: {_spread(bare)}")
        keys = await keystroke_milliseconds(ours, folder / "symbols", TYPED, "workspace/symbol")
        print(f"keystrokes while indexing: {_spread(keys)}")
        first = await keystroke_milliseconds(ours, folder / "search", TYPED, "agentinfra/search")
        print(f"keystrokes while indexing and loading the first search's models: {_spread(first)}")
    quick = _percentile(actions, 95) <= ACTION_GOAL and _percentile(keys, 99) <= KEYSTROKE_GOAL
    small = medians[1] / medians[0] <= START_GOAL and memory["agentinfra"] <= MEMORY_GOAL
    return quick and small and rate >= EVENTS_GOAL and whole


def _percentile(times: Sequence[float], percent: int) -> float:
    return statistics.quantiles(times, n=100)[percent - 1]


def _spread(times: Sequence[float]) -> str:
    median, slow, slowest = (_percentile(times, percent) for percent in (50, 95, 99))
    return f"{median:.1f} ms median, {slow:.1f} ms p95, {slowest:.1f} ms p99"


def main() -> int:
    """Run it; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--events", type=int, default=EVENTS)
    arguments = parser.parse_args()
    return 0 if asyncio.run(measure(arguments.rounds, arguments.events)) else 1


if __name__ == "__main__":
    sys.exit(main())
