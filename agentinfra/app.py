"""The composition root: the only place that picks concrete classes."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentinfra.agents.own_planner import load_planner
from agentinfra.agents.planner_agent import PlannerAgent
from agentinfra.core.config import Settings, load_settings, workspace_folder
from agentinfra.core.errors import AgentInfraError, InputError, ModelError, RunStopped
from agentinfra.core.events import EventDraft
from agentinfra.core.interfaces import ChatModel
from agentinfra.environment.git_workspace import GitWorkspace
from agentinfra.models.local_servers import LocalServer, find_local_servers
from agentinfra.models.model_manager import ModelManager
from agentinfra.models.model_stack import ModelStack, manager_from
from agentinfra.models.provider_plugins import ModelFactory
from agentinfra.models.recorded_model import ReplayModel
from agentinfra.models.reply_cache import ReplyCache
from agentinfra.models.tracing import context_here
from agentinfra.proof.pytest_runner import PytestRunner
from agentinfra.security.sandbox.detect import choose_sandbox
from agentinfra.spec.diagnostics import RunFacts
from agentinfra.spec.document import parse
from agentinfra.spec.trace import Trace
from agentinfra.workflow.change_source import find_change
from agentinfra.workflow.delivery import Delivery
from agentinfra.workflow.durable import DbosEngine
from agentinfra.workflow.event_log import SqliteEventLog
from agentinfra.workflow.leases import LeasedSandbox, LeasePool
from agentinfra.workflow.main_job import run_main_job
from agentinfra.workflow.retrying import Retry, is_settled
from agentinfra.workflow.reviewing import Review
from agentinfra.workflow.run import Run
from agentinfra.workflow.run_budget import run_budget
from agentinfra.workflow.run_files import RunFiles, with_seed
from agentinfra.workflow.run_options import Human, RunOptions
from agentinfra.workflow.run_parts import RunParts
from agentinfra.workflow.run_state import RunState, reduce
from agentinfra.workflow.spec_facts import run_facts
from agentinfra.workflow.standing import Standing, edited_since
from agentinfra.workflow.trace import trace
from agentinfra.workflow.unattended import Unattended

if TYPE_CHECKING:
    from agentinfra.memory.long_term_memory import LongTermMemory
    from agentinfra.workflow.run_context import RunContext
    from agentinfra.workflow.run_memory import RunMemory

REPLAY_DATE = "2000-01-01T00:00:00+00:00"
STOP_POLL_SECONDS = 0.5


class App:
    """One workspace's runs, put together from the concrete parts.

    Args:
        workspace: Folder of the user's repository.
        human: Whom to ask.
        data: Where runs are kept; by default the user's data folder.
        providers: Factories of models that whoever starts the runs brings along, such as an editor's own.
    """

    def __init__(
        self,
        workspace: Path,
        human: Human,
        *,
        data: Path | None = None,
        providers: Mapping[str, ModelFactory] | None = None,
    ) -> None:
        self.workspace = workspace.resolve()
        self.human = human
        self.data = data
        self.providers = providers
        self.folder = workspace_folder(self.workspace, data)
        self.folder.mkdir(parents=True, mode=0o700, exist_ok=True)
        self.log = SqliteEventLog(self.folder / "events.db")

    async def aclose(self) -> None:
        """Close the log; runs close what they opened."""
        self.log.close()

    def memory(self) -> LongTermMemory:
        """What was learnt in this workspace, beside what its user had remembered anywhere; the caller closes it."""
        from agentinfra.memory.long_term_memory import project_memory  # noqa: PLC0415  (heavy, and not always needed)

        return project_memory(self.workspace, self.data)

    def runs(self) -> list[str]:
        """Ids of the workspace's runs, oldest first."""
        return list(self.log.runs())

    def state(self, run: str | None = None) -> RunState:
        """The state of a run, the newest for None.

        Raises:
            InputError: There is no such run.
        """
        return reduce(self.log.read(self.run_id(run)))

    async def edited_since(self, run: str | None = None) -> Standing | None:
        """How the workspace's spec.md stands where it is the run's and was edited after its approval; None otherwise.

        Raises:
            InputError: There is no such run.
        """
        state = self.state(run)
        return await edited_since(self.workspace, state, RunFiles(self.folder / "runs" / state.run).spec_path)

    def run_id(self, run: str | None = None) -> str:
        """The id that was meant: the whole one, a beginning of it, or the newest for None.

        Raises:
            InputError: No run, or several, fit.
        """
        known = self.runs()
        fitting = [one for one in known if run is None or one.startswith(run)]
        exact = run if run in known else None
        if not fitting or (run is not None and exact is None and len(fitting) > 1):
            number = f"{len(fitting)} runs begin" if fitting else "No run begins"
            what = "There is no run yet" if run is None else f"{number} with {run!r}"
            raise InputError(
                f"{what} in {self.workspace}", next_step='Start one with `agentinfra plan "…"` or name it in full'
            )
        return exact or fitting[-1]

    async def plan(
        self, options: RunOptions, on_start: Callable[[str], None], planner: PlannerAgent | None = None
    ) -> str:
        """Start a run and carry it to its end.

        Args:
            options: What the person asked for.
            on_start: Told the run's id as soon as there is one.
            planner: A planner that exists already, instead of the one that the options name.

        Raises:
            AgentInfraError: The run could not be started, failed, or was stopped.
        """
        run = _new_id(options)
        if run in self.runs():
            raise InputError(
                "This record was replayed here already",
                next_step="See it with `agentinfra report`, or replay it in another folder",
            )
        # What was kept is found again only by runs of the same seed.
        options = with_seed(options, 0 if options.cache else secrets.randbelow(1_000_000))
        git = await asyncio.to_thread(GitWorkspace.open, self.workspace, init=options.init)
        files = RunFiles(self.folder / "runs" / run)
        return await self._carry(run, options, git, files, on_start, planner)

    async def change(self, options: RunOptions, on_start: Callable[[str], None]) -> str:
        """Build what a person's edit of an accepted run's spec.md asks for, and keep the rest.

        Args:
            options: What the person asked for; the idea is that of the specification.
            on_start: Told the run's id as soon as there is one.

        Raises:
            AgentInfraError: There is nothing to change, or the run failed or was stopped.
        """
        git = await asyncio.to_thread(GitWorkspace.open, self.workspace, init=False)
        change = await find_change(self.log, git, self.folder / "runs")
        spec = parse(change.edited)
        return await self.plan(replace(options, idea=spec.idea or spec.title or options.idea, change=change), on_start)

    async def resume(
        self, run: str | None, on_start: Callable[[str], None], *, cache: bool = False, retry: Retry | None = None
    ) -> str:
        """Go on with a run where it was; one that is over stays as it is, unless a task is to be done again.

        Args:
            run: Its id; the newest run for None.
            on_start: Told the run's id.
            cache: Keep replies from now on, also where the run began without.
            retry: A task to do again; where a process works on the run, that one does it, behind the other tasks.

        Raises:
            InputError: The task may not be done again.
            AgentInfraError: The run failed again, or was stopped.
        """
        state = self.state(run)
        if retry.is_handed_over(self.log, state, self.folder / "engine.db") if retry else is_settled(state):
            on_start(state.run)
            return state.run
        files = RunFiles(self.folder / "runs" / state.run)
        options = files.options()
        git = await asyncio.to_thread(GitWorkspace.open, self.workspace, init=False)
        options = replace(options, cache=options.cache or cache)
        begin = partial(retry.ask, self.log, state.run) if retry else lambda: None
        return await self._carry(state.run, options, git, files, on_start, None, begin)

    async def stop(self, run: str | None) -> str:
        """Ask the process that works on the run to stop it; it can be resumed."""
        found = self.run_id(run)
        if self.state(found).state not in ("done", "failed", "stopped"):
            self.log.append(found, EventDraft("notice", {"level": "warning", "text": "Stop requested", "stop": True}))
        return found

    async def delivery(self, run: str | None) -> Delivery:
        """What can be done with the work of a run: accept, reject, undo and redo.

        Raises:
            InputError: There is no such run.
            WorkspaceError: The repository cannot be worked on.
        """
        found = self.run_id(run)
        return Delivery(found, self.log, await asyncio.to_thread(GitWorkspace.open, self.workspace, init=False))

    async def review(self, run: str) -> Review:
        """What a person can say of the work of a run line by line; errors as of :meth:`delivery` and of the sandbox."""
        delivery = await self.delivery(run)
        options = RunFiles(self.folder / "runs" / delivery.run).options()
        sandbox = await choose_sandbox(allow_unsandboxed=options.unsandboxed)
        return Review(delivery, PytestRunner(LeasedSandbox(sandbox, LeasePool.of_user())))

    async def trace(self, ref: str) -> Trace:
        """Which requirement is behind which task, test, commit and line of a commit.

        Raises:
            WorkspaceError: There is no such commit.
            SpecError: Its spec.md cannot be read.
        """
        git = await asyncio.to_thread(GitWorkspace.open, self.workspace, init=False)
        return await trace(git, self.log, ref)

    async def spec_facts(self, text: str) -> RunFacts | None:
        """What is on record about a specification's run, for its checks; None where there is no run at all."""
        return await asyncio.to_thread(run_facts, self.log, text, self.workspace)

    async def _carry(
        self,
        run: str,
        options: RunOptions,
        git: GitWorkspace,
        files: RunFiles,
        on_start: Callable[[str], None],
        planner: PlannerAgent | None,
        begin: Callable[[], object] = lambda: None,
    ) -> str:
        settings = load_settings(self.workspace, own_planner=planner is None and options.planner is None)
        models = self._manager(run, options, settings)
        is_named = bool(options.replay or options.model or settings.models.default)
        servers = () if is_named else await find_local_servers()
        engine = DbosEngine(self.folder / "engine.db")
        memory = self._memory_of(run, options, git, files)
        context = self._context_of(run, options, git, settings)
        try:
            # First of all: where another process works on the run, nothing of it may be touched.
            await engine.open()
            begin()
            sandbox = await choose_sandbox(allow_unsandboxed=options.unsandboxed)
            leases = LeasePool.of_user()
            parts = RunParts(
                engine=engine,
                log=self.log,
                git=git,
                runner=PytestRunner(LeasedSandbox(sandbox, leases)),
                human=self.human,
                files=files,
                model_for=self._models(run, options, settings, models, servers).model_for,
                parallel=1 if options.replay else settings.parallel,
                max_attempts=options.max_attempts or settings.max_attempts,
                commit_date=REPLAY_DATE if options.replay else None,
                leases=leases,
                memory=memory,
                context=context,
            )
            chosen = planner or load_planner(options.planner or settings.planner, self.workspace)
            files.create(options)
            await self._work(Run(run, options, parts), chosen, on_start)
            await memory.learn()
        finally:
            await memory.aclose()
            if context is not None:
                await context.aclose()
            await engine.close()
            await models.aclose()
        return run

    def _memory_of(self, run: str, options: RunOptions, git: GitWorkspace, files: RunFiles) -> RunMemory:
        from agentinfra.workflow.run_memory import RunMemory  # noqa: PLC0415  (heavy, as the memory is)

        # What goes on record must not depend on what was learnt here.
        is_told = not (options.record or options.replay)
        return RunMemory(run, self.log, git, files.folder, self.memory(), is_told=is_told)

    def _context_of(self, run: str, options: RunOptions, git: GitWorkspace, settings: Settings) -> RunContext | None:
        """What agents are shown of the repository; nothing where what is asked goes on record."""
        if options.record or options.replay:
            return None
        from agentinfra.workflow.run_context import RunContext  # noqa: PLC0415  (heavy, as the memory is)

        return RunContext(run, self.log, git, self.data, settings.index.embedder)

    async def _work(self, run: Run, planner: PlannerAgent, on_start: Callable[[str], None]) -> None:
        """Drive the main job, and put on record how it ended."""
        work = asyncio.create_task(run_main_job(run, planner, on_start))
        watch = asyncio.create_task(self._stop_when_asked(run.id, len(self.log.read(run.id)), work))
        try:
            await work
        except asyncio.CancelledError:
            await self._end(run, "stopped", "A person stopped it")
            raise RunStopped("The run was stopped", next_step="Go on with `agentinfra resume`") from None
        except RunStopped as error:
            await self._end(run, "stopped", str(error))
            raise
        except AgentInfraError as error:
            await self._end(run, "failed", str(error))
            raise
        finally:
            watch.cancel()

    async def _end(self, run: Run, state: str, reason: str) -> None:
        # No key: a run may be stopped many times, and each is an event of its own.
        self.log.append(run.id, EventDraft("state_update", {"state": state, "reason": reason}))

    async def _stop_when_asked(self, run: str, since: int, work: asyncio.Task[Any]) -> None:
        while True:
            for event in await asyncio.to_thread(self.log.read, run, since):
                since = event.seq
                if event.data.get("stop"):
                    work.cancel()
            await asyncio.sleep(STOP_POLL_SECONDS)

    def _manager(self, run: str, options: RunOptions, settings: Settings) -> ModelManager:
        return manager_from(
            settings.models,
            base_url=options.base_url,
            on_fall=partial(self._tell_fall, run),
            on_fetch=partial(self._tell, run),
            providers=self.providers,
        )

    def _models(
        self, run: str, options: RunOptions, settings: Settings, manager: ModelManager, servers: Sequence[LocalServer]
    ) -> ModelStack:
        budget = run_budget(options, reduce(self.log.read(run)), self.human, partial(self._tell, run))
        return ModelStack(
            manager,
            budget,
            default=options.model or settings.models.default,
            servers=servers,
            replay=ReplayModel(options.replay) if options.replay else None,
            cache=ReplyCache(tell=partial(self._tell, run)) if options.cache else None,
            base_url=options.base_url,
            record=options.record,
            idea=options.idea,
            seed=options.seed or 0,
            parent=context_here(),
        )

    def _tell(self, run: str, text: str) -> None:
        self.log.append(run, EventDraft("notice", {"level": "info", "text": text}))

    def _tell_fall(self, run: str, member: ChatModel, error: ModelError, following: ChatModel) -> None:
        why = (error.why or error.what).rstrip(".")
        text = f"{member.name} cannot answer: {why}. {following.name} is asked instead"
        # Once for each cause: a long outage is no reason to fill the screen.
        key = f"fall {member.name} {type(error).__name__}"
        self.log.append(run, EventDraft("notice", {"level": "warning", "text": text}, key=key))


async def run_project(idea: str, planner: PlannerAgent) -> RunState:
    """Start a run in the current folder for a planner that is used as a plain library.

    Recommended answers are taken and the specification is approved, as with ``--yes``; permissions are not granted.
    """
    workspace = Path.cwd()
    app = App(workspace, Unattended())
    try:
        options = RunOptions(idea, workspace, yes=True, init=True)
        run = await app.plan(options, lambda _: None, planner)
        return app.state(run)
    finally:
        await app.aclose()


def _new_id(options: RunOptions) -> str:
    if options.replay is not None:
        return f"replay-{hashlib.sha256(options.replay.read_bytes()).hexdigest()[:8]}"
    return f"{time.strftime('%y%m%d-%H%M%S', time.gmtime())}-{secrets.token_hex(2)}"
