"""What every durable engine shares: executions in this process, how they stop, and the keys of their events.

An engine adds only where outcomes are kept (:meth:`BaseEngine._load`, ``_create``, ``_resume``, ``_record``).
"""

from __future__ import annotations

import asyncio
import functools
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from contextvars import Context, ContextVar
from itertools import count
from typing import Any, TypeVar, cast

from agentinfra.core.errors import EngineError, RunStopped
from agentinfra.workflow.records import Stored, as_engine_error, as_json, stopped

T = TypeVar("T")
WorkflowFunction = Callable[[Any], Awaitable[Any]]
STOP_SECONDS = 5.0


class Execution:
    """One run of a workflow function in this process.

    Args:
        workflow_id: The workflow's id.
        name: The name its function is registered under.
        argument: Its JSON argument.
    """

    def __init__(self, workflow_id: str, name: str, argument: Any) -> None:
        self.id = workflow_id
        self.name = name
        self.argument = argument
        self.steps = count()
        self.children: list[Execution] = []
        self.tasks: set[asyncio.Task[Any]] = set()
        self.stopping: RunStopped | None = None
        self.outcome: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        # An outcome that nobody waits for is on record; asyncio need not complain about it.
        self.outcome.add_done_callback(lambda outcome: outcome.exception())

    def refuse_when_over(self) -> None:
        """Raise unless the workflow may go on.

        Raises:
            RunStopped: It was stopped.
            EngineError: It has its outcome already.
        """
        if self.stopping is not None:
            raise self.stopping
        if self.outcome.done():
            raise EngineError(f"Workflow {self.id} is over", why="Something it started goes on without it")

    def stop(self, reason: RunStopped | None = None) -> list[Execution]:
        """Cancel the execution and everything below it; returns those that were still running."""
        if self.outcome.done():
            return []
        self.stopping = self.stopping or reason or stopped(self.id)
        for task in tuple(self.tasks):
            task.cancel()
        return [self, *(below for child in self.children for below in child.stop())]

    def settle(self, value: Any = None, error: BaseException | None = None) -> None:
        """Hand the outcome to everyone who waits for it."""
        if self.outcome.done():
            return
        if error is None:
            self.outcome.set_result(value)
        else:
            self.outcome.set_exception(error)


class _Scope:
    """Where the current code runs; shared by reference with the tasks and threads that copy the context."""

    def __init__(self, execution: Execution, prefix: str, *, in_step: bool) -> None:
        self.execution = execution
        self.prefix = prefix
        self.in_step = in_step
        self.keys = count()


_scope: ContextVar[_Scope | None] = ContextVar("agentinfra_workflow", default=None)


class BaseEngine(ABC):
    """The engine's behaviour within one process; see :class:`agentinfra.core.interfaces.DurableEngine`.

    The rules that hold for every engine:

    - Workflow functions, steps and their tasks run in the loop that first called the engine.
    - A workflow's own steps must come in the same order every time. Branches that run side by side are therefore
      child workflows: each has its own numbering, and starting or awaiting a child is not numbered at all.
    - An error that a step or workflow raises is its outcome. It is recorded and raised again, with the same type,
      by every later call with that id; work is repeated under a new id. Errors from outside the AgentInfra tree
      become :class:`EngineError`, the first time as well, so that a replay sees what the first run saw.
    - :class:`RunStopped`, :meth:`cancel` and the cancellation of the task that called :meth:`run` record nothing:
      the next :meth:`run` with the same id and argument goes on behind the last finished step.
    - Children do not outlive their parent: those that nobody awaited are stopped when it ends.
    """

    def __init__(self) -> None:
        self._functions: dict[str, WorkflowFunction] = {}
        self._executions: dict[str, Execution] = {}

    def register(self, name: str, function: WorkflowFunction) -> None:
        """Make an ``async (argument) -> JSON`` function known under a name; a later one replaces it."""
        self._functions[name] = function

    def unregister(self, name: str) -> None:
        """Forget a function; what runs goes on."""
        self._functions.pop(name, None)

    @property
    def workflow_id(self) -> str:
        """Id of the workflow that the calling code belongs to, "" outside."""
        scope = _scope.get()
        return scope.execution.id if scope else ""

    def next_key(self) -> str:
        """A key that is the same again when the workflow is replayed, "" outside a workflow.

        Returns:
            ``<workflow id>/<n>`` with n from 0 in the workflow function, ``<workflow id>/<step>.<n>`` inside a
            step; steps that are not run again thus do not shift the numbers of what follows.
        """
        scope = _scope.get()
        return f"{scope.prefix}{next(scope.keys)}" if scope else ""

    async def run(self, name: str, workflow_id: str, argument: Any) -> Any:
        """Start, resume or join the workflow and wait for its result.

        Raises:
            RunStopped: It was stopped; it can be run again.
            AgentInfraError: What the workflow raised, now or in an earlier run.
            EngineError: The id belongs to another workflow or argument, or the engine cannot work.
        """
        joined = workflow_id in self._executions
        try:
            execution = await self._begin(name, workflow_id, argument)
            return await asyncio.shield(execution.outcome)
        except asyncio.CancelledError:
            if not joined:
                await self.cancel(workflow_id)
            raise

    async def start(self, name: str, workflow_id: str, argument: Any) -> None:
        """Start or resume the workflow without waiting; within a workflow it becomes a child of it.

        Raises:
            RunStopped: The calling workflow was stopped.
            EngineError: As for :meth:`run`.
        """
        await self._begin(name, workflow_id, argument)

    async def result(self, workflow_id: str) -> Any:
        """Wait for the outcome of a started workflow, or return a recorded one.

        Raises:
            RunStopped: It is not running here and has no outcome: it was stopped, or its process died.
            AgentInfraError: What the workflow raised.
            EngineError: There is no such workflow.
        """
        execution = self._executions.get(workflow_id)
        if execution is not None:
            return await asyncio.shield(execution.outcome)
        stored = await _apart(self._load(workflow_id))
        if stored is None:
            raise EngineError(f"There is no workflow {workflow_id}", next_step="Start it first")
        if stored.error is not None:
            raise stored.error
        if not stored.finished:
            raise stopped(workflow_id)
        return stored.value

    async def step(self, name: str, function: Callable[[], Awaitable[T]]) -> T:
        """Run the function and record its JSON result or error; on replay return that without running it.

        Outside a workflow, and within another step, the function just runs.

        Raises:
            RunStopped: The workflow was stopped, or the function asked to stop; nothing is recorded.
            EngineError: The result is no JSON, or the workflow's steps came in another order than before.
        """
        scope = _scope.get()
        if scope is None or scope.in_step:
            return await function()
        scope.execution.refuse_when_over()
        attempt = StepAttempt(name, scope.execution, next(scope.execution.steps), function)
        task = cast("asyncio.Task[Any]", asyncio.current_task())
        new = task not in scope.execution.tasks
        scope.execution.tasks.add(task)
        try:
            return cast("T", await self._record(attempt))
        except asyncio.CancelledError:
            if attempt.stopped is not None:
                raise attempt.stopped from None
            raise
        finally:
            if new:
                scope.execution.tasks.discard(task)

    async def cancel(self, workflow_id: str) -> None:
        """Stop the workflow and its children now, also in the middle of a step; they stay resumable.

        Raises:
            EngineError: Something in it ignored its cancellation for 5 s.
        """
        execution = self._executions.get(workflow_id)
        if execution is not None:
            await _until_over(execution.stop())

    async def close(self) -> None:
        """Stop what runs and release everything; safe to call twice."""
        await _until_over([below for execution in tuple(self._executions.values()) for below in execution.stop()])

    async def _begin(self, name: str, workflow_id: str, argument: Any) -> Execution:
        scope = _scope.get()
        if scope is not None:
            scope.execution.refuse_when_over()
        if name not in self._functions:
            raise EngineError(f"No workflow is registered as {name}", next_step="Register it before running it")
        while (known := self._executions.get(workflow_id)) is not None and known.stopping is not None:
            await asyncio.wait([known.outcome])
        if known is not None:
            _refuse_other(known, name, argument)
            return known
        execution = self._executions[workflow_id] = Execution(workflow_id, name, as_json(argument, workflow_id))
        if scope is not None:
            scope.execution.children.append(execution)
        await _apart(self._launch(execution))
        return execution

    async def _launch(self, execution: Execution) -> None:
        try:
            stored = await self._load(execution.id)
            if stored is None:
                await self._create(execution)
                return
            _refuse_other(stored, execution.name, execution.argument, execution.id)
            if not stored.finished:
                await self._resume(execution)
                return
        except BaseException as error:
            self._forget(execution, error=error)
            raise
        self._forget(execution, stored.value, stored.error)

    async def _perform(self, workflow_id: str) -> Any:
        """Call the workflow function; the engine's task that runs this records what comes out."""
        execution = self._executions[workflow_id]
        task = cast("asyncio.Task[Any]", asyncio.current_task())
        execution.tasks.add(task)
        task.add_done_callback(functools.partial(self._ended, execution))
        if execution.stopping is not None:
            raise asyncio.CancelledError
        _scope.set(_Scope(execution, f"{workflow_id}/", in_step=False))
        try:
            return as_json(await self._functions[execution.name](execution.argument), workflow_id)
        except RunStopped as reason:
            execution.stopping = reason
            raise asyncio.CancelledError from reason
        except Exception as error:
            _cancel_when_stopping(execution, error)
            raise as_engine_error(error, f"Workflow {workflow_id}") from error

    def _ended(self, execution: Execution, task: asyncio.Task[Any]) -> None:
        execution.tasks.discard(task)
        for child in execution.children:
            child.stop()
        for helper in tuple(execution.tasks):
            helper.cancel()
        if task.cancelled():
            self._forget(execution, error=execution.stopping or stopped(execution.id))
        elif (error := task.exception()) is not None:
            self._forget(execution, error=error)
        else:
            self._forget(execution, task.result())

    def _forget(self, execution: Execution, value: Any = None, error: BaseException | None = None) -> None:
        self._executions.pop(execution.id, None)
        execution.settle(value, error)

    @abstractmethod
    async def _load(self, workflow_id: str) -> Stored | None:
        """What is on record about the workflow."""

    @abstractmethod
    async def _create(self, execution: Execution) -> None:
        """Put a new workflow on record and run :meth:`_perform` in a task that records its outcome."""

    @abstractmethod
    async def _resume(self, execution: Execution) -> None:
        """Do the same for an unfinished workflow that is on record already."""

    @abstractmethod
    async def _record(self, attempt: StepAttempt) -> Any:
        """Return the step's recorded outcome, or run the attempt and record what comes out."""


class StepAttempt:
    """One call of a step's function, with everything that crosses the recording normalised."""

    def __init__(self, name: str, execution: Execution, number: int, function: Callable[[], Awaitable[Any]]) -> None:
        self.name = name
        self.execution = execution
        self.number = number
        self.stopped: RunStopped | None = None
        self._function = function

    async def run(self) -> Any:
        """Run the function.

        Raises:
            AgentInfraError: What it raised.
            CancelledError: It asked to stop, or was cancelled; this must not be recorded.
        """
        where = f"Step {self.name} of workflow {self.execution.id}"
        token = _scope.set(_Scope(self.execution, f"{self.execution.id}/{self.number}.", in_step=True))
        try:
            return as_json(await self._function(), where)
        except RunStopped as reason:
            self.stopped = reason
            raise asyncio.CancelledError from reason
        except Exception as error:
            _cancel_when_stopping(self.execution, error)
            raise as_engine_error(error, where) from error
        finally:
            _scope.reset(token)


def _cancel_when_stopping(execution: Execution, error: Exception) -> None:
    # What fails while it is being torn down failed because of that: an outcome on record would be final.
    if execution.stopping is not None:
        raise asyncio.CancelledError from error


def _refuse_other(known: Execution | Stored, name: str, argument: Any, workflow_id: str = "") -> None:
    if known.name != name or known.argument != as_json(argument, name):
        workflow_id = known.id if isinstance(known, Execution) else workflow_id
        raise EngineError(
            f"Workflow {workflow_id} exists with another name or argument",
            why=f"It was started as {known.name}",
            next_step="Give the new workflow its own id",
        )


async def _apart(work: Awaitable[T]) -> T:
    """Await in an empty context, so that the work is not taken for a part of the calling workflow."""

    async def call() -> T:
        return await work

    return await asyncio.shield(asyncio.create_task(call(), context=Context()))


async def _until_over(executions: list[Execution]) -> None:
    if not executions:
        return
    _, pending = await asyncio.wait([execution.outcome for execution in executions], timeout=STOP_SECONDS)
    if pending:
        names = ", ".join(execution.id for execution in executions if not execution.outcome.done())
        raise EngineError(f"Workflows did not stop within {STOP_SECONDS:.0f} s: {names}")
