"""What agents need of the engine: the project, and a workbench for each task.

The engine (``agentinfra.workflow``) implements these; an agent never changes a state, runs code or writes a file
except through them. That is what makes an agent replaceable: whatever it says, the proof is the engine's.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from agentinfra.agents.guidance import Guidance
from agentinfra.agents.test_suite import Suite
from agentinfra.core.errors import ConfigError
from agentinfra.core.events import EventKind
from agentinfra.core.interfaces import ChatModel
from agentinfra.core.tasks import Task, TaskState
from agentinfra.proof.report import TestReport
from agentinfra.spec.requirements import Question, Spec

if TYPE_CHECKING:
    from agentinfra.memory.long_term_memory import LongTermMemory

AgentPath = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Lock:
    """The engine's answer to proposed tests.

    Attributes:
        suite: The cases that are locked; those that no implementation could fail are gone.
        ok: Whether they prove something: RED on an assertion, and no trivial implementation passes.
        reason: Why not.
        survivors: Trivial implementations that pass the tests ("empty", "constant", "identity").
    """

    suite: Suite
    ok: bool
    reason: str = ""
    survivors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """The engine's answer to a submitted implementation: merged as ``commit``, or refused with the reason.

    Attributes:
        done: Whether it is merged.
        commit: Its commit.
        reason: Why it was refused.
        evidence: Where it was refused only beside what was merged meanwhile: the conflict, or the failing tests. The
            task is then done again on top of that; whoever gets such a verdict returns it.
    """

    done: bool
    commit: str = ""
    reason: str = ""
    evidence: str = ""


class Workbench(Protocol):
    """A task's own worktree with its locked tests; everything in it is recorded."""

    @property
    def task(self) -> Task:
        """The task at hand."""
        ...

    @property
    def suite(self) -> Suite:
        """Its locked tests."""
        ...

    @property
    def spec(self) -> Spec:
        """The approved spec."""
        ...

    @property
    def max_attempts(self) -> int:
        """How many tries the task has."""
        ...

    @property
    def evidence(self) -> str:
        """Why an earlier version of this task was sent back when it was to be merged; "" at first."""
        ...

    async def read(self, path: str) -> str:
        """Text of a file in the worktree; empty when there is none."""
        ...

    async def try_files(self, files: Mapping[str, str], *, attempt: int, agent: AgentPath) -> TestReport:
        """Put the files into the worktree and run the locked tests.

        Raises:
            PatchError: The change was refused; the worktree is as before.
        """
        ...

    async def relock(self, suite: Suite, reason: str) -> Lock:
        """Replace the tests by fewer, with the reason on record; they are proven RED again."""
        ...

    async def submit(self, files: Mapping[str, str]) -> Verdict:
        """Prove the files GREEN against the locked tests and merge them."""
        ...


class Project(Protocol):
    """A run, as the agents of its hierarchy see it."""

    @property
    def path(self) -> Path:
        """The workspace; agents do not write to it."""
        ...

    @property
    def idea(self) -> str:
        """What the person asked for."""
        ...

    @property
    def spec(self) -> Spec | None:
        """The approved specification, as the person left it; None before."""
        ...

    @property
    def guidance(self) -> Guidance:
        """What the repository asks of those who work in it; read before anything is planned."""
        ...

    @property
    def may_execute(self) -> bool:
        """Whether the mode lets the run write and run code; planning alone does not."""
        ...

    def model(self, own: ChatModel | None, purpose: AgentPath) -> ChatModel:
        """The model to ask: the agent's own (or the run's, for None), budgeted, recorded and durable.

        Args:
            own: The agent's model.
            purpose: Path of the asking agent, for events.
        """
        ...

    async def emit(self, kind: EventKind, data: Mapping[str, Any], agent: AgentPath = ()) -> None:
        """Put an event on the log."""
        ...

    @property
    def attended(self) -> bool:
        """Whether a person answers what is asked in the middle of the work."""
        ...

    async def ask(self, questions: Sequence[Question]) -> tuple[Question, ...]:
        """Put the questions to the person, one at a time; they come back answered."""
        ...

    async def publish_spec(self, spec: Spec) -> Spec:
        """Write spec.md, have it approved, and return it as the person left it.

        Raises:
            RunStopped: The person rejected it.
        """
        ...

    def to_do(self, tasks: Sequence[Task]) -> Sequence[Task]:
        """Those of the tasks that the run has to do: all, but where it changes what is there already."""
        ...

    async def publish_tasks(self, tasks: Sequence[Task]) -> None:
        """Add tasks to the graph and to tasks.md.

        Raises:
            SpecError: The graph has a cycle or unknown ids.
        """
        ...

    async def lock_tests(self, task: Task, suite: Suite) -> Lock:
        """Prove the tests RED and lock them by hash; call again with better ones when refused."""
        ...

    async def delegate(self, work: Sequence[tuple[str, Callable[[], Awaitable[Any]]]]) -> None:
        """Run the named pieces of work, each as a durable workflow of its own, and wait for all."""
        ...

    async def run_tasks(self, tasks: Sequence[Task], work: Callable[[Workbench], Awaitable[Verdict]]) -> None:
        """Run the work for every task in a worktree of its own, in parallel where the graph allows."""
        ...

    async def lessons(self, task: Task) -> str:
        """What earlier work taught that fits the task, as a prompt shows it; "" where nothing is known."""
        ...

    async def surroundings(self, task: Task) -> str:
        """What of the repository somebody should know before the task, each piece with its source; "" for nothing."""
        ...

    def memory(self, agent: AgentPath) -> LongTermMemory:
        """An agent's memory in this run: its own, what those above it share, and what was learnt before.

        Args:
            agent: Its path; only what it remembers with ``share=True`` is seen by those below it.

        Raises:
            ConfigError: The run has no memory.
        """
        ...

    async def states(self, tasks: Sequence[Task]) -> Mapping[str, TaskState]:
        """The tasks' states, from the event log."""
        ...


def project_of(agent: str, environment: Any) -> Project:
    """An agent's environment, which has to be its project.

    Raises:
        ConfigError: It has none.
    """
    if environment is None:
        raise ConfigError(f"{agent} has no project", next_step="Start it with a planner's plan_project(idea)")
    return environment
