"""The runs of one workspace, one at a time; what they ask waits until a tool brings the person's answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from agentinfra.core.errors import InputError
from agentinfra.protocols.json_rpc import Params
from agentinfra.workflow.run_state import RunState, reduce
from agentinfra_server.mcp.told import RunTold, tell
from agentinfra_server.protocol.person_messages import PermissionParams, QuestionParams
from agentinfra_server.protocol.view_messages import RunEnded, RunUpdate
from agentinfra_server.session.client import LendsNothing
from agentinfra_server.session.run_view import as_on_disk
from agentinfra_server.session.runs import Runs
from agentinfra_server.session.workspaces import Workspaces

OnProgress = Callable[[RunState], Awaitable[None]]


class Host(LendsNothing):
    """Implements :class:`agentinfra_server.session.client.Client` for tools, which come and go.

    Args:
        folder: The workspace folder.
        options: Fields of :class:`~agentinfra.workflow.run_options.RunOptions` for every run.
    """

    def __init__(self, folder: Path, options: Params) -> None:
        self.folder = folder
        self._options = {**options, "yes": options.get("mode") == "unattended"}
        self._workspaces = Workspaces(lambda: [folder.as_uri()])
        self._runs = Runs(self, self._workspaces)
        self._run = ""
        self._newest: RunState | None = None
        self._ended: dict[str, RunEnded] = {}
        self._news = asyncio.Condition()

    async def plan(self, idea: str) -> None:
        """Begin a run.

        Raises:
            AgentInfraError: One is at work, or it cannot be started; why is said.
        """
        self._refuse_a_second()
        await self._begin("run/plan", {**self._options, "idea": idea})

    async def resume(self) -> None:
        """Go on with the newest run.

        Raises:
            AgentInfraError: It is at work, over, or cannot be started; why is said.
        """
        self._refuse_a_second()
        await self._begin("run/resume", {"run": await self.run()})

    async def stop(self) -> None:
        """Stop what is at work, so that it can be resumed."""
        run = await self.run()
        await self._runs.stop(run)
        await self.until_quiet()

    async def run(self) -> str:
        """The run that tools speak of: this server's own, or the workspace's newest.

        Raises:
            InputError: There is none.
        """
        if not self._run and self._workspaces.has_log(self.folder):
            self._run = next(reversed(await asyncio.to_thread(self._workspaces.log(self.folder).runs)), "")
        if not self._run:
            raise InputError(f"There is no run in {self.folder}", next_step="Begin one with agentinfra_plan")
        return self._run

    async def question(self) -> QuestionParams | None:
        """What the run waits for; None for nothing."""
        return next(iter(self._runs.questions.waiting(await self.run())), None)

    def answer(self, question: QuestionParams, answer: str) -> None:
        """Hand over the person's answer.

        Raises:
            InputError: It is not waited for any more.
        """
        if not self._runs.questions.settle(question.run_id, question.question_id, answer):
            raise InputError("The question is not open any more", next_step="See agentinfra_status")

    async def told(self) -> RunTold:
        """How far the run is, and what it needs."""
        run = await self.run()
        state = reduce(await asyncio.to_thread(self._workspaces.log(self.folder).read, run))
        waiting = self._runs.questions.waiting(run)
        on_disk = await asyncio.to_thread(as_on_disk, state)
        return tell(on_disk, waiting, self._ended.get(run), is_live=self._runs.is_live(run))

    async def until_quiet(self, on_progress: OnProgress | None = None) -> None:
        """Wait until the run is over, or needs the person.

        Args:
            on_progress: Told of each step.
        """
        run, told = await self.run(), None
        while self._is_busy(run):
            async with self._news:
                if self._is_busy(run):  # what came while the lock was waited for wakes nobody
                    await self._news.wait()
            if on_progress is not None and self._newest is not None and self._newest is not told:
                told = self._newest
                await on_progress(told)

    async def aclose(self) -> None:
        """Stop everything; no process is left."""
        await self._runs.aclose()
        self._workspaces.close()

    async def ask(self, question: QuestionParams) -> str | None:  # noqa: ARG002  (it is among the open ones by now)
        """Leave it open: a tool tells of it, and another one answers."""
        await self._wake()
        return None

    async def permit(self, permission: PermissionParams) -> bool:  # noqa: ARG002  (nobody can be asked here)
        """False: between two calls of tools there is nobody to ask, and silence denies."""
        return False

    async def tell_update(self, update: RunUpdate) -> None:
        """Nothing: progress tells it."""

    async def tell_progress(self, state: RunState) -> None:
        """Tell those who wait."""
        self._newest = state
        await self._wake()

    async def tell_end(self, ended: RunEnded) -> None:
        """Keep how a run ended, and tell those who wait."""
        self._ended[ended.run_id] = ended
        await self._wake()

    def _is_busy(self, run: str) -> bool:
        return self._runs.is_live(run) and not self._runs.questions.waiting(run)

    def _refuse_a_second(self) -> None:
        if self._runs.is_live(self._run):
            raise InputError("A run is at work", next_step="Wait with agentinfra_status, or call agentinfra_stop")

    async def _begin(self, method: str, params: Params) -> None:
        self._run = run = await self._runs.begin(self.folder, method, params)
        self._ended.pop(run, None)

    async def _wake(self) -> None:
        async with self._news:
            self._news.notify_all()
