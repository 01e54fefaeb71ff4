"""What the review of a folder's last run found, as diagnostics of the files: they move with the lines they speak of."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lsprotocol import types as lsp

from agentinfra.core.config import workspace_folder
from agentinfra.core.errors import AgentInfraError
from agentinfra.environment.git_workspace import GitWorkspace
from agentinfra.workflow.run_state import Finding, RunState, reduce
from agentinfra_server.session.moved_lines import number_in

if TYPE_CHECKING:
    from agentinfra_server.session.connection import Connection

QUIET_SECONDS = 0.3
CHECK_SECONDS = 10.0
REVIEWED = frozenset({"checkpoint", "change_resolved"})
"""Events after which the findings of a run, or whether its work is wanted, may be others."""
_GONE = frozenset({"rejected", "undone"})
_SEVERITIES = {"error": lsp.DiagnosticSeverity.Error, "warning": lsp.DiagnosticSeverity.Warning}

Found = Mapping[str, Sequence[lsp.Diagnostic]]
"""Diagnostics by the URI of a file."""


class RunFindings:
    """Tells the editor of findings as long as the lines that they speak of are there.

    Args:
        server: The connection.
    """

    def __init__(self, server: Connection) -> None:
        self._server = server
        self._told: dict[Path, set[str]] = {}
        self._looking: dict[Path, asyncio.Task[None]] = {}

    def edited(self, uri: str) -> None:
        """A file was opened, edited, saved or closed."""
        located = self._server.workspaces.locate(uri)
        if located is not None:
            self.changed(located[0])

    def changed(self, folder: Path) -> None:
        """A run of the folder, or a file in it, has changed: its findings are looked at once there is quiet."""
        if (before := self._looking.get(folder)) is not None:
            before.cancel()
        task = self._looking[folder] = asyncio.create_task(self._look_soon(folder))
        task.add_done_callback(lambda done: self._looked(folder, done))

    async def aclose(self) -> None:
        """Leave off looking."""
        tasks = tuple(self._looking.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _looked(self, folder: Path, task: asyncio.Task[None]) -> None:
        if self._looking.get(folder) is task:
            del self._looking[folder]

    async def _look_soon(self, folder: Path) -> None:
        await asyncio.sleep(QUIET_SECONDS)
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                found = await self._found(folder)
        except (AgentInfraError, TimeoutError):
            return  # no repository, or a log that cannot be read now: what was told stays
        told = self._told.setdefault(folder, set())
        for uri in sorted(told | found.keys()):
            self._server.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(uri, found.get(uri, ())))
        self._told[folder] = set(found)

    async def _found(self, folder: Path) -> Found:
        state = await asyncio.to_thread(self._last_run, folder)
        if state is None or not state.checkpoint or state.decision in _GONE:
            return {}
        by_path: dict[str, list[Finding]] = {}
        for one in state.findings:
            by_path.setdefault(one.path, []).append(one)
        by_path.pop("", None)  # of the tree as a whole: the report and the panel have them
        git = await asyncio.to_thread(GitWorkspace.open, folder, init=False) if by_path else None
        found: dict[str, Sequence[lsp.Diagnostic]] = {}
        for path, findings in by_path.items():
            text = await asyncio.to_thread(self._text, folder / path)
            if git is not None and text is not None:
                reviewed = await git.read_file(state.checkpoint, path)
                found[(folder / path).as_uri()] = await asyncio.to_thread(self._placed, findings, reviewed, text)
        return found

    def _placed(self, findings: Iterable[Finding], reviewed: str, now: str) -> list[lsp.Diagnostic]:
        units = self._server.workspace.position_codec.client_num_units
        return list(placed(findings, reviewed.splitlines(), now.splitlines(), units))

    def _last_run(self, folder: Path) -> RunState | None:
        if not (workspace_folder(folder.resolve()) / "events.db").exists():
            return None
        log = self._server.workspaces.log(folder)
        runs = list(log.runs())
        return reduce(log.read(runs[-1])) if runs else None

    def _text(self, path: Path) -> str | None:
        opened = self._server.workspace.text_documents.get(path.as_uri())
        if opened is not None:
            return opened.source
        try:
            return path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return None  # not in the person's tree, or not any more


def placed(
    findings: Iterable[Finding], reviewed: Sequence[str], now: Sequence[str], units: Callable[[str], int]
) -> Iterator[lsp.Diagnostic]:
    """Diagnostics of one file, where the lines stand now; nothing of lines that were edited since.

    Args:
        findings: What was found in it.
        reviewed: Its lines then.
        now: Its lines now.
        units: The length of a text in the units that the client counts columns in.
    """
    for one in findings:
        number = number_in(now, reviewed, one.line - 1) if one.line else 1
        if number is not None:
            line = now[number - 1] if now else ""
            yield lsp.Diagnostic(
                lsp.Range(lsp.Position(number - 1, 0), lsp.Position(number - 1, units(line))),
                one.message,
                severity=_SEVERITIES.get(one.severity, lsp.DiagnosticSeverity.Information),
                code=one.rule,
                source="agentinfra",
                data={"subject": one.id},
            )
