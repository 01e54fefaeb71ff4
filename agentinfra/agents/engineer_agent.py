"""EngineerAgent: makes the tasks of its area, writes their tests first, and has MicroAgents write the code."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from agentinfra.agents.base_agent import BaseAgent
from agentinfra.agents.briefing import describe_cases, describe_neighbours, neighbours, requirements_of, rules
from agentinfra.agents.case_writer import propose_cases
from agentinfra.agents.micro_agent import MicroAgent
from agentinfra.agents.project import AgentPath, Lock, Project, Verdict, Workbench, project_of
from agentinfra.agents.task_planning import tasks_for
from agentinfra.agents.test_suite import Suite, build_suite, module_name, symbol_name
from agentinfra.core.doors import door, wait
from agentinfra.core.errors import ConfigError, ReplyError
from agentinfra.core.interfaces import ChatModel
from agentinfra.core.tasks import Task, TaskState
from agentinfra.spec.requirements import Area, Example, Spec

MAX_TEST_ROUNDS = 2  # how often the model is asked for stronger tests before a task is given up


class EngineerAgent(BaseAgent):
    """Owns one area of a project: plans its tasks, writes their tests, hands them to MicroAgents, checks the result.

    Args:
        name: How the engineer is shown.
        model: The model for everything that has none of its own.
        planning_model: The model that plans tasks and writes tests.
        analysis_model: A second model for a subclass's own analysis; code against test is judged without a model.
        area: The requirements that it takes: "backend" or "frontend".
    """

    def __init__(
        self,
        name: str = "Engineer",
        model: ChatModel | None = None,
        tools: Sequence[Any] | None = None,
        *,
        planning_model: ChatModel | None = None,
        analysis_model: ChatModel | None = None,
        area: Area | None = None,
        **seats: Any,
    ) -> None:
        super().__init__(name, model, tools, **seats)
        self.planning_model = planning_model or model
        self.analysis_model = analysis_model or model
        self.area: Area = area or ("frontend" if "front" in name.lower() else "backend")
        self.tasks: list[Task] = []
        self.results: Mapping[str, TaskState] = {}
        self._spec: Spec | None = None
        self.sub_agents: list[BaseAgent] = [*self.sub_agents] or [MicroAgent()]

    @property
    def path(self) -> AgentPath:
        """Where the engineer stands in the hierarchy, for events."""
        return ("planner", self.name)

    @property
    def project(self) -> Project:
        """The project that the engineer works in.

        Raises:
            ConfigError: It has none.
        """
        return project_of(self.name, self.environment)

    @property
    def spec(self) -> Spec:
        """The specification at hand: the one that tasks were planned from, otherwise the project's.

        Raises:
            ConfigError: There is none yet.
        """
        spec = self._spec or self.project.spec
        if spec is None:
            raise ConfigError(f"{self.name} has no specification", next_step="Call execute(specifications)")
        return spec

    async def adecide(self) -> list[Task]:
        """Plan the tasks of the specification that was perceived."""
        self._spec = self.perceived
        return await self._do("plan_tasks", self.aplan_tasks, self.perceived)

    async def aact(self) -> Mapping[str, TaskState]:
        """Write the tests, have the code written, and check the result."""
        tasks = self.decision
        await self._do("create_tests", self.acreate_tests, tasks)
        await self._do("assign_tasks_to_micro_agents", self.aassign_tasks_to_micro_agents, tasks)
        return await self._do("validate_results", self.avalidate_results)

    @door
    def execute(self, specifications: Spec) -> Any:
        """Do the engineer's whole part of the job for a specification."""
        return wait(self._native("aexecute", self._execute, specifications), "await engineer.aexecute(specifications)")

    @door
    async def aexecute(self, specifications: Spec) -> Any:
        """Do the engineer's whole part of the job."""
        return await self._do("execute", self._execute, specifications)

    async def _execute(self, specifications: Spec) -> Any:
        return await self.arun(specifications)

    @door
    def plan_tasks(self, specifications: Spec) -> list[Task]:
        """Make the task graph for this engineer's requirements."""
        return wait(self.aplan_tasks(specifications), "await engineer.aplan_tasks(specifications)")

    async def aplan_tasks(self, specifications: Spec) -> list[Task]:
        """Make the task graph for this engineer's requirements and publish it.

        Raises:
            SpecError: The graph has a cycle.
        """
        self._spec = specifications
        self.tasks = []
        return await self._take(self.project.to_do(tasks_for(specifications, self.area, self.name)))

    @door
    def create_tests(self, tasks: Sequence[Task]) -> None:
        """Write the tests of the tasks and have the engine prove them RED."""
        wait(self.acreate_tests(tasks), "await engineer.acreate_tests(tasks)")

    async def acreate_tests(self, tasks: Sequence[Task]) -> None:
        """Write the tests of the tasks and have the engine prove them RED, one task after the other.

        Where the run only plans, nothing is done.
        """
        await self._take(tasks)
        if self.project.may_execute:
            for task in tasks:
                await self._test(task)

    @door
    def assign_tasks_to_micro_agents(self, tasks: Sequence[Task]) -> None:
        """Have MicroAgents write the code of the tasks."""
        wait(self.aassign_tasks_to_micro_agents(tasks), "await engineer.aassign_tasks_to_micro_agents(tasks)")

    async def aassign_tasks_to_micro_agents(self, tasks: Sequence[Task]) -> None:
        """Have MicroAgents write the code of the tasks, in parallel where the graph allows.

        Where the run only plans, nothing is done.
        """
        await self._take(tasks)
        if self.project.may_execute:
            await self.project.run_tasks(tasks, self._work)

    @door
    def validate_results(self) -> Mapping[str, TaskState]:
        """What became of the tasks, by the engine's own record."""
        return wait(self.avalidate_results(), "await engineer.avalidate_results()")

    async def avalidate_results(self) -> Mapping[str, TaskState]:
        """What became of the tasks, by the engine's own record."""
        self.results = await self.project.states(self.tasks)
        return self.results

    async def _take(self, tasks: Sequence[Task]) -> list[Task]:
        """Publish what is new among the tasks: a subclass may have planned them in its own way."""
        new = [task for task in tasks if task not in self.tasks]
        if new:
            await self.project.publish_tasks(new)
            self.tasks += new
        return [*self.tasks]

    async def _work(self, bench: Workbench) -> Verdict:
        """One task: a MicroAgent's tries, then judgement of code against test.

        Where the code is at fault the next of the engineer's workers tries, with what was tried before it.
        """
        micro = MicroAgent()
        for worker in self.sub_agents:
            if not isinstance(worker, MicroAgent):
                return _as_verdict(await worker.arun(bench))
            tried = micro.candidates
            micro = worker.for_task(self.project, (*self.path, f"{worker.name}:{bench.task.id}"))
            micro.candidates = [*tried]
            verdict = await micro.arun(bench) or await micro.settle()
            if verdict:
                return _as_verdict(verdict)
        return Verdict(False, reason=_why_blocked(micro, bench))

    async def _test(self, task: Task) -> Lock:
        requirements = requirements_of(task, self.spec)
        examples = [(one.id, example) for one in requirements for example in one.examples]
        complaint = ""
        lock = Lock(self._suite(task, examples), ok=False)
        for round_number in range(MAX_TEST_ROUNDS + 1):
            # A small model's own cases are mostly wrong: it is asked only where the examples prove too little.
            if round_number or not (examples and self._size == "compact"):
                examples += await self._propose(task, examples, complaint)
            lock = await self.project.lock_tests(task, self._suite(task, examples))
            if lock.ok:
                break
            complaint = f"The tests so far are too weak: {lock.reason}."
        return lock

    @property
    def _size(self) -> str:
        return self.project.model(self.planning_model, self.path).profile.prompts

    def _guidance(self, task: Task) -> str:
        return self.project.guidance.block(self._size, task.files[0])

    def _suite(self, task: Task, examples: Sequence[tuple[str, Example]]) -> Suite:
        others = tuple(
            (module, tuple(symbol_name(signature) for signature in signatures))
            for module, signatures in neighbours(task, self.spec)
        )
        ranked = sorted(examples, key=lambda pair: not pair[1].ground.is_firm)
        return build_suite(_test_path(task, self.project.guidance.tests), task.files[0], task.symbols, ranked, others)

    async def _propose(
        self, task: Task, examples: Sequence[tuple[str, Example]], complaint: str
    ) -> list[tuple[str, Example]]:
        requirements = requirements_of(task, self.spec)
        values = {
            "rules": rules(requirements),
            "context": describe_neighbours(task, self.spec) + self._guidance(task),
            "examples": describe_cases(self._suite(task, examples).cases) or "none",
            "signature": ", ".join(task.symbols) or task.files[0],
            "complaint": complaint,
        }
        try:
            proposed = await propose_cases(
                self.project.model(self.planning_model, self.path),
                "cases",
                f"tests {task.id}",
                values,
                self.spec,
                program=task.is_program,
            )
        except ReplyError as error:
            await self.project.emit(
                "notice", {"level": "warning", "text": f"{task.id}: no further tests: {error}"}, self.path
            )
            return []
        return [(requirements[0].id, example) for example in proposed]


def _test_path(task: Task, folder: str) -> str:
    words = [*module_name(task.files[0]).split("."), *(symbol_name(signature) for signature in task.symbols[:1])]
    name = f"test_{re.sub(r'[^a-z0-9]+', '_', '_'.join(words).lower()).strip('_')}.py"
    return f"{folder}/{name}" if folder else name


def _why_blocked(micro: MicroAgent, bench: Workbench) -> str:
    if not micro.candidates:
        return "No reply held code that could be used"
    if micro.refusal:
        return micro.refusal
    best = max(candidate.report.passed for candidate in micro.candidates)
    total = len(bench.suite.cases)
    told = f"The best of {len(micro.candidates)} candidates passes {best} of {total} tests"
    return f"{told}. {micro.ruling.reason}" if micro.ruling.reason else told


def _as_verdict(answer: object) -> Verdict:
    """A worker's answer; only what the engine said counts, whatever a worker of one's own returns."""
    if isinstance(answer, Verdict):
        return answer
    return Verdict(False, reason=f"The worker answered {answer!r:.100} instead of the workbench's verdict")
