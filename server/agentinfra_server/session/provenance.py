"""Where a line of code comes from: its task, its requirement, the tests that prove it, the run and the model."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agentinfra.core.errors import AgentInfraError
from agentinfra.environment.git_workspace import GitWorkspace
from agentinfra.spec.trace import Link, Trace
from agentinfra.workflow.event_log import SqliteEventLog
from agentinfra.workflow.run_state import reduce
from agentinfra.workflow.trace import trace
from agentinfra_server.protocol.language import tr, tr_count
from agentinfra_server.session.moved_lines import number_in

if TYPE_CHECKING:
    from agentinfra_server.session.connection import Connection

MOST_TESTS = 3
TRACE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class _Traced:
    commit: str
    trace: Trace


class Provenance:
    """Answers for one workspace folder; traced anew when its HEAD moves.

    Args:
        folder: The folder.
        log: Its runs.
    """

    def __init__(self, folder: Path, log: SqliteEventLog) -> None:
        self._folder = folder
        self._log = log
        self._traced: _Traced | None = None
        self._turn = asyncio.Lock()

    async def of_line(self, path: Path, text: str, line: int) -> str:
        """What stands behind a line, as Markdown; "" where no run wrote it, or it was edited since.

        Args:
            path: The file.
            text: The file as the editor has it.
            line: The line in it, from 0.
        """
        try:
            name = path.relative_to(self._folder).as_posix()
            async with asyncio.timeout(TRACE_SECONDS), self._turn:
                git = await asyncio.to_thread(GitWorkspace.open, self._folder, init=False)
                traced = await self._current(git)
                if name not in traced.trace.blamed:
                    return ""
                committed = await git.read_file(traced.commit, name)
        except (AgentInfraError, ValueError, TimeoutError):
            return ""  # no repository, no run, a file of elsewhere: there is nothing to tell
        number = number_in(committed.splitlines(), text.splitlines(), line)
        links = [one for one in traced.trace.links if _has(one, name, number)]
        return "\n\n---\n\n".join([await asyncio.to_thread(self._told, one) for one in links])

    async def links(self, name: str) -> tuple[Link, ...]:
        """What stands for a requirement or a task in what was accepted; nothing where nothing is known of it."""
        try:
            async with asyncio.timeout(TRACE_SECONDS), self._turn:
                git = await asyncio.to_thread(GitWorkspace.open, self._folder, init=False)
                return (await self._current(git)).trace.of(name)
        except (AgentInfraError, TimeoutError):
            return ()  # no repository, no run, no such id

    async def _current(self, git: GitWorkspace) -> _Traced:
        head = await git.commit_id("HEAD")
        if self._traced is None or self._traced.commit != head:
            self._traced = _Traced(head, await trace(git, self._log, head))
        return self._traced

    def _told(self, link: Link) -> str:
        title = f" {link.title}" if link.title else ""
        state = reduce(self._log.read(link.run)) if link.run in self._log.runs() else None
        model = f" · {state.info['model']}" if state and state.info.get("model") else ""
        return "\n".join(
            [
                f"**{link.task}** · **{link.requirement}**{title}",
                "",
                _proof(link),
                "",
                f"Run `{link.run}`{model} · commit `{link.commit[:10]}`",
            ]
        )


def provenance_of(server: Connection, folder: Path) -> Provenance:
    """The one of a workspace folder."""
    if folder not in server.provenance:
        server.provenance[folder] = Provenance(folder, server.workspaces.log(folder))
    return server.provenance[folder]


def _has(link: Link, path: str, number: int | None) -> bool:
    return number is not None and any(one.path == path and one.first <= number <= one.last for one in link.places)


def _proof(link: Link) -> str:
    if not link.proven:
        return tr("Not proven: {why}", why=link.why)
    shown = ", ".join(f"`{test}`" for test in link.tests[:MOST_TESTS])
    if not shown:
        return tr("Proven")
    left = len(link.tests) - MOST_TESTS
    if left <= 0:
        return tr("Proven by {tests}", tests=shown)
    return tr_count("Proven by {tests} and {count} more", "Proven by {tests} and {count} more", left, tests=shown)
