"""The open specifications: checked shortly after each edit, off the loop, without a model."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from lsprotocol import types as lsp
from pygls.uris import to_fs_path

from agentinfra.core.errors import AgentInfraError
from agentinfra.spec.diagnostics import Diagnostic, Document, RunFacts, check_documents
from agentinfra.spec.source import Lines, Span
from agentinfra.spec.spec_source import SpecSource, read_spec
from agentinfra.spec.tasks_source import TasksSource, read_tasks
from agentinfra.workflow.spec_facts import run_facts

if TYPE_CHECKING:
    from agentinfra_server.session.connection import Connection

QUIET_SECONDS = 0.2
NAMES: Mapping[str, Document] = {"spec.md": "spec", "tasks.md": "tasks"}
_SEVERITIES = {"error": lsp.DiagnosticSeverity.Error, "warning": lsp.DiagnosticSeverity.Warning}

# While somebody types in one of the two documents, the other one stays as it was read.
_spec_source, _tasks_source = lru_cache(maxsize=4)(read_spec), lru_cache(maxsize=4)(read_tasks)

Units = Callable[[str], int]
"""The length of a text in the units that the client counts columns in."""


@dataclass(frozen=True)
class Pair:
    """A specification and the tasks beside it, as they were read.

    Attributes:
        folder: Where they lie.
        spec: The specification; None where there is none.
        tasks: Its tasks; None where there are none.
        findings: What the checks say.
        facts: What the event log says of the run; None where nothing is on record.
    """

    folder: Path
    spec: SpecSource | None
    tasks: TasksSource | None
    findings: tuple[Diagnostic, ...] = ()
    facts: RunFacts | None = None

    def body(self, document: Document) -> Lines | None:
        """The lines of one of the two."""
        source = self.spec if document == "spec" else self.tasks
        return source.body if source else None


class SpecDocuments:
    """Checks what is open, and tells the findings to a client that does not ask for them.

    Args:
        server: The connection.
    """

    def __init__(self, server: Connection) -> None:
        self._server = server
        self._checking: dict[Path, asyncio.Task[None]] = {}

    def changed(self, uri: str) -> None:
        """A document was opened, edited or closed: its pair is checked once there is quiet."""
        path = spec_path(uri)
        if path is None or self._pulls():
            return
        if (before := self._checking.get(path.parent)) is not None:
            before.cancel()
        task = self._checking[path.parent] = asyncio.create_task(self._check_soon(path.parent))
        task.add_done_callback(lambda done: self._checked(path.parent, done))

    def changed_all(self) -> None:
        """What the event log says has changed: all that is open is checked anew."""
        for uri in tuple(self._server.workspace.text_documents):
            self.changed(uri)

    async def is_saved(self, path: Path) -> bool:
        """Whether the file says what the editor shows."""
        opened = self._open_text(path)
        return opened is None or opened == await asyncio.to_thread(_text, path, None)

    async def pair(self, folder: Path) -> Pair:
        """A specification and its tasks, as the editor has them or as they lie on disk, and what is wrong with them."""
        texts = {name: self._open_text(folder / name) for name in NAMES}
        return await asyncio.to_thread(self._read, folder, texts)

    def diagnostics(self, pair: Pair, document: Document) -> list[lsp.Diagnostic]:
        """The findings of one of the two, in the client's form."""
        body = pair.body(document)
        if body is None:
            return []
        return [self._diagnostic(pair, body, one) for one in pair.findings if one.document == document]

    def units(self, text: str) -> int:
        """The length of a text in the units that the client counts columns in."""
        return self._server.workspace.position_codec.client_num_units(text)

    async def aclose(self) -> None:
        """Leave off checking."""
        tasks = tuple(self._checking.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _checked(self, folder: Path, task: asyncio.Task[None]) -> None:
        if self._checking.get(folder) is task:
            del self._checking[folder]

    def _pulls(self) -> bool:
        able = self._server.client_capabilities.text_document
        return able is not None and able.diagnostic is not None

    async def _check_soon(self, folder: Path) -> None:
        await asyncio.sleep(QUIET_SECONDS)
        pair = await self.pair(folder)
        for name, document in NAMES.items():
            uri = (folder / name).as_uri()
            opened = self._server.workspace.text_documents.get(uri)
            found = self.diagnostics(pair, document) if opened else []
            version = opened.version if opened else None
            self._server.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(uri, found, version))

    def _open_text(self, path: Path) -> str | None:
        opened = self._server.workspace.text_documents.get(path.as_uri())
        return opened.source if opened else None

    def _read(self, folder: Path, texts: Mapping[str, str | None]) -> Pair:
        spec, tasks = (_text(folder / name, texts[name]) for name in NAMES)
        if spec is None:
            return Pair(folder, None, None if tasks is None else _tasks_source(tasks))
        sources = _spec_source(spec), None if tasks is None else _tasks_source(tasks)
        facts = self._facts(folder, spec)
        return Pair(folder, *sources, tuple(check_documents(*sources, facts)), facts)

    def _facts(self, folder: Path, text: str) -> RunFacts | None:
        own = self._server.run_documents.place(folder)
        workspace = own[0] if own else folder
        try:
            if workspace in self._server.workspaces.folders() and self._server.workspaces.has_log(workspace):
                return run_facts(self._server.workspaces.log(workspace), text, workspace)
        except AgentInfraError:
            return None  # nothing is on record that can be read: the checks do without
        return None

    def _diagnostic(self, pair: Pair, body: Lines, finding: Diagnostic) -> lsp.Diagnostic:
        return lsp.Diagnostic(
            range=to_range(body, finding.span, self.units),
            message=finding.message,
            severity=_SEVERITIES[finding.severity],
            code=finding.code,
            source="agentinfra",
            related_information=list(self._related(pair, finding)) or None,
            data={"subject": finding.subject, "explanation": finding.explanation},
        )

    def _related(self, pair: Pair, finding: Diagnostic) -> Iterator[lsp.DiagnosticRelatedInformation]:
        able = self._server.client_capabilities.text_document
        if not (able and able.publish_diagnostics and able.publish_diagnostics.related_information):
            return
        for one in finding.related:
            body = pair.body(one.document)
            if body is not None:
                uri = (pair.folder / f"{one.document}.md").as_uri()
                place = lsp.Location(uri, to_range(body, one.span, self.units))
                yield lsp.DiagnosticRelatedInformation(place, one.message)


def spec_path(uri: str) -> Path | None:
    """The file of a specification or of tasks; None for another document."""
    path = to_fs_path(uri) if uri.startswith("file:") else None
    return Path(path) if path and Path(path).name in NAMES else None


def to_range(body: Lines, span: Span, units: Units) -> lsp.Range:
    """A span in the client's lines and columns; as the documents' reader, a lone carriage return ends no line."""
    return lsp.Range(_position(body, span.start, units), _position(body, span.end, units))


def _position(body: Lines, offset: int, units: Units) -> lsp.Position:
    line, column = body.position(offset)
    return lsp.Position(line - 1, units(body.text[offset - column + 1 : offset]))


def _text(path: Path, opened: str | None) -> str | None:
    if opened is not None:
        return opened
    try:
        return path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return None  # there is none that could be read; what is open is still checked
