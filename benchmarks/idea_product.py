"""The side of the product: ``agentinfra plan`` as a user runs it, measured from outside."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import IO, Any, cast

from idea_cases import Case
from idea_sides import Delivery, SideName

from agentinfra.core.errors import EngineError
from agentinfra.core.events import Event
from agentinfra.core.tasks import TaskState
from agentinfra.workflow.run_state import RunState, reduce

GRACE_SECONDS = 180.0
STOP_SECONDS = 30.0


class AgentInfraSide:
    """``agentinfra plan`` as a user runs it, in a process, a repository and a data folder of its own.

    Args:
        command: The ``agentinfra`` command.
        model: ``provider:name``.
        minutes: Limit of a run.
        base_url: Address of an OpenAI-compatible endpoint.
        grace_seconds: How much longer it may take to come to its end; then the process is stopped.
    """

    name: SideName = "agentinfra"

    def __init__(
        self,
        command: Path,
        model: str,
        *,
        minutes: float,
        base_url: str | None = None,
        grace_seconds: float = GRACE_SECONDS,
    ) -> None:
        self._command = command
        self._minutes = minutes
        self._most_seconds = minutes * 60 + grace_seconds
        self._options = ["--model", model, "--yes", "--budget-minutes", f"{minutes:g}", "--json"]
        self._options += ["--base-url", base_url] if base_url else []

    @property
    def settings(self) -> Mapping[str, Any]:
        """The limit."""
        return {"minutes": self._minutes}

    async def deliver(self, case: Case, seed: int, folder: Path) -> Delivery:
        """Run the idea and check the run's branch out.

        Raises:
            EngineError: The run ended before its first event.
        """
        tree, idea = folder / "workspace", folder / "idea.md"
        idea.write_text(case.idea, "utf-8")
        _git("init", "--quiet", "--initial-branch=main", str(tree))
        started = time.monotonic()
        code = await self._run(folder, ["--idea-file", str(idea), "--workspace", str(tree), "--seed", str(seed)])
        seconds = time.monotonic() - started
        state, complaint = read_events(folder / "events.jsonl"), (folder / "stderr.txt").read_text("utf-8", "replace")
        if not state.run:
            raise EngineError(
                "agentinfra plan did not begin",
                why=f"It ended with exit code {code}: {complaint.strip()[-1000:]}",
                next_step="Correct the cause and start again; what is measured stays",
            )
        return _delivered(Delivery(tree, seconds), state, code, complaint)

    async def _run(self, folder: Path, options: list[str]) -> int:
        # A data folder and settings of its own: neither a user's runs nor settings play a part.
        env = {"AGENTINFRA_DATA_DIR": str(folder / "data"), "AGENTINFRA_CONFIG": str(folder / "config.toml")}
        with (folder / "events.jsonl").open("wb") as events, (folder / "stderr.txt").open("wb") as complaints:
            process = await self._start(options, env, events, complaints)
            try:
                async with asyncio.timeout(self._most_seconds):
                    return await process.wait()
            except TimeoutError:
                return await _stop(process)
            finally:
                # Also when this benchmark is stopped itself: nothing may go on behind its back.
                await asyncio.shield(_stop(process))

    async def _start(
        self, options: list[str], env: Mapping[str, str], events: IO[bytes], complaints: IO[bytes]
    ) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            str(self._command),
            *("plan", *options, *self._options),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=events,
            stderr=complaints,
            env={**os.environ, **env},
            start_new_session=True,
        )


def read_events(file: Path) -> RunState:
    """The state of a run from its events, one a line; what is no event is passed over."""
    events: list[Event] = []
    for line in file.read_text("utf-8", "replace").splitlines():
        with suppress(ValueError, KeyError, TypeError):
            item = cast("dict[str, Any]", json.loads(line))
            events.append(Event(item["run"], item["seq"], item["time"], item["kind"], item["data"]))
    return reduce(events)


def _delivered(delivery: Delivery, state: RunState, code: int, complaint: str) -> Delivery:
    branch, totals = state.info.get("branch", ""), state.totals
    done = sum(task.state is TaskState.DONE for task in state.tasks)
    notes = [] if code == 0 else [f"exit code {code}", state.reason or complaint.strip()[-300:]]
    if not branch or _git("-C", str(delivery.tree), "checkout", "--quiet", "--detach", str(branch), "--"):
        notes.append("no branch was delivered")
    return replace(
        delivery,
        input_tokens=totals.input_tokens,
        output_tokens=totals.output_tokens,
        tries=sum(task.attempt for task in state.tasks),
        tasks=len(state.tasks),
        done=done,
        note="; ".join(filter(None, notes)),
    )


async def _stop(process: asyncio.subprocess.Process) -> int:
    """End a process as Ctrl-C does, and its whole group if that does not help; returns its exit code."""
    for sign, patience in ((signal.SIGINT, STOP_SECONDS), (signal.SIGKILL, STOP_SECONDS)):
        if process.returncode is not None:
            break
        os.killpg(process.pid, sign)
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await process.wait()
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    return process.returncode if process.returncode is not None else -signal.SIGKILL


def _git(*arguments: str) -> int:
    """Run git with no user's or system's settings; returns its exit code."""
    plain = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    return subprocess.run(["git", *arguments], env=plain, stdin=subprocess.DEVNULL, check=False).returncode
