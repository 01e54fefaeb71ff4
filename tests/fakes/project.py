"""A project and its workbench in memory: they do what the engine does, without git, sandbox and disk."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from agentinfra.agents.guidance import Guidance
from agentinfra.agents.project import AgentPath, Lock, Verdict, Workbench
from agentinfra.agents.test_suite import Case, Suite
from agentinfra.core.errors import PatchError, RunStopped
from agentinfra.core.events import EventKind
from agentinfra.core.interfaces import ChatModel
from agentinfra.core.tasks import Task, TaskState, in_order
from agentinfra.memory.long_term_memory import LongTermMemory
from agentinfra.memory.scopes import Scope
from agentinfra.models.scripted_model import ScriptedModel
from agentinfra.proof.report import TestOutcome, TestReport
from agentinfra.spec.requirements import Question, Spec


@dataclass
class FakeProject:
    """Implements :class:`agentinfra.agents.project.Project`.

    Attributes:
        default: The run's model, for agents that have none.
        attended: Whether a person can be asked.
        said: What that person says to every question; the recommendation where it is "".
        approves: Whether the person approves the specification.
        weak: Reason for which tests are refused, by task id, taken one after the other; none means that they hold.
        refused: Reason for which every submission is refused.
        tree: Merged files.
        learnt: What earlier work taught, by task id.
        around: What of the repository is to be known, by task id.
        memories: What the agents remember.
        guidance: What the repository asks.
        events: Kind, data and agent of every event.
    """

    path: Path = Path("project-without-files")
    idea: str = ""
    spec: Spec | None = None
    may_execute: bool = True
    attended: bool = False
    said: str = ""
    default: ChatModel = field(default_factory=lambda: ScriptedModel([]))
    approves: bool = True
    weak: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    refused: str = ""
    max_attempts: int = 3
    tree: dict[str, str] = field(default_factory=dict[str, str])
    learnt: dict[str, str] = field(default_factory=dict[str, str])
    around: dict[str, str] = field(default_factory=dict[str, str])
    memories: LongTermMemory | None = None
    guidance: Guidance = field(default_factory=Guidance)
    tasks: dict[str, Task] = field(default_factory=dict[str, Task])
    suites: dict[str, Suite] = field(default_factory=dict[str, Suite])
    proposed: list[Suite] = field(default_factory=list[Suite])
    settled: dict[str, TaskState] = field(default_factory=dict[str, TaskState])
    reasons: dict[str, str] = field(default_factory=dict[str, str])
    events: list[tuple[str, dict[str, Any], AgentPath]] = field(default_factory=list[Any])

    def model(self, own: ChatModel | None, purpose: AgentPath) -> ChatModel:
        return own or self.default

    async def emit(self, kind: EventKind, data: Mapping[str, Any], agent: AgentPath = ()) -> None:
        self.events.append((kind, dict(data), agent))

    async def ask(self, questions: Sequence[Question]) -> tuple[Question, ...]:
        return tuple(replace(question, answer=self.said or question.recommended) for question in questions)

    async def publish_spec(self, spec: Spec) -> Spec:
        if not self.approves:
            raise RunStopped("The specification was not approved")
        self.spec = replace(spec, status="approved")
        return self.spec

    def to_do(self, tasks: Sequence[Task]) -> Sequence[Task]:
        return tasks

    async def publish_tasks(self, tasks: Sequence[Task]) -> None:
        merged = {**self.tasks, **{task.id: task for task in tasks}}
        self.tasks = {task.id: task for task in in_order(tuple(merged.values()))}

    async def lock_tests(self, task: Task, suite: Suite) -> Lock:
        self.proposed.append(suite)
        reasons = self.weak.get(task.id, [])
        reason = reasons.pop(0) if reasons else "" if suite.cases else "there is not one usable test"
        if not reason:
            self.suites[task.id] = suite
        return Lock(suite, ok=not reason, reason=reason)

    async def delegate(self, work: Sequence[tuple[str, Callable[[], Awaitable[Any]]]]) -> None:
        await asyncio.gather(*(function() for _, function in work))

    async def run_tasks(self, tasks: Sequence[Task], work: Callable[[Workbench], Awaitable[Verdict]]) -> None:
        for task in in_order(tasks, others=self.tasks):
            self.settled[task.id] = await self._run(task, work)

    async def _run(self, task: Task, work: Callable[[Workbench], Awaitable[Verdict]]) -> TaskState:
        if any(self.settled.get(needed, TaskState.DONE) is not TaskState.DONE for needed in task.depends_on):
            return TaskState.SKIPPED
        if task.id not in self.suites:
            return TaskState.BLOCKED
        verdict = await work(FakeWorkbench(self, task, self.suites[task.id]))
        self.reasons[task.id] = verdict.reason
        return TaskState.DONE if verdict.done else TaskState.BLOCKED

    async def lessons(self, task: Task) -> str:
        return self.learnt.get(task.id, "")

    async def surroundings(self, task: Task) -> str:
        return self.around.get(task.id, "")

    def memory(self, agent: AgentPath) -> LongTermMemory:
        assert self.memories is not None
        return self.memories.within(Scope("run", agent))

    async def states(self, tasks: Sequence[Task]) -> Mapping[str, TaskState]:
        return {task.id: self.settled.get(task.id, TaskState.PENDING) for task in tasks}


@dataclass
class FakeWorkbench:
    """Implements :class:`agentinfra.agents.project.Workbench`; tests are run on the spot, in this process.

    Attributes:
        tried: The files of every try, and the number of the try.
        relocked: Reasons for which tests were replaced.
        evidence: Why an earlier version was sent back.
    """

    project: FakeProject
    task: Task
    suite: Suite
    tried: list[tuple[Mapping[str, str], int]] = field(default_factory=list[Any])
    relocked: list[str] = field(default_factory=list[str])
    evidence: str = ""

    @property
    def spec(self) -> Spec:
        assert self.project.spec is not None
        return self.project.spec

    @property
    def max_attempts(self) -> int:
        return self.project.max_attempts

    async def read(self, path: str) -> str:
        return self.project.tree.get(path, "")

    async def try_files(self, files: Mapping[str, str], *, attempt: int, agent: AgentPath) -> TestReport:
        if any(".." in path for path in files):
            raise PatchError("A path leads out of the project")
        self.tried.append((dict(files), attempt))
        return run_suite(self.suite, files)

    async def relock(self, suite: Suite, reason: str) -> Lock:
        self.relocked.append(reason)
        self.suite = suite
        return Lock(suite, ok=bool(suite.cases))

    async def submit(self, files: Mapping[str, str]) -> Verdict:
        report = run_suite(self.suite, files)
        if self.project.refused or not report.all_passed:
            return Verdict(False, reason=self.project.refused or "The locked tests do not pass")
        self.project.tree.update(files)
        return Verdict(True, commit=f"commit-of-{self.task.id}")


def run_suite(suite: Suite, files: Mapping[str, str]) -> TestReport:
    """Run the cases of a suite on the module under test, with pytest's messages."""
    source = files.get(f"{suite.module.replace('.', '/')}.py", "")
    outcomes = tuple(_outcome(suite, case, source) for case in suite.cases)
    failed = any(outcome.outcome != "passed" for outcome in outcomes)
    return TestReport(outcomes, int(failed), 0.0)


def _outcome(suite: Suite, case: Case, source: str) -> TestOutcome:
    example, names = case.example, dict[str, Any]()
    try:
        exec("\n".join((source, *example.setup)), names)
        actual, expected = eval(example.call, names), eval(example.value, names)
    except Exception as error:
        right = example.expect == "raises" and type(error).__name__ == example.value
        return TestOutcome(suite.test_id(case), "passed" if right else "failed", f"{type(error).__name__}: {error}")
    if example.expect == "raises":
        message = f"Failed: DID NOT RAISE <class '{example.value}'>"
        return TestOutcome(suite.test_id(case), "failed", message, kind="assertion")
    message = f"assert {actual!r} == {expected!r}"
    return TestOutcome(suite.test_id(case), "passed" if actual == expected else "failed", message, kind="assertion")
