"""What can be said with a slash: begin a run, answer it, go on with it, and decide about its work."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_TASKS: Mapping[str, str] = {"hint": "tasks such as T-2; all where none is named"}
COMMANDS: Sequence[Mapping[str, Any]] = (
    {"name": "plan", "description": "Write a specification and tasks; build nothing", "input": {"hint": "the idea"}},
    {"name": "approve", "description": "Build what the specification says that waits for you"},
    {"name": "change", "description": "Build what you changed in the spec.md of accepted work"},
    {"name": "resume", "description": "Go on with the session's stopped run"},
    {"name": "accept", "description": "Merge the run's work into your branch", "input": _TASKS},
    {"name": "reject", "description": "Drop the run's work, or the specification that waits", "input": _TASKS},
    {"name": "undo", "description": "Take tasks off the run's branch", "input": {"hint": "tasks such as T-2"}},
    {"name": "redo", "description": "Put undone tasks back", "input": _TASKS},
)
_NAMES = frozenset(str(one["name"]) for one in COMMANDS)


@dataclass(frozen=True, slots=True)
class Command:
    """A command and the words behind it."""

    name: str
    words: str = ""

    @property
    def tasks(self) -> tuple[str, ...]:
        """The tasks that the words name."""
        return tuple(self.words.split())


def command_of(said: str) -> Command | None:
    """The command that a prompt is; None where it is none."""
    first, *rest = said.split(maxsplit=1) or [""]
    name = first.removeprefix("/")
    return Command(name, "".join(rest)) if first.startswith("/") and name in _NAMES else None


async def decide(folder: Path, run: str, command: Command) -> str:
    """Accept, reject, undo or redo the work of a run, or of some of its tasks.

    Returns:
        What came of it, in words.

    Raises:
        AgentInfraError: It cannot be done; why is said.
    """
    from agentinfra.app import App  # noqa: PLC0415  (the library's heavy half loads at first use)
    from agentinfra.workflow.unattended import Unattended  # noqa: PLC0415

    app = await asyncio.to_thread(App, folder, Unattended())
    try:
        delivery = await app.delivery(run)
        if command.name == "accept":
            return f"Accepted: your branch is at `{(await delivery.accept(command.tasks))[:10]}`."
        if command.name == "reject":
            await delivery.reject(command.tasks)
            return "Rejected."
        commit, tasks = await (delivery.undo if command.name == "undo" else delivery.redo)(command.tasks)
        return f"{command.name.capitalize()}: {', '.join(tasks)}; the run's branch is at `{commit[:10]}`."
    finally:
        await app.aclose()
