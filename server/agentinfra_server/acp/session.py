"""One conversation: prompts become runs, runs become updates, and what a run asks goes to the person."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from agentinfra.core.errors import InputError
from agentinfra.protocols.json_rpc import INVALID_REQUEST, JsonRpcPeer, Params, RpcError
from agentinfra.workflow.event_log import FINAL_RUN_STATES
from agentinfra.workflow.run_state import RunState
from agentinfra_server.acp import asking, records
from agentinfra_server.acp.blocks import text_of
from agentinfra_server.acp.commands import Command, command_of, decide
from agentinfra_server.acp.files import EditorFiles
from agentinfra_server.acp.messages import Block, FileAccess, outcome_of
from agentinfra_server.acp.teller import Teller
from agentinfra_server.acp.transcript import APPROVAL, QUESTION
from agentinfra_server.protocol.person_messages import PermissionParams, QuestionParams
from agentinfra_server.protocol.view_messages import RunEnded, RunUpdate
from agentinfra_server.session.client import LendsNothing
from agentinfra_server.session.runs import Runs
from agentinfra_server.session.workspaces import Workspaces

PERMIT_SECONDS = 600.0
END_TURN, CANCELLED = "end_turn", "cancelled"
SPEC = "spec.md"


class Session(LendsNothing):
    """Implements :class:`agentinfra_server.session.client.Client` for its own runs, one at a time.

    Args:
        name: The session's id.
        folder: The workspace folder.
        peer: The editor.
        workspaces: Has the logs of the runs.
        options: Fields of :class:`~agentinfra.workflow.run_options.RunOptions` for every run.
        mode: How freely runs work.
        access: What the editor lets agents do with files.
        permit_seconds: How long a permission is waited for.

    Attributes:
        mode: The same; counts for the next run.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        peer: JsonRpcPeer,
        workspaces: Workspaces,
        options: Params,
        mode: str,
        *,
        access: FileAccess | None = None,
        permit_seconds: float = PERMIT_SECONDS,
    ) -> None:
        self.name = name
        self.folder = folder
        self.mode = mode
        self._peer = peer
        self._options = options
        self._permit_seconds = permit_seconds
        self._runs = Runs(self, workspaces)
        self._run = ""
        self._is_change = False
        self._teller = Teller(name, folder, peer, workspaces)
        self._files = EditorFiles(name, peer, access or FileAccess())
        self._ends: dict[str, asyncio.Future[RunEnded]] = {}
        self._left_open = asyncio.Event()
        self._turn: asyncio.Task[str] | None = None
        self._beginning: asyncio.Task[str] | None = None
        self._stopping: asyncio.Task[None] | None = None

    async def prompt(self, blocks: Sequence[Block]) -> dict[str, Any]:
        """Do what the person says; returns when the run is over, waits for an answer, or was stopped.

        Args:
            blocks: What is said.

        Returns:
            The answer of ``session/prompt``.

        Raises:
            RpcError: An earlier prompt is still at work.
            AgentInfraError: It cannot be done.
        """
        if self._turn is not None:
            raise RpcError(INVALID_REQUEST, "The session's last prompt is still at work; cancel it first")
        # Before anything is waited for: a cancel may come right behind the prompt.
        self._turn = asyncio.create_task(self._answer(blocks))
        try:
            reason = await self._turn
        except asyncio.CancelledError:
            await self._stop()
            if (own := asyncio.current_task()) and own.cancelling():  # withdrawn, not cancelled
                raise
            reason = CANCELLED
        finally:
            self._turn = None
        return {"stopReason": reason, **self._teller.figures(self._run)}

    async def cancel(self) -> None:
        """Stop the run, so that it can be resumed; the open prompt is answered when it has stopped."""
        if self._turn is not None:
            self._turn.cancel()
        else:
            await self._stop()

    async def replay(self, runs: Sequence[str]) -> None:
        """Tell all that was told of runs, and what comes of the last one if it is at work somewhere."""
        for run in runs:
            await self._teller.replay(run, is_last=run == runs[-1])
        await self._go_on(runs[-1])

    async def take_up(self, run: str) -> None:
        """Make a run the session's own without telling what happened; what comes of it is told."""
        await self._teller.skip(run)
        await self._go_on(run)

    async def _go_on(self, run: str) -> None:
        self._run = run
        transcript = self._teller.transcript(self._run)
        if transcript.state.state not in FINAL_RUN_STATES and not self._runs.is_live(self._run):
            await self._teller.say("This run is not finished. Where nobody works on it any more, `/resume` goes on.")
            await self._runs.show(self.folder, self._run, transcript.state.seq)

    async def offer_commands(self, commands: Sequence[Mapping[str, Any]]) -> None:
        """Tell what can be said with a slash."""
        await self._teller.tell([{"sessionUpdate": "available_commands_update", "availableCommands": list(commands)}])

    async def aclose(self) -> None:
        """Stop everything; no process is left."""
        if self._turn is not None:
            self._turn.cancel()
        await self._stop()  # while runs still tell their end, which an open prompt waits for
        await self._runs.aclose()

    async def ask(self, question: QuestionParams) -> str | None:
        """Put a question; where it is left open the prompt ends, and the next one is its answer."""
        await self._teller.catch_up(question.run_id)
        is_approval = question.kind == "approve"
        name = APPROVAL if is_approval else f"{QUESTION} {question.question_id}"
        call = {"toolCallId": self._teller.transcript(question.run_id).call_id(name), "status": "pending"}
        options = asking.options_of(question)
        content = await asyncio.to_thread(asking.content_of, question)
        answer = asking.answer_to(question, await self._choose({**call, **content}, options)) if options else None
        if self._is_stopping():
            return None  # a cancel closes what is asked
        if answer is None:
            await self._teller.say(asking.open_words(question))
        elif not await self._is_saved(question, answer):
            answer = None
        if answer is None:
            self._left_open.set()
        return answer

    async def permit(self, permission: PermissionParams) -> bool:
        """Ask for a permission; everything but a clear yes denies, and so does silence."""
        call = asking.permission_call(permission)
        try:
            async with asyncio.timeout(self._permit_seconds):
                return await self._choose(call, asking.PERMISSION) == asking.ALLOW
        except TimeoutError:
            return False

    async def tell_update(self, update: RunUpdate) -> None:
        """Tell what is new in the log, from the last event that was told."""
        await self._teller.catch_up(update.run_id)

    async def tell_progress(self, state: RunState) -> None:
        """Nothing: the plan shows it."""

    async def tell_end(self, ended: RunEnded) -> None:
        """Tell how a run of this session ended."""
        try:
            await self._teller.catch_up(ended.run_id)
            transcript = self._teller.transcript(ended.run_id)
            await self._teller.tell(transcript.close())
            if ended.message and transcript.state.state not in FINAL_RUN_STATES:  # nothing has told it yet
                parts = (ended.message, ended.why, ended.next)
                await self._teller.say(" ".join(f"{part.rstrip('.')}." for part in parts if part))
        finally:
            self._end_of(ended.run_id).set_result(ended)

    async def _answer(self, blocks: Sequence[Block]) -> str:
        said = await text_of(blocks, self.folder, self._files.read)
        self._left_open.clear()
        if waiting := self._runs.questions.waiting(self._run):
            return await self._take_answer(waiting, said)
        if self._runs.is_live(self._run):
            raise RpcError(INVALID_REQUEST, "The session's run is still at work; cancel it first")
        if (command := command_of(said)) is not None:
            return await self._obey(command)
        return await self._plan(self.mode, said)

    async def _take_answer(self, waiting: Sequence[QuestionParams], said: str) -> str:
        answer = asking.answer_in_words(waiting[0], said)
        if answer is None:
            await self._teller.say(asking.open_words(waiting[0]))
            return END_TURN
        if not await self._is_saved(waiting[0], answer):
            return END_TURN
        self._runs.questions.settle(self._run, waiting[0].question_id, answer)
        if len(waiting) > 1:
            await self._teller.say(asking.open_words(waiting[1]))
            return END_TURN
        return await self._until_quiet()

    async def _is_saved(self, question: QuestionParams, answer: str) -> bool:
        """Whether an approval is of what the person sees; the engine asks again where saving has changed the file."""
        draft = asking.spec_of(question)
        if answer != asking.APPROVE or draft is None:
            return True
        # While a change waits, the workspace's own file may be edited as well.
        for path in (draft, self.folder / SPEC) if self._is_change else (draft,):
            if not await self._save(path):
                await self._teller.say(f"`{path}` has edits that are not saved. Save it, then say **approve**.")
                return False
        return True

    async def _save(self, path: Path) -> bool:
        """Have a file saved that the person has edited; what the editor has may also be older than the file."""
        edits = await self._files.edits(path)
        if edits is None:
            return True
        call = asking.saving_call(path, *edits)
        if not self._files.can_write or await self._choose(call, asking.SAVING) != asking.ALLOW:
            return False
        return await self._files.write(path, edits[1])

    def _own_options(self, mode: str) -> Params:
        return {**self._options, "mode": mode, "yes": mode == "unattended"}

    async def _obey(self, command: Command) -> str:
        if command.name == "plan":
            return await self._plan("plan", command.words)
        if command.name == "change":
            return await self._change()
        if not self._run:
            raise InputError(f"There is no run to {command.name}", next_step="Say what to build first")
        if command.name == "approve":
            raise InputError("Nothing waits for an approval", next_step="Say what to build, or /resume a stopped run")
        if command.name == "resume":
            return await self._carry("run/resume", {"run": self._run})
        await self._teller.say(await decide(self.folder, self._run, command))
        await self._teller.catch_up(self._run)
        return END_TURN

    async def _plan(self, mode: str, idea: str) -> str:
        self._is_change = False
        return await self._carry("run/plan", {**self._own_options(mode), "idea": idea})

    async def _change(self) -> str:
        if not await self._save(self.folder / SPEC):
            raise InputError(f"{SPEC} has edits that are not saved", next_step="Save it, then say /change")
        self._is_change = True
        return await self._carry("run/change", self._own_options(self.mode))

    async def _carry(self, method: str, params: Params) -> str:
        self._ends.clear()  # the same run may begin once more
        self._beginning = asyncio.create_task(self._begin(method, params))
        # A run that is just beginning is stopped when it has begun: before, nobody could name it.
        self._run = await asyncio.shield(self._beginning)
        return await self._until_quiet()

    async def _begin(self, method: str, params: Params) -> str:
        run = await self._runs.begin(self.folder, method, params)
        if method != "run/resume":
            await asyncio.to_thread(records.add, self.folder, self.name, run)
        return run

    async def _until_quiet(self) -> str:
        """Wait until the run is over or waits for the person's words."""
        end = self._end_of(self._run)
        left_open = asyncio.create_task(self._left_open.wait())
        try:
            await asyncio.wait((end, left_open), return_when=asyncio.FIRST_COMPLETED)
        finally:
            left_open.cancel()
        return END_TURN

    def _is_stopping(self) -> bool:
        is_cancelled = self._turn is not None and self._turn.cancelling() > 0
        return is_cancelled or (self._stopping is not None and not self._stopping.done())

    async def _stop(self) -> None:
        if self._stopping is None or self._stopping.done():
            self._stopping = asyncio.create_task(self._stop_run())
        await asyncio.shield(self._stopping)

    async def _stop_run(self) -> None:
        if self._beginning is not None:
            await asyncio.wait((self._beginning,))
            if self._beginning.exception() is None:
                self._run = self._beginning.result()
        if self._runs.is_live(self._run):
            await self._runs.stop(self._run)
            await self._end_of(self._run)

    def _end_of(self, run: str) -> asyncio.Future[RunEnded]:
        if run not in self._ends:
            self._ends[run] = asyncio.get_running_loop().create_future()
        return self._ends[run]

    async def _choose(self, call: Mapping[str, Any], options: Sequence[Mapping[str, str]]) -> str:
        params = {"sessionId": self.name, "toolCall": dict(call), "options": list(options)}
        try:
            return outcome_of(await self._peer.request("session/request_permission", params))
        except RpcError:
            return ""
