"""The runs that this server works on, and those that it shows."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pygls.uris import to_fs_path

from agentinfra.core.errors import InputError
from agentinfra.core.events import Event
from agentinfra.protocols.json_rpc import REQUEST_CANCELLED, Handler, Params, RpcError
from agentinfra.spec.front_matter import body_sha
from agentinfra.workflow.event_log import SqliteEventLog
from agentinfra.workflow.instructions import OVER
from agentinfra.workflow.retrying import Retry
from agentinfra.workflow.run_state import RunState, apply, reduce
from agentinfra_server.protocol.language import tr
from agentinfra_server.protocol.messages import PermissionParams, QuestionParams, RunEnded, RunEvent, RunUpdate
from agentinfra_server.session.client import Client
from agentinfra_server.session.feed import follow
from agentinfra_server.session.questions import Questions
from agentinfra_server.session.run_process import RunProcess
from agentinfra_server.session.run_view import as_on_disk, changed, view_of
from agentinfra_server.session.workspaces import Workspaces, engine_file

APPROVAL = "approval"
LEAVE_POLL_SECONDS = 0.1
SECRETS = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "OPENROUTER_API_KEY", "AZURE_OPENAI_API_KEY")


@dataclass
class Shown:
    """A run whose events go to the editor as they come."""

    folder: Path
    state: RunState
    task: asyncio.Task[None]


class Runs:
    """Starts, shows and stops runs; each at work has a process of its own, which asks the person through here.

    Args:
        client: The editor.
        workspaces: Its folders.
    """

    def __init__(self, client: Client, workspaces: Workspaces) -> None:
        self.questions = Questions()
        self._client = client
        self._workspaces = workspaces
        self._processes: dict[str, RunProcess] = {}
        self._starting: set[RunProcess] = set()
        self._shown: dict[str, Shown] = {}
        self._watching: set[asyncio.Task[None]] = set()

    def is_live(self, run: str) -> bool:
        """Whether a process of this server works on the run."""
        return run in self._processes

    async def begin(self, folder: Path, method: str, params: Params, since: int | None = None) -> str:
        """Start a run, or go on with one, and show it.

        Args:
            folder: The workspace folder.
            method: "run/plan", "run/change", "run/resume" or "run/retry".
            params: See :mod:`agentinfra.cli.engine`.
            since: As for :meth:`show`.

        Returns:
            Its id.

        Raises:
            AgentInfraError: It cannot be started; why is said.
        """
        process = RunProcess(folder, await secrets_of(self._client))
        self._starting.add(process)
        try:
            run = await process.begin(method, params, self._handlers(process))
        finally:
            self._starting.discard(process)
        self._processes[run] = process
        self._keep(asyncio.create_task(self._until_ended(run, process)))
        await self.show(folder, run, since)
        return run

    async def show(self, folder: Path, run: str, since: int | None = None) -> None:
        """Hand the run's events to the editor as they come, as long as it is at work.

        Args:
            folder: The workspace folder.
            run: The run.
            since: Number of the last event that the editor has; None for all that there are now.
        """
        if run in self._shown and not self._shown[run].task.done():
            return
        log = self._workspaces.log(folder)
        past = [event for event in await asyncio.to_thread(log.read, run) if since is None or event.seq <= since]
        task = asyncio.create_task(self._feed(log, run, past[-1].seq if past else 0))
        self._shown[run] = Shown(folder, reduce(past), task)
        self._keep(task)

    async def stop(self, run: str) -> None:
        """Stop a run of this server, so that it can be resumed."""
        if (process := self._processes.get(run)) is not None:
            await process.stop()

    async def retry(self, folder: Path, run: str, wish: Retry) -> RunState:
        """Have a task done again, by the process that works on the run or by a new one; the run's state then.

        Raises:
            InputError: It may not be done again; why is said.
            AgentInfraError: The run cannot go on.
        """
        log = self._workspaces.log(folder)
        while True:
            state = await self._state(log, run)
            while state.state in OVER and self.is_live(run):  # its process is about to leave, or to begin a round
                await asyncio.sleep(LEAVE_POLL_SECONDS)
                state = await self._state(log, run)
            if not await asyncio.to_thread(wish.is_handed_over, log, state, engine_file(folder)):
                await self.begin(folder, "run/retry", {"run": run, "task": wish.task, "note": wish.note}, state.seq)
                return await self._state(log, run)
            since, state = state.seq, await self._state(log, run)
            if state.state not in OVER:
                await self.show(folder, run, since)
                return state

    async def aclose(self) -> None:
        """Stop everything; no process is left."""
        processes = (*self._processes.values(), *self._starting)
        await asyncio.gather(*(process.stop() for process in processes))
        for task in tuple(self._watching):
            task.cancel()
        await asyncio.gather(*self._watching, return_exceptions=True)

    async def _state(self, log: SqliteEventLog, run: str) -> RunState:
        return reduce(await asyncio.to_thread(log.read, run))

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._watching.add(task)
        task.add_done_callback(self._watching.discard)

    async def _feed(self, log: SqliteEventLog, run: str, since: int) -> None:
        await follow(log, run, since, lambda events: self._tell(run, events))

    async def _tell(self, run: str, events: Sequence[Event]) -> None:
        shown = self._shown[run]
        before = shown.state
        for event in events:
            shown.state = apply(shown.state, event)
        state = await asyncio.to_thread(as_on_disk, shown.state)
        view = view_of(state, shown.folder, changed(before, state), is_live=self.is_live(run))
        update = RunUpdate(
            run_id=run,
            folder=shown.folder.as_uri(),
            state=shown.state.state,
            events=[wire_event(event) for event in events],
            view=view,
        )
        await self._client.tell_update(update)
        await self._client.tell_progress(shown.state)

    async def _until_ended(self, run: str, process: RunProcess) -> None:
        await process.ended()
        self._processes.pop(run, None)
        for question in self.questions.waiting(run):
            self.questions.settle(run, question.question_id, None)
        await self._client.tell_end(_end(run, process))

    def _handlers(self, process: RunProcess) -> Mapping[str, Handler]:
        return {
            "question/ask": self._question,
            "spec/approve": self._approve,
            "permission/request": self._permission,
            "lm/request": lambda params: self._client.ask_model(params, functools.partial(process.tell, "lm/chunk")),
            "lm/countTokens": self._client.count_tokens,
        }

    async def _question(self, params: Params) -> dict[str, str]:
        question = QuestionParams(
            run_id=params["run"],
            question_id=params["id"],
            kind="question",
            message=params["text"],
            why=params["why"],
            options=list(params["options"]),
            recommended=params["recommended"],
        )
        return {"answer": await self._answered(question)}

    async def _approve(self, params: Params) -> dict[str, bool | str]:
        path = Path(params["path"])
        question = QuestionParams(
            run_id=params["run"],
            question_id=APPROVAL,
            kind="approve",
            message=tr("Build what the specification says?"),
            options=["approve", "reject"],
            recommended="approve",
            uri=path.as_uri(),
            spec_sha=params["sha"],
        )
        said, _, seen = (await self._answered(question)).partition(" ")
        return {"approved": said == "approve", "sha": seen or params["sha"]}

    async def _answered(self, params: QuestionParams) -> str:
        question = self.questions.open(params)
        asking = asyncio.create_task(self._client.ask(params))
        try:
            await asyncio.wait((asking, question.answer), return_when=asyncio.FIRST_COMPLETED)
            if not question.answer.done() and (said := asking.result()) is not None:
                return said
            # Left open there; it can still be answered elsewhere.
            answer = await question.answer
        finally:
            asking.cancel()
            self.questions.settle(params.run_id, params.question_id, None)
        if answer is None:
            raise RpcError(REQUEST_CANCELLED, "the question was left open")
        return answer

    async def _permission(self, params: Params) -> dict[str, bool]:
        asked = PermissionParams(run_id=params["run"], title=params["title"], detail=params["detail"])
        return {"allowed": await self._client.permit(asked)}


async def spec_text(asked: QuestionParams) -> str:
    """A specification that waits for approval, as it is on disk now.

    Raises:
        InputError: It cannot be read.
    """
    path = Path(to_fs_path(asked.uri or "") or "")
    try:
        return await asyncio.to_thread(path.read_text, encoding="utf-8")
    except (OSError, ValueError) as error:
        raise InputError(tr("{path} cannot be read", path=path), why=str(error)) from error


async def spec_sha(asked: QuestionParams) -> str:
    """The hash of such a specification; raises as :func:`spec_text`."""
    return body_sha(await spec_text(asked))


async def secrets_of(client: Client) -> dict[str, str]:
    """The secrets that an editor keeps, as environment variables."""
    found = await asyncio.gather(*(client.secret(name) for name in SECRETS))
    return {name: value for name, value in zip(SECRETS, found, strict=True) if value}


def _end(run: str, process: RunProcess) -> RunEnded:
    if process.end is None:
        said = tr("The run's process died"), tr("Resume it")
        return RunEnded(run_id=run, code=1, message=said[0], why=process.complaint(), next=said[1])
    said = {name: process.end[name] for name in ("code", "message", "why", "next")}
    return RunEnded(run_id=run, **said)


def wire_event(event: Event) -> RunEvent:
    """An event as it goes over the wire."""
    return RunEvent(seq=event.seq, time=event.time, kind=event.kind, agent=list(event.agent), data=dict(event.data))
