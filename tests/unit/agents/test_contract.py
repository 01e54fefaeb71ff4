"""The contract of all agents: one suite, run over every class."""

import inspect
from dataclasses import dataclass
from typing import Any

import pytest

from agentinfra.agents.base_agent import BaseAgent
from agentinfra.agents.engineer_agent import EngineerAgent
from agentinfra.agents.micro_agent import MicroAgent
from agentinfra.agents.planner_agent import PlannerAgent
from agentinfra.agents.project import Verdict
from agentinfra.agents.qa_agent import MergedTree, QAAgent
from agentinfra.agents.test_suite import build_suite
from agentinfra.core.doors import wait
from agentinfra.core.errors import InputError
from agentinfra.core.tasks import Task
from agentinfra.models.scripted_model import ScriptedModel
from agentinfra.proof.report import TestReport
from agentinfra.spec.requirements import Example, Ground, Requirement, Spec
from tests.fakes.project import FakeProject, FakeWorkbench

IDEA = "Write `double.py`: `double(n)` gives twice the number, so `double(2)` gives 4 and `double(5)` gives 10."
PLAN = '{"title": "Double", "goal": "Doubling", "requirements": [{"file": "double.py", "signature": "double(n)",'
PLAN += ' "title": "Double a number", "rules": "Twice the number"}]}'
CODE = "```python\ndef double(n):\n    return n * 2\n```"
NO_QUESTIONS = '{"questions": []}'
EXAMPLES = (
    Example("double(2)", "returns", "4", ground=Ground.STATED),
    Example("double(5)", "returns", "10", ground=Ground.STATED),
)
CASES = '{"cases": [{"call": "double(3)", "expect": "returns", "value": "6"}]}'
SPEC = Spec(
    "Double", IDEA, "Doubling", (Requirement("FR-1", "Double", "Twice", "double.py", ("double(n)",), EXAMPLES),)
)
TASK = Task("T-1", "Double", ("FR-1",), ("double.py",), ("double(n)",))


def answer(request: Any) -> str:
    """What a good model says to each of the agents' questions."""
    by_purpose = {"plan": PLAN, "questions": NO_QUESTIONS, "code": CODE, "tests": CASES, "examples": CASES}
    return by_purpose.get(request.purpose.split()[0], "hello")


def project() -> FakeProject:
    return FakeProject(default=ScriptedModel(answer), spec=SPEC)


def bench() -> FakeWorkbench:
    suite = build_suite(
        "tests/test_double.py", "double.py", ("double(n)",), [("FR-1", example) for example in EXAMPLES]
    )
    return FakeWorkbench(project(), TASK, suite)


@dataclass(frozen=True)
class Kind:
    """An agent class, an input that it works on, and a decision that its act can carry out."""

    agent: type[BaseAgent]
    make_input: Any
    decide: Any
    is_answer: Any

    def make(self, **methods: Any) -> BaseAgent:
        made = type(f"My{self.agent.__name__}", (self.agent,), methods)("me", ScriptedModel(answer))
        made.environment = project()
        return made


KINDS = [
    Kind(BaseAgent, lambda: "hi", lambda: "hello", lambda given: given == "hello"),
    Kind(PlannerAgent, lambda: IDEA, lambda: SPEC, lambda given: given.requirements[0].file == "double.py"),
    Kind(EngineerAgent, lambda: SPEC, lambda: [TASK], lambda given: dict(given) == {"T-1": "done"}),
    Kind(MicroAgent, bench, lambda: {"double.py": CODE}, lambda given: given == Verdict(True, "commit-of-T-1")),
    Kind(QAAgent, lambda: MergedTree({}, TestReport((), 5, 0.0)), list, lambda given: isinstance(given, list)),
]
STEPS = ["perceive", "decide", "act", "run"]
every_agent = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.agent.__name__)
every_step = pytest.mark.parametrize("step", STEPS)


@every_agent
def test_the_constructor_is_the_specifications(kind: Kind):
    model, tools = ScriptedModel([]), [object()]
    agent = kind.agent("Ada", model, tools)
    assert (agent.name, agent.model, agent.tools) == ("Ada", model, tools)
    assert kind.agent("Ada", model).tools == []
    assert list(inspect.signature(kind.agent).parameters)[:3] == ["name", "model", "tools"]


@every_agent
def test_the_constructor_seats_memory_environment_and_sub_agents(kind: Kind):
    below = MicroAgent("below")
    agent = kind.agent("Ada", None, memory="m", environment="e", sub_agents=[below])
    assert (agent.memory, agent.environment, agent.sub_agents) == ("m", "e", [below])
    bare = kind.agent("Ada")
    assert bare.memory is None and bare.environment is None and isinstance(bare.sub_agents, list)


@every_agent
def test_agents_do_not_share_their_lists(kind: Kind):
    one, other = kind.agent("one"), kind.agent("other")
    one.tools.append("t")
    one.sub_agents.append(one)
    assert other.tools == [] and one not in other.sub_agents


@every_agent
async def test_it_works_as_it_is(kind: Kind):
    assert kind.is_answer(await kind.make().arun(kind.make_input()))


@every_agent
def test_it_works_from_a_script(kind: Kind):
    assert kind.is_answer(kind.make().run(kind.make_input()))


def overriding(kind: Kind, step: str, seen: list[Any], *, native: bool) -> BaseAgent:
    """An agent of that class with one step of its own, which takes no help from the class's."""
    outcomes = {"perceive": lambda given: given, "decide": kind.decide}
    finished = {"perceive": None, "decide": None, "act": "acted", "run": "ran"}

    def method(self: BaseAgent, *arguments: Any) -> Any:
        seen.append(arguments)
        return finished[step] or outcomes[step](*arguments)

    async def amethod(self: BaseAgent, *arguments: Any) -> Any:
        return method(self, *arguments)

    return kind.make(**({f"a{step}": amethod} if native else {step: method}))


def is_right(kind: Kind, step: str, answer: Any) -> bool:
    return answer == {"act": "acted", "run": "ran"}[step] if step in ("act", "run") else kind.is_answer(answer)


@pytest.mark.parametrize("native", [False, True], ids=["sync", "async"])
@every_step
@every_agent
def test_one_step_of_its_own_suffices_from_a_script(kind: Kind, step: str, native: bool):
    seen: list[Any] = []
    agent = overriding(kind, step, seen, native=native)
    assert is_right(kind, step, agent.run(kind.make_input()))
    assert len(seen) == 1


@pytest.mark.parametrize("native", [False, True], ids=["sync", "async"])
@every_step
@every_agent
async def test_one_step_of_its_own_suffices_for_asynchronous_callers(kind: Kind, step: str, native: bool):
    seen: list[Any] = []
    agent = overriding(kind, step, seen, native=native)
    assert is_right(kind, step, await agent.arun(kind.make_input()))
    assert len(seen) == 1


@every_step
@every_agent
def test_a_step_of_its_own_may_lead_to_the_inherited_one(kind: Kind, step: str):
    seen: list[str] = []

    def method(self: BaseAgent, *arguments: Any) -> Any:
        seen.append(step)
        return getattr(kind.agent, step)(self, *arguments)

    assert kind.is_answer(kind.make(**{step: method}).run(kind.make_input()))
    assert seen == [step]


@every_agent
def test_the_asynchronous_loop_may_lead_to_the_inherited_one(kind: Kind):
    async def arun(self: BaseAgent, given: Any = None) -> Any:
        return await kind.agent.arun(self, given)

    assert kind.is_answer(kind.make(arun=arun).run(kind.make_input()))


@every_agent
def test_a_perceive_that_returns_nothing_leaves_the_input_as_it_came(kind: Kind):
    seen: list[Any] = []
    agent = kind.make(perceive=lambda self, given: seen.append(given))
    assert kind.is_answer(agent.run(kind.make_input())) and len(seen) == 1


@every_agent
def test_steps_can_be_taken_by_hand(kind: Kind):
    agent = kind.make()
    agent.perceive(kind.make_input())
    assert agent.decide() is agent.decision
    assert kind.is_answer(agent.act())


@every_step
@every_agent
async def test_inside_a_running_loop_the_synchronous_form_says_what_to_call(kind: Kind, step: str):
    arguments = {"perceive": ("x",), "run": ("x",)}.get(step, ())
    with pytest.raises(InputError, match=rf"Call `await agent\.a{step}\("):
        getattr(kind.make(), step)(*arguments)


@every_agent
def test_agents_nest_through_their_synchronous_forms(kind: Kind):
    def run_inner(self: BaseAgent, given: Any = None) -> Any:
        return kind.make().run(given)

    agent = kind.make(run=run_inner)
    for _ in range(5):
        inner = agent
        agent = kind.make(run=lambda self, given=None, inner=inner: wait(inner.arun(given), ""))
    assert kind.is_answer(agent.run(kind.make_input()))
