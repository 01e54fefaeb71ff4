"""The documents of runs: which run a spec.md or tasks.md belongs to, and what the event log writes into them.

Before a run's work is accepted, its documents lie in the run's own folder: spec.md, written by the engine, and beside
it, written here, tasks.md as it stands by the log and ``questions/spec.md`` with what a person was asked. They show
what is on record and are no second truth: states and answers come from the log alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from agentinfra.core.config import workspace_folder
from agentinfra.spec.document import render
from agentinfra.spec.front_matter import body_sha, read_front_matter, with_front_matter
from agentinfra.spec.requirements import Question, Spec
from agentinfra.spec.tasks_document import render_tasks
from agentinfra.workflow.event_log import FINAL_RUN_STATES
from agentinfra.workflow.run_state import RunState, reduce
from agentinfra.workflow.spec_facts import status_of
from agentinfra.workflow.task_data import task_of
from agentinfra_server.session.spec_documents import NAMES

if TYPE_CHECKING:
    from agentinfra_server.session.connection import Connection

CALM_SECONDS = 0.3
ANSWER_SECONDS = 10.0
QUESTIONS = "questions"
"""Folder of the document of a run's questions."""
_CHAPTER = "## Open questions\n"


@dataclass(frozen=True, slots=True)
class Owner:
    """The run that a document belongs to.

    Attributes:
        folder: The workspace folder.
        state: The run, by its events.
        is_own: Whether the document lies in the run's own folder, and not in the workspace.
    """

    folder: Path
    state: RunState
    is_own: bool


class RunDocuments:
    """Keeps the documents of runs as the log has them, and tells the editor when they have changed.

    Args:
        server: The connection.
    """

    def __init__(self, server: Connection) -> None:
        self._server = server
        self._states: dict[str, RunState] = {}
        self._replaced: dict[Path, set[int]] = {}
        self._telling: asyncio.Task[None] | None = None
        self._watching: asyncio.Task[None] | None = None

    async def owner(self, path: Path, text: str) -> Owner | None:
        """The run that a document belongs to.

        Args:
            path: The document, a spec.md or tasks.md.
            text: The specification; of one in the workspace, its front matter names the run.
        """
        return await asyncio.to_thread(self._owner, path, text)

    def place(self, path: Path) -> tuple[Path, str] | None:
        """The workspace folder and the run in whose own folder a file lies; None for other files."""
        for folder in self._server.workspaces.folders():
            runs = (workspace_folder(folder) / "runs").resolve()
            if (found := path.resolve()).is_relative_to(runs) and found != runs:
                return folder, found.relative_to(runs).parts[0]
        return None

    async def questions(self, run: str) -> Path | None:
        """The document of a run's questions, written as they are on record; None where the run is not here."""
        home = await asyncio.to_thread(self._home, run)
        if home is None:
            return None
        path = home[1] / QUESTIONS / "spec.md"
        state = await asyncio.to_thread(self._on_record, home[0], run)  # the question may be newer than what was told
        if state is not None:
            await asyncio.to_thread(path.parent.mkdir, mode=0o700, exist_ok=True)
            await self._write([(path, _asked(state))])
        return path

    async def take(self, state: RunState) -> None:
        """A run has changed: its documents are written anew, and the editor asks for what it shows of them."""
        before = self._states.get(state.run)
        try:
            await self._write(await asyncio.to_thread(lambda: list(self._texts(state, before))))
        except OSError as error:
            said = f"The documents of run {state.run} cannot be written: {error}"
            self._server.window_log_message(lsp.LogMessageParams(lsp.MessageType.Warning, said))
        if state.state in FINAL_RUN_STATES:
            self._states.pop(state.run, None)
        else:
            self._states[state.run] = state
        self.changed()

    def changed(self) -> None:
        """Have the editor ask anew for what it shows of specifications and tasks, once there is quiet."""
        if self._telling is None:
            self._telling = asyncio.create_task(self._tell_soon())

    def watch(self) -> None:
        """Have the editor say when specifications or tasks change on disk, where it can: runs land there by git."""
        able = self._server.client_capabilities.workspace
        watches = able.did_change_watched_files if able else None
        if self._watching is None and watches and watches.dynamic_registration:
            self._watching = asyncio.create_task(self._watch())

    async def aclose(self) -> None:
        """Leave off telling."""
        tasks = [one for one in (self._telling, self._watching) if one is not None]
        for one in tasks:
            one.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _owner(self, path: Path, text: str) -> Owner | None:
        own = self.place(path)
        folder, run = own or (path.parent, read_front_matter(text).get("id", ""))
        if own is None and folder not in self._server.workspaces.folders():
            return None
        state = self._state(folder, run)
        return Owner(folder, state, own is not None) if state else None

    def _state(self, folder: Path, run: str) -> RunState | None:
        return self._states.get(run) or self._on_record(folder, run)

    def _on_record(self, folder: Path, run: str) -> RunState | None:
        if not run or not self._server.workspaces.has_log(folder):
            return None
        state = reduce(self._server.workspaces.log(folder).read(run))
        return state if state.run else None

    def _home(self, run: str) -> tuple[Path, Path] | None:
        """The workspace folder of a run, and the run's own."""
        for folder in self._server.workspaces.folders():
            home = workspace_folder(folder) / "runs" / run
            if home.is_dir():
                return folder, home
        return None

    def _texts(self, state: RunState, before: RunState | None) -> Iterator[tuple[Path, str]]:
        """What is to stand in which file."""
        home = self._home(state.run)
        if home is None:
            return
        spec, questions = home[1] / "spec.md", home[1] / QUESTIONS / "spec.md"
        if state.tasks:
            yield home[1] / "tasks.md", _listed(state)
        if questions.exists():
            yield questions, _asked(state)
        if state.approved_sha and (before is None or before.state != state.state) and spec.exists():
            text = spec.read_bytes().decode("utf-8", "replace")
            if body_sha(text) == state.approved_sha:
                yield spec, with_front_matter(text, status=status_of(state), approved=state.approved_sha)

    async def _write(self, texts: Sequence[tuple[Path, str]]) -> None:
        """Write what is not so yet; what a person is editing is left to them."""
        opened = {path: self._server.workspace.text_documents.get(path.as_uri()) for path, _ in texts}
        sources = {path: document.source for path, document in opened.items() if document}
        await asyncio.to_thread(lambda: [self._replace(path, text, sources.get(path)) for path, text in texts])

    def _replace(self, path: Path, text: str, opened: str | None) -> None:
        old = path.read_bytes().decode("utf-8", "replace") if path.exists() else ""
        # An editor may show for a while what lay there before.
        known = self._replaced.setdefault(path, set()) | {hash(old)}
        if old == text or (opened is not None and hash(opened) not in known):
            return
        new = path.with_suffix(".new")
        new.write_bytes(text.encode("utf-8"))
        new.replace(path)
        self._replaced[path] = known

    async def _watch(self) -> None:
        watchers = [lsp.FileSystemWatcher(f"**/{name}") for name in NAMES]
        options = lsp.DidChangeWatchedFilesRegistrationOptions(watchers)
        what = lsp.Registration("agentinfra-specifications", lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES, options)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._server.client_register_capability_async(lsp.RegistrationParams([what]))
        except (TimeoutError, JsonRpcException):
            return  # it tells of edits and saves all the same

    async def _tell_soon(self) -> None:
        await asyncio.sleep(CALM_SECONDS)
        self._telling = None  # what changes from now on is told of by the next one
        self._server.spec_documents.changed_all()
        able = self._server.client_capabilities.workspace
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                if able and able.code_lens and able.code_lens.refresh_support:
                    await self._server.workspace_code_lens_refresh_async(None)
                if able and able.diagnostics and able.diagnostics.refresh_support:
                    await self._server.workspace_diagnostic_refresh_async(None)
        except (TimeoutError, JsonRpcException):
            return  # it asks anew with the next edit


def _listed(state: RunState) -> str:
    reasons = {task.id: task.reason for task in state.tasks if task.reason}
    return render_tasks([task_of(one) for one in state.tasks], {one.id: one.state for one in state.tasks}, reasons)


def _asked(state: RunState) -> str:
    """The questions as the chapter of a specification, so that they are answered there as in any other."""
    questions = [
        Question(f"Q-{number}", one.text, one.why, one.options, one.recommended, one.answer)
        for number, one in enumerate(state.questions, 1)
    ]
    return (
        "# Questions of the run\n\n" + _CHAPTER + render(Spec("", "", "", (), tuple(questions))).partition(_CHAPTER)[2]
    )
