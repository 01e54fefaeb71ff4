"""PlannerAgent: turns an idea into an approved specification and hands it to its engineers."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import wraps
from importlib.metadata import entry_points
from typing import Any

from agentinfra.agents.base_agent import BaseAgent
from agentinfra.agents.briefing import describe_examples_of_others, with_answers
from agentinfra.agents.case_writer import propose_cases
from agentinfra.agents.engineer_agent import EngineerAgent
from agentinfra.agents.outline import anchors_text, outline
from agentinfra.agents.project import AgentPath, Project, project_of
from agentinfra.agents.prompt_files import load
from agentinfra.agents.replies import OpenQuestion, OpenQuestions, Plan
from agentinfra.agents.task_planning import tasks_for
from agentinfra.agents.test_suite import normal
from agentinfra.core.doors import door, wait
from agentinfra.core.errors import ConfigError, ReplyError
from agentinfra.core.interfaces import ChatModel
from agentinfra.core.messages import ChatRequest
from agentinfra.core.tasks import in_order
from agentinfra.models.structured import complete_as
from agentinfra.spec.idea_text import find_symbols
from agentinfra.spec.requirements import Area, Example, Question, Requirement, Spec

MAX_REQUIREMENTS = {"compact": 10, "full": 24}
MAX_QUESTIONS = {"compact": 2, "full": 5}
_ERROR = re.compile(r"\b[A-Z]\w*(?:Error|Exception)\b")
ENOUGH_STATED = {"compact": 2, "full": 6}  # stated examples, from which on the model is asked for no more


class PlannerAgent(BaseAgent):
    """Plans a project: questions, specification, approval, and delegation to engineers.

    Args:
        name: How the planner is shown.
        model: The model it asks; None for the run's.
        tools: Tools it may use.
        sub_agents: Its engineers; by default one for the backend and one for the frontend.
    """

    def __init__(
        self,
        name: str = "Planner",
        model: ChatModel | None = None,
        tools: Sequence[Any] | None = None,
        **seats: Any,
    ) -> None:
        super().__init__(name, model, tools, **seats)
        own: list[BaseAgent] = [EngineerAgent("BackendEngineer"), EngineerAgent("FrontendEngineer")]
        self.sub_agents: list[BaseAgent] = [*self.sub_agents] or own

    @property
    def path(self) -> AgentPath:
        """Where the planner stands in the hierarchy, for events."""
        return ("planner",)

    @property
    def project(self) -> Project:
        """The project that the planner works in.

        Raises:
            ConfigError: It has none.
        """
        return project_of(self.name, self.environment)

    async def adecide(self) -> Spec:
        """Make the specification of the idea that was perceived."""
        return await self.specify(self.perceived)

    async def aact(self) -> Spec:
        """Have the specification approved and built."""
        spec = await self.publish(self.decision)
        await self.delegate(spec)
        return spec

    @door
    def plan_project(self, idea: str) -> Any:
        """Turn the idea into a specification, and that into tested code on a branch of the repository.

        Outside a project this starts a run in the current folder, with this planner and its engineers.
        """
        return wait(self._native("aplan_project", self._plan_project, idea), "await planner.aplan_project(idea)")

    @door
    async def aplan_project(self, idea: str) -> Any:
        """Turn the idea into a specification, and that into tested code on a branch of the repository.

        Outside a project this starts a run in the current folder, with this planner and its engineers.
        """
        if self.environment is None:
            return await self._start_run(idea)
        return await self._do("plan_project", self.arun, idea)

    async def _plan_project(self, idea: str) -> Any:
        return await (self._start_run(idea) if self.environment is None else self.arun(idea))

    async def _start_run(self, idea: str) -> Any:
        # The engine lies above the agents, so it is found by its entry point instead of being imported.
        (found,) = entry_points(group="agentinfra.projects", name="default")
        return await found.load()(idea, planner=self)

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        own = cls.__dict__.get("plan_project")
        if own is not None:
            setattr(cls, "plan_project", _inside_a_run(own))  # noqa: B010 (a method is replaced by its wrapped self)

    @door
    def generate_specifications(self, idea: str) -> Spec:
        """Make the specification of an idea."""
        return wait(self.agenerate_specifications(idea), "await planner.agenerate_specifications(idea)")

    async def agenerate_specifications(self, idea: str) -> Spec:
        """Make the specification: questions, requirements, and acceptance examples with their ground.

        Raises:
            ReplyError: The model gave no usable plan, after one re-ask.
        """
        model = self.project.model(self.model, self.path)
        questions = await self.project.ask(await self._questions(model, idea))
        plan = await self._plan(model, with_answers(idea, questions))
        spec = replace(outline(idea, plan), questions=questions)
        detailed = [await self._with_examples(model, one, spec) for one in spec.requirements]
        return replace(spec, requirements=tuple(detailed))

    async def specify(self, idea: str) -> Spec:
        """The engine's way to :meth:`generate_specifications`, a subclass's own version included."""
        return await self._do("generate_specifications", self.agenerate_specifications, idea)

    async def publish(self, spec: Spec) -> Spec:
        """The engine's way to :meth:`create_spec_file`; returns the specification as it was approved."""
        # A subclass's own version may return nothing, as the specification's does; the project knows what was approved.
        await self._do("create_spec_file", self.acreate_spec_file, spec)
        return self.project.spec or spec

    async def delegate(self, spec: Spec) -> None:
        """The engine's way to :meth:`delegate_tasks`."""
        await self._do("delegate_tasks", self.adelegate_tasks, spec)

    @door
    def create_spec_file(self, specifications: Spec) -> Spec:
        """Write spec.md and have it approved."""
        return wait(self.acreate_spec_file(specifications), "await planner.acreate_spec_file(specifications)")

    async def acreate_spec_file(self, specifications: Spec) -> Spec:
        """Write spec.md and have it approved; what the person left there is the truth from then on.

        Raises:
            RunStopped: The person rejected it.
        """
        return await self.project.publish_spec(specifications)

    @door
    def delegate_tasks(self, specifications: Spec) -> None:
        """Hand the specification to the engineers and wait until they are done."""
        wait(self.adelegate_tasks(specifications), "await planner.adelegate_tasks(specifications)")

    async def adelegate_tasks(self, specifications: Spec) -> None:
        """Hand the specification, as it was approved, to the engineers that it has work for.

        An area belongs to its first engineer; what belongs to none goes to the first of all.

        Raises:
            ConfigError: There is no engineer.
        """
        owners: dict[Area, EngineerAgent] = {}
        for agent in self.sub_agents:
            if isinstance(agent, EngineerAgent):
                agent.environment = self.project
                owners.setdefault(agent.area, agent)
        spec = _owned(self.project.spec or specifications, tuple(owners))
        areas = {requirement.area for requirement in spec.requirements}
        busy = [agent for area, agent in owners.items() if area in areas]
        # One engineer's tasks may need another's: the whole graph is known before either begins.
        planned = [task for agent in busy for task in tasks_for(spec, agent.area, agent.name)]
        await self.project.publish_tasks(self.project.to_do(in_order(planned)))
        await self.project.delegate([(agent.name, lambda agent=agent: agent.aexecute(spec)) for agent in busy])

    async def _plan(self, model: ChatModel, idea: str) -> Plan:
        size = model.profile.prompts
        messages = load("plan", size).render(
            idea=idea,
            anchors=anchors_text(idea),
            limit=str(MAX_REQUIREMENTS[size]),
            files=_listing(self.project),
            guidance=self.project.guidance.block(size),
        )
        request = ChatRequest(
            messages, purpose="plan", temperature=0.2, max_tokens=2000 if size == "compact" else 8000, seed=1
        )
        plan, _ = await complete_as(model, request, Plan)
        return plan

    async def _questions(self, model: ChatModel, idea: str) -> list[Question]:
        size = model.profile.prompts
        if size == "compact" and find_symbols(idea):
            return []  # a small model asks back what the idea says; one that names its functions says enough
        messages = load("questions", size).render(
            idea=idea, limit=str(MAX_QUESTIONS[size]), guidance=self.project.guidance.block(size)
        )
        request = ChatRequest(messages, purpose="questions", temperature=0.2, max_tokens=500, seed=1)
        try:
            found, _ = await complete_as(model, request, OpenQuestions)
        except ReplyError as error:
            # Without questions the plan rests on the idea alone, which is what --yes means anyway.
            await self.project.emit("notice", {"level": "info", "text": f"No questions: {error}"}, self.path)
            return []
        return [
            Question(f"Q-{number}", one.question, one.why, _options(one), one.recommended)
            for number, one in enumerate(found.questions[: MAX_QUESTIONS[size]], start=1)
        ]

    async def _with_examples(self, model: ChatModel, requirement: Requirement, spec: Spec) -> Requirement:
        """The requirement with the examples that the idea states, and the model's where those are few."""
        stated = [example for example in requirement.examples if example.ground.is_firm]
        if not requirement.symbols or _says_enough(requirement, stated, ENOUGH_STATED[model.profile.prompts]):
            return requirement
        context = describe_examples_of_others(requirement, spec)
        values = {"rules": requirement.statement, "context": context, "signature": ", ".join(requirement.symbols)}
        try:
            proposed = await propose_cases(model, "examples", f"examples {requirement.id}", values, spec)
        except ReplyError as error:
            await self.project.emit(
                "notice", {"level": "info", "text": f"{requirement.id}: no further examples: {error}"}, self.path
            )
            proposed = []
        return replace(requirement, examples=_merged(stated, proposed))


def _options(question: OpenQuestion) -> tuple[str, ...]:
    """The answers to choose from; the recommended one is always among them."""
    recommended = (question.recommended,) if question.recommended.strip() else ()
    return tuple(dict.fromkeys((*question.options, *recommended)))


def _inside_a_run(own: Callable[[Any, str], Any]) -> Callable[[Any, str], Any]:
    """A subclass's own plan_project, which outside a project starts a run that comes back to it."""

    @wraps(own)
    def plan_project(self: PlannerAgent, idea: str) -> Any:
        if self.environment is not None:
            return own(self, idea)
        return wait(self.aplan_project(idea), "await planner.aplan_project(idea)")

    return plan_project


def _owned(spec: Spec, areas: Sequence[Area]) -> Spec:
    """The specification with every requirement in one of the areas; those that are in none go to the first."""
    if not areas:
        raise ConfigError(
            "The planner has no engineer", next_step="Give it one: PlannerAgent(sub_agents=[EngineerAgent()])"
        )
    owned = (one if one.area in areas else replace(one, area=areas[0]) for one in spec.requirements)
    return replace(spec, requirements=tuple(owned))


def _says_enough(requirement: Requirement, stated: Sequence[Example], enough: int) -> bool:
    """Whether the stated examples suffice: enough of them, and one for the errors if the rules name any."""
    errors_open = bool(_ERROR.search(requirement.statement)) and all(one.expect != "raises" for one in stated)
    return len(stated) >= enough and not errors_open


def _merged(stated: Sequence[Example], proposed: Sequence[Example]) -> tuple[Example, ...]:
    known = {(example.setup, normal(example.call)) for example in stated}
    return (*stated, *(example for example in proposed if (example.setup, normal(example.call)) not in known))


def _listing(project: Project) -> str:
    names = sorted(
        str(path.relative_to(project.path)) for path in project.path.glob("*") if not path.name.startswith(".")
    )
    return "\n".join(names[:100]) or "none"
