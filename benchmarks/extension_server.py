"""A stand-in for the language server, for ``benchmarks/extension.py``: one run whose tasks are worked on without end.

    python -m benchmarks.extension_server FOLDER TASKS UPDATES_A_SECOND EVENTS_AN_UPDATE COUNTED_FILE

It speaks our own messages, made by the server's own code, at an exact rate; the number of the last event that was
sent stands in COUNTED_FILE. What it does itself costs the editor nothing: it is a process of its own.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

from agentinfra_server.protocol.message import VERSION, write
from agentinfra_server.protocol.messages import RunGetResult, RunUpdate
from agentinfra_server.session.run_view import changed, view_of
from agentinfra_server.session.runs import wire_event

from agentinfra.core.events import Event, EventKind
from agentinfra.workflow.run_state import RunState, apply, reduce

RUN = "run-1"
ENGINEERS = ("backend", "frontend", "data")
TESTS = 3
SLOT = tuple[EventKind, dict[str, Any]]


class StandIn:
    """One run, its events so far, and the line to the editor.

    Args:
        folder: The workspace folder.
        tasks: How many tasks it has.
        rate: Updates a second.
        size: Events of an update.
        counted: Where the number of the last event is told.
    """

    def __init__(self, folder: Path, tasks: int, rate: float, size: int, counted: Path) -> None:
        self._folder, self._tasks, self._rate, self._size, self._counted = folder, tasks, rate, size, counted
        self._events = [self._event(number, *one) for number, one in enumerate(planned(tasks), 1)]
        self._state = reduce(self._events)
        self._line = threading.Lock()
        self._ticker: threading.Thread | None = None

    def serve(self) -> None:
        """Answer until the line is closed."""
        for message in received():
            if "id" in message and "method" in message:
                self._send({"id": message["id"], "result": self._result(message["method"], message.get("params"))})

    def _result(self, method: str, params: Any) -> object:
        match method:
            case "initialize":
                return {"capabilities": {"experimental": {"agentinfra": {"version": VERSION}}}}
            case "agentinfra/run/view":
                with self._line:
                    state = self._state
                    self._begin()
                return write(view_of(state, self._folder, state.tasks, is_live=True))
            case "agentinfra/run/get":
                since, limit = params.get("sinceSeq", 0), params.get("limit", 5000)
                with self._line:
                    events, last = self._events[since : since + limit], self._state.seq
                told = [wire_event(event) for event in events]
                return write(RunGetResult(state=self._state.state, events=told, last_seq=last))
            case _:
                return None

    def _begin(self) -> None:
        if self._ticker is None:
            self._ticker = threading.Thread(target=self._tick, daemon=True)
            self._ticker.start()

    def _tick(self) -> None:
        begun, number = time.monotonic(), 0
        work = worked(self._tasks)
        while True:
            with self._line:
                before, first = self._state, self._state.seq + 1
                fresh = [self._event(first + at, *next(work)) for at in range(self._size)]
                for event in fresh:
                    self._state = apply(self._state, event)
                self._events += fresh
                update = self._update(before, self._state, fresh)
            self._send({"method": "agentinfra/run/update", "params": write(update)})
            self._counted.write_text(str(fresh[-1].seq), "ascii")
            number += 1
            time.sleep(max(0.0, begun + number / self._rate - time.monotonic()))

    def _update(self, before: RunState, after: RunState, events: list[Event]) -> RunUpdate:
        return RunUpdate(
            run_id=RUN,
            folder=self._folder.as_uri(),
            state=after.state,
            events=[wire_event(event) for event in events],
            view=view_of(after, self._folder, changed(before, after), is_live=True),
        )

    def _event(self, seq: int, kind: EventKind, data: Mapping[str, Any]) -> Event:
        return Event(RUN, seq, time.time(), kind, data, ("planner", "backend"))

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        with self._line:
            sys.stdout.buffer.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
            sys.stdout.buffer.flush()


def received() -> Generator[dict[str, Any]]:
    """The messages of the editor."""
    lines = sys.stdin.buffer
    while header := lines.readline():
        length = int(header.partition(b":")[2]) if header.lower().startswith(b"content-length:") else 0
        while length and header.strip():
            header = lines.readline()
        if length:
            yield json.loads(lines.read(length))


def planned(count: int) -> Generator[SLOT]:
    """The run up to where its tasks are at work: each has tests that fail before there is code."""
    info = {"idea": "A shop", "workspace": "", "model": "none:none", "limits": {"usd": 5.0}}
    yield "state_update", {"state": "building", **info}
    tasks = [
        {
            "id": f"T-{at}",
            "title": f"Part {at} of the shop",
            "engineer": ENGINEERS[(at - 1) * 3 // count],
            "files": [f"part_{at}.py"],
        }
        for at in range(1, count + 1)
    ]
    yield "plan_update", {"spec": {"title": "A shop", "path": "", "sha": "x"}, "tasks": tasks}
    for at in range(1, count + 1):
        yield "test_result", tested(at, "red", "failed")


def worked(count: int) -> Generator[SLOT]:
    """One task after the other, and from the first one again: code, a try, its tests, done."""
    while True:
        for at in range(1, count + 1):
            task = f"T-{at}"
            yield "agent_state", {"task": task, "state": "coding", "attempt": 1, "max_attempts": 3}
            yield "tool_call", {"id": f"code {task}", "title": "Write the code", "kind": "think", "task": task}
            for piece in range(12):
                yield (
                    "agent_message_chunk",
                    {"task": task, "text": f"def part_{at}_{piece}(value):\n    return value\n"},
                )
            yield "usage_update", {"task": task, "input_tokens": 900, "output_tokens": 300, "cost_usd": 0.001}
            yield "tool_call_update", {"id": f"code {task}", "status": "completed", "seconds": 1.5}
            yield "test_result", tested(at, "attempt", "passed")
            yield "test_result", tested(at, "green", "passed")
            yield "change_resolved", {"task": task, "decision": "merged", "commit": f"{at:08x}" * 5}
            yield "agent_state", {"task": task, "state": "done"}


def tested(at: int, phase: str, outcome: str) -> dict[str, Any]:
    """A run of a task's tests."""
    tests = [{"id": f"tests/test_part_{at}.py::test_{one}", "outcome": outcome, "message": ""} for one in range(TESTS)]
    return {"task": f"T-{at}", "phase": phase, "exit_code": 0, "tests_sha": "x", "seconds": 0.5, "tests": tests}


if __name__ == "__main__":
    place, tasks, rate, size, counted = sys.argv[1:]
    StandIn(Path(place), int(tasks), float(rate), int(size), Path(counted)).serve()
