"""A run: the engine's side of the project that agents work in.

Agents propose; everything that counts (approval, RED, GREEN, merge, states) is done and recorded here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from agentinfra.agents.guidance import Guidance
from agentinfra.agents.project import AgentPath, Lock, Verdict, Workbench
from agentinfra.agents.test_suite import Suite
from agentinfra.core.errors import BudgetExceeded, ConfigError, RunStopped, WorkspaceError
from agentinfra.core.events import EventDraft, EventKind
from agentinfra.core.interfaces import ChatModel
from agentinfra.core.tasks import Task, TaskState, in_order
from agentinfra.spec.document import parse, render
from agentinfra.spec.front_matter import body_sha, with_front_matter
from agentinfra.spec.requirements import Question, Spec
from agentinfra.workflow.approval import approval, as_draft
from agentinfra.workflow.bench import TaskBench
from agentinfra.workflow.change_request import kept_by
from agentinfra.workflow.durable_model import DurableModel
from agentinfra.workflow.merge_queue import MergeQueue
from agentinfra.workflow.red import LockedTests, prove_red
from agentinfra.workflow.repository_guidance import describe_delta, there_at
from agentinfra.workflow.run_options import RunOptions
from agentinfra.workflow.run_parts import RunParts
from agentinfra.workflow.run_state import RunState, reduce
from agentinfra.workflow.steered_model import Instructions, SteeredModel, task_in
from agentinfra.workflow.task_data import task_data
from agentinfra.workflow.turns import Turns

if TYPE_CHECKING:
    from agentinfra.memory.long_term_memory import LongTermMemory

T = TypeVar("T")
MAX_RETURNS = 3  # how often the merge queue may send a task back
Work = Callable[..., Awaitable[Any]]


@dataclass
class Run:
    """One run, from idea to report; implements :class:`agentinfra.agents.project.Project`."""

    id: str
    options: RunOptions
    parts: RunParts
    spec: Spec | None = None
    tasks: dict[str, Task] = field(default_factory=dict[str, Task])
    locks: dict[str, LockedTests] = field(default_factory=dict[str, LockedTests])
    start: str = ""
    guidance: Guidance = field(default_factory=Guidance)
    _states: dict[str, TaskState] = field(default_factory=dict[str, TaskState])
    _settled: dict[str, asyncio.Event] = field(default_factory=dict[str, asyncio.Event])
    _work: dict[str, Work] = field(default_factory=dict[str, Work])

    def __post_init__(self) -> None:
        self._turns = Turns(self.parts.parallel, self.place)
        self._prefix = self.id  # of the workflows of its engineers and tasks
        self._again: frozenset[str] | None = None
        self._instructions = Instructions(self.parts.log, self.id)
        self.queue = MergeQueue(self.parts.git, self.parts.runner, self.id, self.parts.commit_date)
        self.parts.engine.register("work", self._run_work)
        self.parts.engine.register("task", self._run_task)

    @property
    def path(self) -> Path:
        """The workspace."""
        return self.parts.git.root

    @property
    def idea(self) -> str:
        """What the person asked for."""
        return self.options.idea

    @property
    def may_execute(self) -> bool:
        """Whether the mode lets the run write code; planning does not."""
        return self.options.mode != "plan"

    @property
    def attended(self) -> bool:
        """Whether a person answers what is asked in the middle of the work."""
        return not self.options.yes and self.options.mode != "unattended"

    def place(self, task_id: str) -> int:
        """A task's place in the graph: each comes after those that it needs."""
        return [*self.tasks].index(task_id)

    def waiting(self, task_id: str) -> AbstractAsyncContextManager[None]:
        """While the task waits to be merged, another one may work."""
        return self._turns.pause(task_id)

    def model(self, own: ChatModel | None, purpose: AgentPath) -> ChatModel:
        """The model to ask, durable and on the log."""

        async def emit(kind: EventKind, data: Mapping[str, Any]) -> None:
            await self.emit(kind, data, purpose)

        heard = SteeredModel(self.parts.model_for(own), self._instructions, task_in(purpose[-1] if purpose else ""))
        return DurableModel(heard, self.parts.engine, emit)

    async def emit(self, kind: EventKind, data: Mapping[str, Any], agent: AgentPath = ()) -> None:
        """Put an event on the log; a replayed one is dropped there."""
        draft = EventDraft(kind, data, agent, self.parts.engine.next_key())
        await asyncio.to_thread(self.parts.log.append, self.id, draft)

    def view(self) -> RunState:
        """The run's state by its events."""
        return reduce(self.parts.log.read(self.id))

    async def step(self, name: str, function: Callable[[], Awaitable[T]]) -> T:
        """A durable step; what a person can mend (disk, repository) stops the run instead of being recorded."""

        async def guarded() -> T:
            try:
                return await function()
            except WorkspaceError as error:
                way = f"{error.next_step}, then go on with `agentinfra resume`"
                raise RunStopped(error.what, why=error.why, next_step=way) from error
            except OSError as error:
                raise RunStopped(
                    f"{name} failed", why=str(error), next_step="Mend it, then go on with `agentinfra resume`"
                ) from error

        return await self.parts.engine.step(name, guarded)

    async def ask(self, questions: Sequence[Question]) -> tuple[Question, ...]:
        """Ask the person, one question at a time."""
        answered: list[Question] = []
        for question in questions:
            data = {"id": question.id, "text": question.text, "why": question.why}
            offered = {"options": list(question.options), "recommended": question.recommended}
            await self.emit("question", {**data, **offered}, ("planner",))
            answer = await self.step(f"answer {question.id}", lambda one=question: self.parts.human.answer(one))
            by = "recommended" if self.options.yes else "person"
            await self.emit("answer", {"id": question.id, "text": answer, "by": by}, ("planner",))
            answered.append(replace(question, answer=answer))
        return tuple(answered)

    async def publish_spec(self, spec: Spec) -> Spec:
        """Write the draft, wait for approval, and commit what was approved.

        Raises:
            RunStopped: The person rejected it.
        """
        change = self.options.change
        # A person's own document keeps every byte; a planner's is written here.
        text = render(replace(spec, id=self.id)) if change is None else as_draft(change.edited, self.id)
        await self._tell_today(spec)
        await self._tell_spec(spec, "draft")
        await self.emit("state_update", {"state": "awaiting_approval"})
        approved = await approval(self, text)
        await self.emit("approval", {"spec_sha": approved.sha, "by": approved.by})
        self.spec = parse(approved.text) if change is None else change.spec(approved.text)
        await self._tell_spec(self.spec, "approved")
        await self.step("commit spec", lambda: self._commit_spec(approved.text))
        await self.emit("state_update", {"state": "building"})
        return self.spec

    def to_do(self, tasks: Sequence[Task]) -> Sequence[Task]:
        """All tasks; in a run that changes an earlier one those that are stale; in a round those to do again."""
        if self._again is not None:
            return [task for task in tasks if task.id in self._again]
        if self.options.change is None or self.spec is None:
            return tasks
        if self.tasks:
            return [self.tasks[task.id] for task in tasks if task.id in self.tasks]
        return self.options.change.to_do(self.spec, tasks)

    async def publish_tasks(self, tasks: Sequence[Task]) -> None:
        """Add tasks to the graph.

        Raises:
            SpecError: The graph has a cycle or unknown ids.
        """
        merged = {**self.tasks, **{task.id: task for task in tasks}}
        if merged == self.tasks:
            return
        self.tasks = {task.id: task for task in in_order(tuple(merged.values()))}
        shown = [task_data(task) for task in self.tasks.values()]
        await self.emit("plan_update", {"tasks": shown}, ("planner", tasks[0].engineer) if tasks else ())

    async def lock_tests(self, task: Task, suite: Suite) -> Lock:
        """Prove the tests RED against empty bodies and lock them."""
        if self._is_kept(task):
            return Lock(suite, ok=True)
        lock, locked = await prove_red(self, task, suite)
        if locked is not None:
            self.locks[task.id] = locked
            await self.set_state(task, TaskState.RED)
        return lock

    async def delegate(self, work: Sequence[tuple[str, Callable[[], Awaitable[Any]]]]) -> None:
        """Run the pieces of work as workflows of their own, side by side."""
        for name, _ in work:
            self._turns.begin(f"{self._prefix}.{name}")
        for name, function in work:
            self._work[name] = function
            await self.parts.engine.start("work", f"{self._prefix}.{name}", {"work": name})
        await asyncio.gather(*(self._finish(name) for name, _ in work))

    async def run_tasks(self, tasks: Sequence[Task], work: Callable[[Workbench], Awaitable[Verdict]]) -> None:
        """Run the tasks, each as a workflow of its own that waits for those it needs."""
        ordered = in_order([task for task in tasks if not self._is_kept(task)], others=self.tasks)
        self._turns.hand_in(self.parts.engine.workflow_id, ordered)
        for task in ordered:
            self._work[task.id] = work
            await self.parts.engine.start("task", f"{self._prefix}.{task.id}", {"task": task.id})
        for task in ordered:
            outcome = await self.parts.engine.result(f"{self._prefix}.{task.id}")
            self.settle(task.id, TaskState(outcome["state"]))

    async def lessons(self, task: Task) -> str:
        """What the run and earlier work taught that fits the task."""
        memory = self.parts.memory
        if memory is None or not memory.is_told:
            return ""
        return await self.step(f"lessons {task.id}", lambda: memory.recall(task))

    async def surroundings(self, task: Task) -> str:
        """What of the repository fits the task, by the workspace's index."""
        context = self.parts.context
        if context is None:
            return ""
        changing = {file for other in self.tasks.values() if other.id != task.id for file in other.files}
        return await self.step(f"context {task.id}", lambda: context.around(task, self.spec, sorted(changing)))

    def memory(self, agent: AgentPath) -> LongTermMemory:
        """An agent's memory in this run; see :class:`agentinfra.agents.project.Project`."""
        if self.parts.memory is None:
            raise ConfigError("The run has no memory", next_step="Start it with agentinfra.app.App")
        return self.parts.memory.of(agent)

    async def states(self, tasks: Sequence[Task]) -> Mapping[str, TaskState]:
        """The states of the tasks."""
        return {task.id: self._states.get(task.id, TaskState.PENDING) for task in tasks}

    def settle(self, task_id: str, state: TaskState) -> None:
        """Let those that wait for the task go on."""
        self._states[task_id] = state
        self._settled.setdefault(task_id, asyncio.Event()).set()
        self._turns.settle(task_id)

    def settle_finished(self, state: RunState) -> None:
        """After a resume: what is over by the log is not waited for."""
        for task in state.tasks:
            if task.state.is_final:
                self.settle(task.id, task.state)

    def open_again(self, prefix: str, tasks: Sequence[str]) -> None:
        """Let tasks that were over be done once more, and only these, as workflows with another prefix."""
        self._prefix, self._again = prefix, frozenset(tasks)
        for name in tasks:
            for known in (self._states, self._settled, self.locks):
                known.pop(name, None)
        self._turns = Turns(self.parts.parallel, self.place)
        for name in self._states:
            self._turns.settle(name)

    def note_resumed(self) -> None:
        """Put on record that the work goes on, in the phase that it was in; has no key, it may happen many times."""
        phases = [event.data["state"] for event in self.parts.log.read(self.id) if event.kind == "state_update"]
        phase = next((phase for phase in reversed(phases) if phase != "stopped"), "planning")
        self.parts.log.append(self.id, EventDraft("state_update", {"state": phase, "resumed": True}))

    async def set_state(self, task: Task, state: TaskState, **details: Any) -> None:
        """Record a task's state; only the engine's own code calls this."""
        if not self._states.get(task.id, TaskState.PENDING).is_final:
            # After a resume the steps of a finished task are passed through once more.
            self._states[task.id] = state
        await self.emit("agent_state", {"task": task.id, "state": state.value, **details}, ("planner", task.engineer))

    def _is_kept(self, task: Task) -> bool:
        return self._again is not None and task.id not in self._again

    async def _run_work(self, argument: Mapping[str, Any]) -> None:
        try:
            await self._work[argument["work"]]()
        finally:
            self._turns.end(self.parts.engine.workflow_id)

    async def _finish(self, name: str) -> None:
        """Wait for an engineer; tasks that it left undone are cancelled, so that nobody waits for them for ever."""
        await self.parts.engine.result(f"{self._prefix}.{name}")
        for task in self.tasks.values() if self.may_execute else ():
            if task.engineer == name and not self._states.get(task.id, TaskState.PENDING).is_final:
                await self.set_state(task, TaskState.CANCELLED, reason=f"{name} did not assign it")
                self.settle(task.id, TaskState.CANCELLED)

    async def _run_task(self, argument: Mapping[str, Any]) -> dict[str, str]:
        task = self.tasks[argument["task"]]
        for needed in (*task.depends_on, *task.after):
            await self._settled.setdefault(needed, asyncio.Event()).wait()
        state, details = await self._perform(task)
        await self.set_state(task, state, **details)
        self.settle(task.id, state)
        return {"state": state.value, **details}

    async def _perform(self, task: Task) -> tuple[TaskState, dict[str, str]]:
        missing = [needed for needed in task.depends_on if self._states[needed] is not TaskState.DONE]
        if missing:
            return TaskState.SKIPPED, {"reason": f"needs {', '.join(missing)}"}
        if task.id not in self.locks:
            return TaskState.BLOCKED, {"reason": "Its tests prove nothing: a trivial implementation passes them"}
        async with self._turns.turn(task.id):
            try:
                async with self.parts.leases.hold():
                    verdict = await self._work_on(task)
            except BudgetExceeded as limit:
                return TaskState.BLOCKED, {"reason": str(limit)}
            finally:
                self.queue.abandon(task.id)
                await self.parts.git.remove_worktree(f"{self.id}-{task.id}")
        if verdict.done:
            return TaskState.DONE, {"commit": verdict.commit}
        return TaskState.BLOCKED, {"reason": verdict.reason}

    async def _work_on(self, task: Task) -> Verdict:
        """Have the task done; what was sent back by the merge queue is done again on top of what is merged by then."""
        verdict = Verdict(False)
        for number in range(MAX_RETURNS + 1):
            # The worktree is cut now and not earlier, so that it shows what is merged so far.
            bench = await TaskBench.open(self, task, self.locks[task.id], verdict.evidence)
            details = {"reason": f"sent back for the {number}. time: {verdict.reason}"} if number else {}
            await self.set_state(task, TaskState.CODING, attempt=1, max_attempts=self.parts.max_attempts, **details)
            verdict = await self._work[task.id](bench)
            if verdict.done or not verdict.evidence:
                return verdict
        return replace(verdict, reason=f"{verdict.reason}; sent back {MAX_RETURNS + 1} times")

    async def _commit_spec(self, text: str) -> str:
        stamped = with_front_matter(text, id=self.id, status="approved", approved=body_sha(text))
        files = {"spec.md": stamped, **await self.parts.files.missing_test_configuration(self.parts.git, self.start)}
        trailers = {"AgentInfra-Run": self.id}
        return await self.parts.git.commit_files(
            self.id, files, "Specification", trailers=trailers, date=self.parts.commit_date
        )

    async def _tell_today(self, spec: Spec) -> None:
        """Say what of the specification is in the code already, where a run plans in a repository that has some."""
        if self.options.change is None:
            found = await there_at(self.parts.git, self.start, spec)
            if found is not None:
                await self.emit("notice", {"level": "info", "text": describe_delta(spec, found)}, ("planner",))

    async def _tell_spec(self, spec: Spec, status: str) -> None:
        change = self.options.change
        kept = kept_by(change, spec)
        drafts = change.change(spec).affected if change else ()
        requirements = [
            {
                "id": one.id,
                "title": one.title,
                "examples": len(one.examples),
                "grounded": sum(example.ground.is_firm for example in one.examples),
                **({"kept": kept[one.id]} if one.id in kept else {}),
                **({"status": "draft" if one.id in drafts and status == "draft" else "approved"} if change else {}),
            }
            for one in spec.requirements
        ]
        path = str(self.parts.files.spec_path)
        data = {
            "title": spec.title,
            "path": path,
            "sha": body_sha(render(spec)),
            "status": status,
            "requirements": requirements,
        }
        await self.emit("plan_update", {"spec": data}, ("planner",))
